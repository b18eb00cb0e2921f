import type { RunView } from '../peers/daemon-client.js';
import type { DaemonDeps } from './deps.js';
import { readReceipt } from './pipeline/settle.js';
import type { Run } from './store/run.js';

/** A run as its consumer and the owner see it: no path, no lease, no host detail. */
export async function viewOf(deps: Pick<DaemonDeps, 'records'>, run: Run): Promise<RunView> {
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
    ...(run.failure && { failure: { ...run.failure, details: JSON.parse(JSON.stringify(run.failure.details)) } }),
    ...(run.deadlineAt !== undefined && { deadlineAt: iso(run.deadlineAt) }),
    ...(run.approval && { approval: run.approval }),
    ...(run.hold && { hold: run.hold }),
    outputs: finished?.outputs ?? [],
    ...(run.receiptDigest && { receipt: run.receiptDigest }),
    settlement: run.settlement,
  };
}
