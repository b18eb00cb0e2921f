import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { explainJob } from '../catalog/explain-job.js';
import type { Explanation } from '../catalog/explanation.js';
import type { DaemonDeps } from './deps.js';
import { readReceipt } from './pipeline/settle.js';
import { viewOf } from './run-view.js';
import type { Run } from './store/run.js';

const TAIL_BYTES = 16_384;
const LINES = 20;

type ExplainDeps = Pick<DaemonDeps, 'ledger' | 'records' | 'config' | 'organization'>;

/**
 * Why a run is as it is, by what this daemon knows: that other parties of the job have failed is known here only where they have said so to
 * this one, as those of a joint job do. Who added the job is told more by `dt job explain`.
 */
export async function explainRun(deps: ExplainDeps, run: Run): Promise<Explanation> {
  const { organization, ledger } = deps;
  const read = await ledger.operatorsAndOrganizations([], [organization, run.consumer]).catch(() => undefined);
  const names = new Map(
    (read?.organizations ?? []).flatMap((found) => (found === undefined ? [] : [[found.address, found.name] as const])),
  );
  const { state, failure, startedAt, deadlineAt } = await viewOf(deps, run);
  const log = await lastLines(join(deps.config.jobs.folder, run.runId, 'logs', 'operator.log'));
  const share = {
    token: run.token,
    asset: run.token,
    owner: organization,
    ownerName: names.get(organization) ?? organization,
    daemon: read?.organizations[0]?.url ?? '',
    isProblem: false,
    state,
    log,
    ...(failure && { failure }),
    ...(startedAt !== undefined && { startedAt }),
    ...(deadlineAt !== undefined && { deadlineAt }),
    ...(run.receiptDigest !== undefined && { receipt: (await readReceipt(deps, run)).receipt }),
    ...(run.settlement === 'anchored' && { reported: state }),
    ...(read === undefined && { isChainDown: true }),
  };
  return explainJob({
    job: run.jobId,
    task: run.taskId,
    algorithm: run.algorithm,
    isDemander: false,
    isJoint: false,
    names,
    shares: [share],
  });
}

async function lastLines(path: string): Promise<readonly string[]> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(TAIL_BYTES), position: Math.max(0, size - TAIL_BYTES) });
    return buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .filter((line) => line !== '')
      .slice(-LINES);
  } finally {
    await file.close();
  }
}
