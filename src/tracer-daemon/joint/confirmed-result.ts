import type { Receipt } from '../../documents/receipt/receipt.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { DaemonDeps } from '../deps.js';
import { readEnding } from '../pipeline/ending-file.js';
import { type Ending, readReceipt } from '../pipeline/settle.js';
import type { Run } from '../store/run.js';
import type { JointResult } from './finished-state.js';

/**
 * What a run has computed with the others, once it is over or only its owner keeps it from that. Undefined when not all parties have
 * confirmed it to each other.
 */
export async function confirmedResult(deps: Pick<DaemonDeps, 'records' | 'config'>, run: Run): Promise<JointResult | undefined> {
  // Outputs that its owner has to look at are as good as released for the others: it has confirmed them.
  if (run.state === 'held' || (run.state === 'settling' && run.outcome === 'succeeded')) return resultOf(await readEnding(deps, run.runId));
  const isConfirmed = run.state === 'succeeded' || run.hold !== undefined;
  return isConfirmed && run.receiptDigest !== undefined ? resultOf((await readReceipt(deps, run)).receipt) : undefined;
}

function resultOf(told: Pick<Ending | Receipt, 'joint' | 'exit' | 'usage' | 'sandbox'> | undefined): JointResult | undefined {
  if (told?.joint === undefined || told.exit === undefined || told.usage === undefined || told.sandbox === undefined) return undefined;
  const { code, signal, limit } = told.exit;
  const { wallMs, cpuMs, peakMemoryBytes } = told.usage;
  const exit = {
    exitCode: code,
    exitSignal: signal,
    limitHit: limit,
    aborted: false,
    wallMs,
    cpuMs,
    peakMemoryBytes,
    report: told.sandbox,
  };
  return { record: told.joint, exit: exit as SandboxExit };
}
