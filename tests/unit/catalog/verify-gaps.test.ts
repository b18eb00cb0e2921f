import { Wallet } from 'ethers/wallet';
import { describe, expect, it } from 'vitest';
import { Checks } from '../../../src/catalog/verify/checks.js';
import type { ReadEvidence } from '../../../src/catalog/verify/given-evidence.js';
import type { JobHistory } from '../../../src/catalog/verify/job-history.js';
import { verifyJoint } from '../../../src/catalog/verify/verify-joint.js';
import { verifyOnChain } from '../../../src/catalog/verify/verify-on-chain.js';
import { verifyRun } from '../../../src/catalog/verify/verify-run.js';
import { type Bytes32, parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import type { JobSpec } from '../../../src/documents/job/job-spec.js';
import type { Receipt } from '../../../src/documents/receipt/receipt.js';

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

describe('what is absent from evidence, or is strange there, does not pass', () => {
  it.each(['constructor', '__proto__', 'none'])('a sandbox of the level %s', (level) => {
    const one = evidence({ sandbox: { level, layers: [], limits: {} } });
    verifyRun(one, undefined);
    expect(failed(one)).toEqual(['sandbox']);
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
    const spec: JobSpec = {
      kind: 'job-spec',
      version: 1,
      chain,
      job: '1',
      task: '1',
      consumer: owner,
      algorithm: { token: algorithm, ddo: digest },
      steps: [],
      joint: [{ operator: token(3), seats }],
      documents: [],
    };
    const one = evidence({}, spec);
    verifyJoint([one]);
    expect(failed(one)).toEqual(['peers']);
  });
});
