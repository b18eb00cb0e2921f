import type { RunView } from '../peers/daemon-client.js';
import type { DaemonDeps } from './deps.js';
import { readReceipt } from './pipeline/settle.js';
import type { Run } from './store/run.js';
import { withoutLog } from './without-log.js';

/** A run as its consumer and the owner see it: no path, no lease, no host detail. An auditor reads no line of its log in it either. */
export async function viewOf(deps: Pick<DaemonDeps, 'records'>, run: Run, { audited = false } = {}): Promise<RunView> {
  const failure = run.failure && (audited ? withoutLog(run.failure) : run.failure);
  const finished = run.receiptDigest === undefined ? undefined : (await readReceipt(deps, run)).receipt;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    id: run.runId,
    job: run.jobId.toString(),
    task: run.taskId.toString(),
    algorithm: run.algorithm,
    token: run.token,
    consumer: run.consumer,
    state: run.state,
    attempt: run.attempt,
    createdAt: iso(run.createdAt),
    ...(run.startedAt !== undefined && { startedAt: iso(run.startedAt) }),
    ...(run.finishedAt !== undefined && { finishedAt: iso(run.finishedAt) }),
    ...(failure && { failure: { ...failure, details: JSON.parse(JSON.stringify(failure.details)) } }),
    ...(run.deadlineAt !== undefined && { deadlineAt: iso(run.deadlineAt) }),
    ...(run.approval && { approval: run.approval }),
    ...(run.hold && { hold: run.hold }),
    outputs: finished?.outputs ?? [],
    ...(run.receiptDigest && { receipt: run.receiptDigest }),
    settlement: run.settlement,
  };
}
