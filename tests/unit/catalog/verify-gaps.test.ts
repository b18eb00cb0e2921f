import { Wallet } from 'ethers/wallet';
import { describe, expect, it } from 'vitest';
import { Checks } from '../../../src/catalog/verify/checks.js';
import type { ReadEvidence } from '../../../src/catalog/verify/given-evidence.js';
import type { JobHistory } from '../../../src/catalog/verify/job-history.js';
import { verifyJoint } from '../../../src/catalog/verify/verify-joint.js';
import { verifyOnChain } from '../../../src/catalog/verify/verify-on-chain.js';
import { verifyParts } from '../../../src/catalog/verify/verify-parts.js';
import { verifyRun } from '../../../src/catalog/verify/verify-run.js';
import { verifyTerms } from '../../../src/catalog/verify/verify-terms.js';
import { canonicalBytes, sha256 } from '../../../src/documents/canonical.js';
import { buildDdo } from '../../../src/documents/ddo/ddo.js';
import type { OutputRule } from '../../../src/documents/ddo/release-terms.js';
import { type Bytes32, parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import type { JobSpec } from '../../../src/documents/job/job-spec.js';
import { approvalSubject, holdSubject } from '../../../src/documents/receipt/owner-subject.js';
import type { Receipt } from '../../../src/documents/receipt/receipt.js';
import { signDecision } from '../../../src/tracer-daemon/joint/sign-decision.js';

const digest = `0x${'1'.repeat(64)}` as Bytes32;
const token = (n: number): TokenId => tokenIdOf(n.toString(16).padStart(64, '0'));
const owner = parseAddress(Wallet.createRandom().address);
const chain = { chainId: 1, market: parseAddress(Wallet.createRandom().address) };
const [algorithm, leaf] = [token(1), token(2)];
const receipt: Receipt = {
  kind: 'receipt',
  version: 2,
  chain,
  job: '1',
  algorithm,
  path: [algorithm, leaf],
  token: leaf,
  owner,
  consumer: owner,
  request: digest,
  spec: digest,
  decision: digest,
  outcome: 'succeeded',
  sandbox: { level: 'process', layers: ['environment', 'rlimits', 'no-new-privileges'], limits: {} },
  exit: { code: 0, signal: null },
  outputs: [],
  finishedAt: '2026-01-02T03:04:05.000Z',
  software: 'test',
};

function evidence(more: Partial<Receipt>, spec?: JobSpec): ReadEvidence {
  const given = { source: 'a file', documents: { receipt: new Uint8Array() } };
  const signed = { receipt: { ...receipt, ...more }, signature: '0x' };
  return { given, checks: new Checks('p'), signed, digest, request: undefined, spec, decision: undefined };
}
const failed = ({ checks }: ReadEvidence): readonly string[] =>
  checks.list.flatMap(({ name, state }) => (state === 'failed' ? [name] : []));

const bareSpec: JobSpec = {
  kind: 'job-spec',
  version: 1,
  chain,
  job: '1',
  task: '1',
  consumer: owner,
  algorithm: { token: algorithm, ddo: digest },
  steps: [],
  documents: [],
};
const jointSpec = (seats: NonNullable<JobSpec['joint']>[number]['seats']): JobSpec => ({
  ...bareSpec,
  joint: [{ operator: token(3), seats }],
});

describe('what is absent from evidence, or is strange there, does not pass', () => {
  it.each(['constructor', '__proto__', 'none'])('a sandbox of the level %s', (level) => {
    const one = evidence({ sandbox: { level, layers: [], limits: {} } });
    verifyRun(one, undefined);
    expect(failed(one)).toEqual(['sandbox']);
  });

  it('files that a job of one owner was given beside code and arguments; those of a joint job are its kit, which is not compared', () => {
    const operator = { id: token(3), version: 1, digest };
    const step = {
      token: leaf,
      owner,
      ddo: digest,
      path: [algorithm, leaf],
      service: 'run',
      operator: { ...operator, runtime: 'node' },
      arguments: {},
    };
    const spec = { ...bareSpec, steps: [step as unknown as JobSpec['steps'][number]] };
    const file = (name: string, sha256: Bytes32 = digest) => ({ name, sizeBytes: 2, sha256 });
    const files = [file('args.json', sha256(canonicalBytes({}))), file('operator/operator.mjs'), file('operator/more.mjs')];
    const alone = evidence({ operator, ddo: digest, files }, spec);
    verifyRun(alone, undefined);
    expect(failed(alone)).toEqual(['operator']);
    const [seat] = [{ seat: 'left', organization: owner, inputs: [{ number: '0', token: leaf }] }];
    const joint = evidence({ operator, ddo: digest, files }, { ...spec, joint: [{ operator: token(3), seats: [seat] }] });
    verifyRun(joint, undefined);
    expect(failed(joint)).toEqual([]);
  });

  it('a receipt of a helper without the proof that anybody has anchored it', () => {
    const one = evidence({ path: [algorithm], token: algorithm });
    const job = { id: 1n, task: 1n, algorithm, demander: owner, addedAt: 0 };
    const history: JobHistory = { chain, job, tree: [algorithm], events: [], reports: new Map(), anchors: [] };
    verifyOnChain(one, history);
    expect(failed(one)).toEqual(['anchor']);
  });

  it('a seat of a joint job whose receipt says nothing of the others', () => {
    const seats = [{ seat: 'left', organization: owner, inputs: [{ number: '0', token: leaf }] }];
    const spec = jointSpec(seats);
    const one = evidence({}, spec);
    verifyJoint([one]);
    expect(failed(one)).toEqual(['peers']);
  });

  it.each([
    ['one of its two tokens', 1],
    ['none', 0],
  ])('a peer of a joint job that has decided about %s', async (_, count) => {
    const peer = Wallet.createRandom();
    const organization = parseAddress(peer.address);
    const theirs = [token(4), token(5)] as const;
    const seats = [
      { seat: 'left', organization: owner, inputs: [{ number: '0', token: leaf }] },
      { seat: 'right', organization, inputs: theirs.map((brought, i) => ({ number: String(i + 1), token: brought })) },
    ];
    const about = { job: 1n, spec: digest };
    const signed = theirs.map((decided) =>
      signDecision({ domain: chain, signer: peer }, about, { token: decided, decision: digest, allowed: true }),
    );
    const all = await Promise.all(signed);
    const traffic = { bytes: 0, messages: 0, sha256: '0'.repeat(64) };
    const evidenceWith = (decisions: typeof all): ReadEvidence => {
      const peers = [{ seat: 'right', organization, decisions, sent: traffic, received: traffic }];
      return evidence({ joint: { seat: 'left', execution: '0'.repeat(64), peers } }, jointSpec(seats));
    };
    const [complete, one] = [evidenceWith(all), evidenceWith(all.slice(0, count))];
    verifyJoint([complete]);
    verifyJoint([one]);
    expect(failed(complete)).toEqual([]);
    expect(failed(one)).toEqual(['peers']);
  });

  const whole = {
    ddo: digest,
    operator: { id: token(3), version: 1, digest },
    usage: { wallMs: 1 },
    input: digest,
    files: [],
    log: { sizeBytes: 0, sha256: digest },
    startedAt: receipt.finishedAt,
    wipedAt: receipt.finishedAt,
  } satisfies Partial<Receipt>;

  it.each(Object.keys(whole) as (keyof typeof whole)[])('a receipt of success without its %s', (part) => {
    const { [part]: _, ...rest } = whole;
    const one = evidence(rest);
    verifyParts(one);
    expect(one.checks.list).toMatchObject([{ state: 'failed', at: `receipt.json#/receipt/${part}` }]);
    const failure = { code: 'DT_JOB_OPERATOR_FAILED', message: 'it failed' };
    const early = evidence({ ...rest, outcome: 'failed', failure });
    verifyParts(early);
    expect(early.checks.list.every(({ state, needs }) => state === 'skipped' && needs !== undefined)).toBe(true);
  });

  const step = {
    token: leaf,
    ddo: digest,
    owner,
    service: 's',
    path: [algorithm, leaf],
    operator: { id: token(3), version: 1, digest, runtime: 'node' },
    arguments: { x: 1 },
  } as const;
  const spec: JobSpec = { ...bareSpec, steps: [step] };
  const outputs = [{ name: 'a', sizeBytes: 1, sha256: digest }];
  const failedTerms = (more: Partial<Receipt>, given = spec, rules?: readonly OutputRule[]) => {
    const one = evidence({ ...whole, outputs, ...more }, given);
    const descriptor = { template: token(3), constraint: {} };
    const service = { index: 's', endpoint: '', descriptor, attributes: {}, ...(rules && { outputs: rules }) };
    const attributes = { metadata: { main: { type: 'Dataset', name: 'l' } }, services: [service] };
    const ddos = new Map([[leaf, buildDdo(attributes, leaf, owner, new Date(0))]]);
    verifyTerms(one, { ddos, operators: new Map(), problems: [] });
    return one.checks.list.flatMap(({ state, at }) => (state === 'failed' ? [at.replace('receipt.json#/receipt/', '')] : []));
  };

  it("an owner's word about other code, arguments or data, or about other files", () => {
    const said = (subject: Bytes32) => ({ outcome: 'approved', at: receipt.finishedAt, subject }) as const;
    const words = { approval: said(approvalSubject(digest, step, digest)), hold: said(holdSubject({ ...receipt, outputs })) };
    const other = `0x${'2'.repeat(64)}` as Bytes32;
    expect(failedTerms(words)).toEqual([]);
    expect(failedTerms({ ...words, input: other })).toEqual(['approval/subject']);
    for (const changed of [{ arguments: { x: 2 } }, { operator: { ...step.operator, digest: other } }])
      expect(failedTerms(words, { ...spec, steps: [{ ...step, ...changed }] })).toEqual(['approval/subject']);
    expect(failedTerms({ ...words, outputs: [{ name: 'a', sizeBytes: 2, sha256: digest }] })).toEqual(['hold/subject']);
  });

  it('outputs that break a rule of their asset', () => {
    const left = (...rules: readonly OutputRule[]) => failedTerms({ withheld: 0 }, spec, rules);
    expect(left({ name: 'a', maxBytes: 1 })).toEqual([]);
    expect(left({ name: 'b' })).toEqual(['outputs/0']);
    expect(left({ name: 'a', maxBytes: 0 })).toEqual(['outputs/0/sizeBytes']);
    expect(left({ name: 'a', recipient: 'owner' })).toEqual(['outputs/0/recipient']);
    expect(left({ name: '*', hold: true })).toEqual(['hold']);
    expect(failedTerms({}, spec, [{ name: 'a' }])).toEqual(['withheld']);
    expect(failedTerms({ outputs: [{ ...(outputs[0] as (typeof outputs)[0]), recipient: 'owner' }] })).toEqual(['outputs/0/recipient']);
  });
});
