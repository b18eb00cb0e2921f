import { describe, expect, it } from 'vitest';
import { compareLinks } from '../../../src/actions/job/joint-evidence.js';
import type { JointFigures } from '../../../src/cli/demo-joint.js';
import { renderJoint } from '../../../src/cli/render-joint.js';
import { widthOf } from '../../../src/cli/render-text.js';
import { parseAddress, parseBytes32, tokenIdOf } from '../../../src/documents/ids.js';
import type { JointRecord, LinkTraffic } from '../../../src/documents/receipt/receipt.js';

const traffic = (bytes: number): LinkTraffic => ({ bytes, messages: 1 + (bytes % 1000), sha256: bytes.toString(16).padStart(64, '0') });
const BYTES: Readonly<Record<string, number>> = { '01': 2_800_131, '10': 2_700_127, '20': 912_345_678, '21': 999, '02': 647, '12': 1 };
const peer = (own: string, seat: string): JointRecord['peers'][number] => ({
  seat,
  organization: parseAddress(`0x${'0'.repeat(39)}${seat}`),
  decisions: [],
  sent: traffic(BYTES[`${own}${seat}`] ?? 0),
  received: traffic(BYTES[`${seat}${own}`] ?? 0),
});
const record = (seat: string): JointRecord => ({
  seat,
  execution: 'e'.repeat(64),
  peers: ['0', '1', '2'].filter((other) => other !== seat).map((other) => peer(seat, other)),
});
const records = ['0', '1', '0', '2'].map(record);
const hash = (digit: string) => parseBytes32(`0x${digit.repeat(64)}`, 'a digest');

function figures(changes: Partial<JointFigures['auc']> = {}, of: readonly JointRecord[] = records): JointFigures {
  const names = ['Bank A', 'Bank B', 'Bank A', 'Fintech C'];
  return {
    auc: { alone: 0.7132, joint: 0.796, difference: 0.0828, ...changes },
    rows: { alone: { test: 3000 }, train: 5672, test: 2431 },
    join: { a: 8926, b: 8987, common: 8103, protocol: 'kkrt', ms: 320 },
    columns: { a: 8, b: 8 },
    steps: 15,
    rounds: 117,
    trainMs: 223,
    job: 3n,
    evidence: {
      execution: 'e'.repeat(64),
      links: compareLinks(of),
      receipts: names.map((ownerName, i) => ({
        seat: ['0', '1', '0', '2'][i] ?? '',
        ownerName,
        asset: 'data',
        token: tokenIdOf(String(i).repeat(64)),
        receipt: hash(String(i)),
        isHelper: i === 3,
        anchored: 'on chain',
      })),
    },
  };
}

describe('compareLinks', () => {
  it('puts both ends of each link side by side, in both directions', () => {
    const links = compareLinks(records);
    expect(links.map(({ from, to, bytes }) => [from + to, bytes])).toEqual([
      ['01', BYTES['01']],
      ['02', BYTES['02']],
      ['10', BYTES['10']],
      ['12', BYTES['12']],
      ['20', BYTES['20']],
      ['21', BYTES['21']],
    ]);
    expect(links.every(({ agrees }) => agrees)).toBe(true);
  });

  it.each([
    ['other bytes', { bytes: 1 }],
    ['another count', { messages: 1 }],
    ['another hash', { sha256: 'f'.repeat(64) }],
  ])('sees %s at one end', (_, other) => {
    const [a, b, label, c] = records as [JointRecord, JointRecord, JointRecord, JointRecord];
    const peers = b.peers.map((each) => (each.seat === '0' ? { ...each, received: { ...traffic(BYTES['01'] ?? 0), ...other } } : each));
    const wrong = compareLinks([a, { ...b, peers }, label, c]).filter(({ agrees }) => !agrees);
    expect(wrong.map(({ from, to }) => from + to)).toEqual(['01']);
  });

  it('does not take silence for agreement', () => {
    const silent = records.map((each) => ({
      ...each,
      peers: each.peers.map(({ seat, organization }) => ({ seat, organization, decisions: [] })),
    }));
    expect(compareLinks(silent).some(({ agrees }) => agrees)).toBe(false);
  });
});

describe('renderJoint', () => {
  it('fits on 80 columns, with boxes whose edges meet', () => {
    for (const auc of [{}, { alone: 0.5, joint: 0.999, difference: 0.499 }, { alone: 0.9, joint: 0.2, difference: -0.7 }]) {
      const lines = renderJoint(figures(auc)).split('\n');
      for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80);
      const boxes = lines.filter((line) => /[│┌└┐┘]$/.test(line));
      expect(boxes).toHaveLength(7);
      expect(new Set(boxes.map(widthOf))).toEqual(new Set([78]));
    }
  });

  it('says what both ends agree on, and what they do not', () => {
    expect(renderJoint(figures())).toMatch(
      /No row left its bank[\s\S]*✓ both ends[\s\S]*✓ receipts on chain: Bank A 0x0{8}… 0x2{8}…, Bank B 0x1{8}…/,
    );
    const lies = records.map((each) => ({ ...each, peers: each.peers.map((other) => ({ ...other, sent: traffic(5) })) }));
    const text = renderJoint(figures({}, lies));
    expect(text).toMatch(/The receipts contradict each other[\s\S]*✗ both ends/);
    expect(text).not.toContain('No row left');
  });
});
