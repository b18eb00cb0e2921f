import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { SandboxExit, SandboxLimits } from '../../sandbox/sandbox.js';
import type { DaemonDeps } from '../deps.js';
import type { Lease } from '../store/run.js';
import type { NewRunEvent } from '../store/store.js';
import { RunAborted } from './run-aborted.js';
import { brand, type ExecutedJob, type StagedJob } from './stages.js';

const FLUSH_MS = 40;
const TAIL_LINES = 8;

/**
 * Stage 5. The operator in the sandbox, its output to the log file and, in small batches, to the event store, where followers read it.
 * @throws DT_JOB_OPERATOR_FAILED with the last lines, DT_SANDBOX_LIMIT, DT_SANDBOX_*
 */
export async function executeJob(
  deps: Pick<DaemonDeps, 'sandbox' | 'store' | 'config' | 'now'>,
  job: StagedJob,
  lease: Lease,
  signal: AbortSignal,
  channels?: { readonly count: number; readonly onChannels: (streams: readonly Duplex[]) => void; readonly sockets: readonly number[] },
): Promise<ExecutedJob> {
  const limits = limitsOf(deps.config);
  const tail: string[] = [];
  const log = logSink(deps, job.folder, lease, tail);
  let exit: SandboxExit;
  try {
    exit = await deps.sandbox.run({
      folder: job.folder,
      operatorFile: job.operatorFile,
      runtime: job.authorized.step.operator.runtime,
      limits,
      signal,
      // It has to have ended everywhere within a second, and nothing of it is kept.
      endsAtOnce: (reason) => reason instanceof RunAborted && reason.abort.kind === 'revoked',
      onLog: log.write,
      ...(channels && { channels: channels.count, onChannels: channels.onChannels, sockets: channels.sockets }),
    });
  } finally {
    await log.close();
  }
  signal.throwIfAborted();
  const executed = brand<ExecutedJob>({ staged: job, exit });
  if (exit.limitHit !== undefined) throw new ExecutionError(limitError(exit.limitHit, limits), exit);
  if (exit.exitCode !== 0) {
    const status = exit.exitCode === null ? `signal ${exit.exitSignal}` : `exit code ${exit.exitCode}`;
    throw new ExecutionError(new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: status, log: tail.join('\n') || '(it wrote none)' }), exit);
  }
  return executed;
}

/** A failure of the operator together with how its sandbox ended, which belongs into the receipt. */
export class ExecutionError extends Error {
  constructor(
    readonly problem: ToolkitError,
    readonly exit: SandboxExit,
  ) {
    super(problem.message);
  }
}

export function limitsOf(config: DaemonDeps['config']): SandboxLimits {
  const { wallSeconds, cpuSeconds, memoryMiB, processes, diskMiB, logMiB } = config.sandbox.limits;
  const mib = 1 << 20;
  return {
    wallMs: wallSeconds * 1000,
    cpuSeconds,
    memoryBytes: memoryMiB * mib,
    processes,
    diskBytes: diskMiB * mib,
    logBytes: logMiB * mib,
  };
}

function limitError(resource: NonNullable<SandboxExit['limitHit']>, limits: SandboxLimits): ToolkitError {
  const [limit, unit] = {
    wall: [limits.wallMs / 1000, 'seconds'],
    cpu: [limits.cpuSeconds, 'CPU seconds'],
    memory: [limits.memoryBytes, 'bytes of memory'],
    processes: [limits.processes, 'processes'],
    disk: [limits.diskBytes, 'bytes on disk'],
    log: [limits.logBytes, 'bytes of log'],
  }[resource];
  return new ToolkitError('DT_SANDBOX_LIMIT', { resource, limit, unit });
}

/** Lines come one by one; each commit of the store costs a disk sync, so they are written in batches, in order. */
function logSink(deps: Pick<DaemonDeps, 'store' | 'now'>, folder: string, lease: Lease, tail: string[]) {
  const file = createWriteStream(join(folder, 'logs', 'operator.log'), { flags: 'a', mode: 0o600 });
  // Without a listener a full disk would end the daemon. The event store has the lines; the run fails by what it cannot write itself.
  let fileError: Error | undefined;
  file.on('error', (error) => {
    fileError = error;
  });
  let batch: NewRunEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length === 0) return;
    const events = batch;
    batch = [];
    writing = writing.then(() => deps.store.events.append(lease, events));
    writing.catch(() => undefined); // close() reports it
  };
  return {
    write: (stream: 'stdout' | 'stderr', text: string): void => {
      if (fileError === undefined) file.write(text.endsWith('\n') ? text : `${text}\n`);
      tail.push(...text.split('\n').filter((line) => line !== ''));
      tail.splice(0, Math.max(0, tail.length - TAIL_LINES));
      batch.push({ kind: 'log', time: deps.now(), payload: { stream, text } });
      if (batch.length >= 500) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    close: async (): Promise<void> => {
      flush();
      await Promise.all([writing, finished(file.end()).catch(() => undefined)]);
    },
  };
}
