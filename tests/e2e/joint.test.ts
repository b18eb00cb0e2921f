import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecJobResult } from '../../src/actions/job/exec-job.js';
import { createJointWorld, endings, inProcess, type JointWorld, jointOf, receiptsOf } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';

/** What a bank has heard of the party on a seat, as it stands on the timelines of all its runs of the job. */
async function wordsAt(bank: BankRole, { shares }: ExecJobResult, seat: string): Promise<readonly unknown[]> {
  const runs = shares.filter(({ party }) => party.ownerName === bank.name).map(({ run }) => run?.id ?? '');
  const words = async (run: string): Promise<readonly unknown[]> =>
    (await bank.daemon.deps.store.events.read(run, 0, 1000))
      .map(({ kind, payload }) => (kind === 'progress' ? payload : {}))
      .filter((payload) => payload['joint'] === 'peer' && payload['seat'] === seat)
      .map((payload) => payload['word']);
  const [first = [], ...others] = await Promise.all(runs.map(words));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

describe.each([
  ['with connections of their own', true],
  ['over their daemons', false],
])('a joint job of two banks and a helper, whose operators speak %s', (_, direct) => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 15, direct } });
  });
  afterAll(() => joint.close());

  const all = (state: string, code: string): readonly string[][] => [
    ['Bank A', state, code],
    ['Bank B', state, code],
    ['Bank A', state, code],
    ['Third C', state, code],
  ];

  it('runs at all three daemons, and each writes the same agreement and traffic into its receipts', async () => {
    const result = await joint.exec({ mode: 'ok', rounds: 5, bytes: 1000 });
    expect(endings(result)).toEqual(all('succeeded', ''));
    const [a0, b1, a2, c] = await receiptsOf(joint, result);
    expect(new Set([a0, b1, a2, c].map((receipt) => jointOf(receipt).execution)).size).toBe(1);
    expect([a0, b1, a2, c].map((receipt) => jointOf(receipt).seat)).toEqual(['0', '1', '0', '2']);
    // What one end sent is what the other received, byte for byte.
    const link = (from: typeof a0, seat: string) => jointOf(from).peers.find((peer) => peer.seat === seat);
    expect(link(a0, '1')?.sent).toMatchObject({ messages: 5, bytes: 5000 });
    expect(link(a0, '1')?.sent).toEqual(link(b1, '0')?.received);
    expect(link(c, '1')?.sent).toEqual(link(b1, '2')?.received);
    expect(link(a0, '2')?.received).toEqual(link(c, '0')?.sent);
    // Each names the signed decisions of the others for the same spec.
    expect(link(b1, '0')?.decisions.map(({ token }) => token)).toEqual([joint.tokens.a0, joint.tokens.a2]);
    expect(link(b1, '0')?.decisions.map(({ decision }) => decision)).toEqual([a0?.decision, a2?.decision]);
    // Outputs leave with the leading run of each seat; a run that brings data only has none.
    expect(result.shares.map(({ run }) => run?.outputs.map(({ name }) => name))).toEqual([
      ['result.json'],
      ['result.json'],
      [],
      ['result.json'],
    ]);
    const output = await result.shares[0]?.party.client.output(result.shares[0].run?.id as string, 'result.json');
    expect(await output?.json()).toEqual({ seat: '0', lines: [3, 2] });
    expect(a0?.input).toBeDefined();
    // Each hears on its links how far the others are, and keeps it with the run.
    for (const [bank, seats] of [
      [joint.a, ['1', '2']],
      [joint.b, ['0', '2']],
    ] as const)
      for (const seat of seats) expect(await wordsAt(bank, result, seat)).toEqual(['allowed', 'agreed', 'computed', 'confirmed']);
    expect(c?.input).toBeUndefined();
  });

  it.each([
    ['column', '1', 'Bank B'],
    ['crash', '0', 'Bank A'],
    ['garbage', '2', 'Third C'],
    ['link', '1', 'Bank B'],
  ])('mode %s at seat %s ends it at all parties, who name %s', async (mode, at, name) => {
    const result = await joint.exec({ mode, at });
    const states = endings(result);
    expect(states.map(([, state]) => state)).toEqual(['failed', 'failed', 'failed', 'failed']);
    for (const { party, run } of result.shares) {
      expect(run?.outputs).toEqual([]);
      if (party.ownerName === name) expect(run?.failure?.code).toMatch(/^DT_JOB_(OPERATOR_FAILED|OUTPUT_REFUSED)$/);
      else {
        expect(run?.failure, party.ownerName).toMatchObject({ code: 'DT_JOINT_PEER_FAILED' });
        expect(run?.failure?.message).toContain(`ended at ${name}`);
      }
      if (mode === 'crash' && party.ownerName === 'Bank B') expect(await wordsAt(joint.b, result, at)).toContain('ended');
      if (mode === 'column') expect(run?.failure?.message).toContain('Column age cannot be used');
    }
  });

  it('messages that nobody reads are counted at both ends', async () => {
    const result = await joint.exec({ mode: 'extra', at: '0', rounds: 2, bytes: 10 });
    expect(endings(result)).toEqual(all('succeeded', ''));
    const [a0, b1] = await receiptsOf(joint, result);
    expect(jointOf(a0).peers.find(({ seat }) => seat === '1')?.sent).toMatchObject({ messages: 3, bytes: 27 });
    expect(jointOf(b1).peers.find(({ seat }) => seat === '0')?.received).toMatchObject({ messages: 3, bytes: 27 });
  });
});
