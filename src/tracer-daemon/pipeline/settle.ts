import { createHmac } from 'node:crypto';
import { canonicalBytes } from '../../documents/canonical.js';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import type { TreeFacts } from '../../documents/job/job-facts.js';
import { receiptTypedData } from '../../documents/job/typed-data.js';
import { inputCommitment } from '../../documents/receipt/input-commitment.js';
import { digestOfReceipt, type Receipt, type SignedReceipt } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { SandboxExit, SandboxReport } from '../../sandbox/sandbox.js';
import { type DaemonDeps, SOFTWARE } from '../deps.js';
import type { Run } from '../store/run.js';
import type { RunEnd } from '../store/store.js';
import { withoutLog } from '../without-log.js';
import type { ReleasedOutput } from './stages.js';

/** How a run ended: plain data, so that it can wait on disk for a daemon that is killed before the receipt is written. */
export interface Ending
  extends Partial<
    Pick<Receipt, 'ddo' | 'operator' | 'exit' | 'usage' | 'files' | 'log' | 'joint' | 'spec' | 'decision' | 'withheld' | 'wipedAt'>
  > {
  readonly end: RunEnd;
  /** Algorithm to leaf; empty when it cannot be told. */
  readonly path: readonly TokenId[];
  readonly outputs: readonly ReleasedOutput[];
  readonly sandbox?: SandboxReport;
  /** Digest of the data that was staged. */
  readonly dataset?: Bytes32;
  /** The run brought its data to the one that leads its seat in a joint job, in whose folder it was staged. */
  readonly brings?: boolean;
  /** The owner has to look at the outputs; and when the grants end that they were made by. */
  readonly held?: { readonly forMs: number; readonly grantsEndAt?: number };
}

/** What a receipt tells of the operator's run. */
export function exitOf({ exitCode, exitSignal, limitHit, wallMs, cpuMs, peakMemoryBytes, report }: SandboxExit) {
  return {
    sandbox: report,
    exit: { code: exitCode, signal: exitSignal, ...(limitHit !== undefined && { limit: limitHit }) },
    usage: {
      wallMs: Math.round(wallMs),
      ...(cpuMs !== undefined && { cpuMs: Math.round(cpuMs) }),
      ...(peakMemoryBytes !== undefined && { peakMemoryBytes: Math.round(peakMemoryBytes) }),
    },
  };
}

/** Where a run names no such document. */
export const NO_DIGEST = `0x${'0'.repeat(64)}` as Bytes32;

type SettleDeps = Pick<DaemonDeps, 'domain' | 'organization' | 'signer' | 'records' | 'commitmentKey' | 'now'>;

/**
 * Stage 7, first half: the receipt of one party's run or refusal, signed and on disk. The chain write follows from the store's list of
 * pending settlements, so that a crash or a chain that is down between the two loses nothing.
 * @returns the digest of the signed receipt, which goes on chain
 */
export async function writeReceipt(deps: SettleDeps, run: Run, ending: Ending): Promise<Bytes32> {
  const receipt = receiptOf(deps, run, ending);
  const typed = receiptTypedData(deps.domain, { job: run.jobId, dataToken: run.token, receipt: digestOfReceipt(receipt) });
  const signature = await deps.signer.signTypedData(typed.domain, typed.types, typed.values);
  const signed: SignedReceipt = { receipt, signature };
  return deps.records.put(canonicalBytes(signed));
}

function receiptOf(deps: SettleDeps, run: Run, ending: Ending): Receipt {
  const { end, path, ddo, operator, outputs, sandbox, exit, usage, files, log, dataset, joint, withheld, wipedAt } = ending;
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    kind: 'receipt',
    version: 2,
    chain: deps.domain,
    job: run.jobId.toString(),
    algorithm: run.algorithm,
    path,
    token: run.token,
    owner: deps.organization,
    consumer: run.consumer,
    request: run.requestDigest ?? NO_DIGEST,
    spec: ending.spec ?? run.specDigest ?? NO_DIGEST,
    decision: ending.decision ?? run.decisionDigest ?? NO_DIGEST,
    ...(ddo && { ddo }),
    ...(operator && { operator }),
    ...(dataset && { input: inputOf(deps, run, dataset) }),
    ...(run.approval && { approval: run.approval }),
    outcome: end.outcome,
    ...(end.failure && { failure: { code: end.failure.code, message: withoutLog(end.failure).message } }),
    ...(sandbox && { sandbox: { level: sandbox.level, layers: sandbox.layers, limits: { ...sandbox.limits } } }),
    ...(exit && { exit }),
    ...(usage && { usage }),
    ...(files && { files }),
    ...(log && { log }),
    ...(run.hold && { hold: run.hold }),
    outputs,
    ...(withheld !== undefined && { withheld }),
    ...(joint && { joint }),
    ...(run.startedAt !== undefined && { startedAt: time(run.startedAt) }),
    ...(wipedAt && { wipedAt }),
    finishedAt: time(deps.now()),
    software: SOFTWARE,
  };
}

/** What a run's receipt says of its data. */
export const inputOf = ({ commitmentKey }: Pick<DaemonDeps, 'commitmentKey'>, { runId }: Pick<Run, 'runId'>, data: Bytes32): Bytes32 =>
  inputCommitment(inputSalt(commitmentKey, runId), data);

/** One for each run, so that its owner can open one commitment (give its salt away) and no other. */
export const inputSalt = (key: Uint8Array, runId: string): Bytes32 =>
  `0x${createHmac('sha256', key).update(`input ${runId}`).digest('hex')}` as Bytes32;

/**
 * The path if the chain knows it, else an empty one. The documents of a stranger may tell of other children than the chain does: its job is
 * refused for that, and a receipt along such a path could never be anchored.
 */
export function pathOnChain(facts: TreeFacts, path: readonly TokenId[]): readonly TokenId[] {
  const isChild = (token: TokenId, i: number): boolean =>
    i === 0 ? token === facts.root : facts.tokens.get(path[i - 1] as TokenId)?.grants.some(({ child }) => child === token) === true;
  return path.every(isChild) ? path : [];
}

/** @throws DT_RECEIPT_MISMATCH when the run has none or it is damaged */
export async function readReceipt(deps: Pick<DaemonDeps, 'records'>, run: Run): Promise<SignedReceipt> {
  const bytes = run.receiptDigest === undefined ? undefined : await deps.records.get(run.receiptDigest);
  if (bytes === undefined) throw new ToolkitError('DT_RECEIPT_MISMATCH', { id: run.runId, pointer: '/', owner: 'its owner' });
  // These bytes are our own and were verified against their digest when they were read.
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as SignedReceipt;
}
