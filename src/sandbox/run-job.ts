import { constants } from 'node:os';
import { join } from 'node:path';
import { ToolkitError } from '../errors/toolkit-error.js';
import { endWithOperator } from './channel-stream.js';
import { checkJobFolder, hasJointFile, jobBinds, letOthersRead } from './job-folder.js';
import { type LimitName, LimitWatch, type Peaks } from './limit-watch.js';
import { LogLines } from './log-lines.js';
import type { Machine } from './machine.js';
import { takeOverOutputs } from './outputs.js';
import { type InstalledRuntime, interpreterArguments, jobEnvironment } from './runtimes.js';
import type { SandboxExit, SandboxLevel, SandboxLimits, SandboxRun } from './sandbox.js';
import { type StartOrder, startJob } from './start-job.js';
import { DEFAULT_FILES, type StartedJob } from './started-job.js';

export interface RunSettings {
  readonly level: SandboxLevel;
  readonly machine: Machine;
  readonly countsTasks: boolean;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

interface Ended {
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
}

/**
 * One run from a staged folder to its outputs.
 * @throws DT_INPUT_INVALID for the folder, DT_SANDBOX_UNAVAILABLE when a layer does not hold this time; the operator has not started then
 */
export async function runJob(settings: RunSettings, runtime: InstalledRuntime, run: SandboxRun): Promise<SandboxExit> {
  const folder = await checkJobFolder(run);
  const isolated = settings.level !== 'process';
  if (isolated && settings.machine.root) await letOthersRead(folder);
  const temporary = isolated ? '/tmp' : join(folder, 'scratch');
  const started = await start(settings.level, {
    ...settings,
    folder,
    binds: [...runtime.binds, ...jobBinds(folder, await hasJointFile(folder))],
    command: [runtime.path, ...interpreterArguments(run.runtime, run.limits), `operator/${run.operatorFile}`, '--config', 'args.json'],
    environment: jobEnvironment(run.runtime, temporary, run.channels ?? 0, run.sockets?.length ?? 0),
    limits: run.limits,
    channels: run.channels ?? 0,
    sockets: run.sockets ?? [],
  });
  try {
    return await supervise(settings, { ...run, folder }, started);
  } finally {
    started.launched.channels.forEach(endWithOperator);
    await started.cleanUp();
  }
}

/** Whatever keeps a job from being set up as the level demands is the machine's, not the job's. */
async function start(level: SandboxLevel, order: StartOrder): Promise<StartedJob> {
  try {
    return await startJob(order);
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    throw new ToolkitError('DT_SANDBOX_UNAVAILABLE', { required: level, missing }, error);
  }
}

async function supervise(settings: RunSettings, run: SandboxRun, started: StartedJob): Promise<SandboxExit> {
  const { launched } = started;
  const { limits } = run;
  let ending: LimitName | 'aborted' | undefined;
  let failure: unknown;
  let killed = false;
  const timers: NodeJS.Timeout[] = [];
  const kill = (): void => {
    if (killed) return;
    killed = true;
    void started.killAll().catch((error: unknown) => {
      failure ??= error;
    });
  };
  const endAtOnce = (why: LimitName | 'aborted'): void => {
    ending ??= why;
    kill();
  };
  const endGently = (why: LimitName | 'aborted'): void => {
    ending ??= why;
    started.terminate();
    timers.push(setTimeout(kill, settings.graceMs));
  };
  const abort = (): void => (run.endsAtOnce?.(run.signal.reason) === true ? endAtOnce : endGently)('aborted');

  const budget = { left: limits.logBytes };
  const lines = { stdout: logLines('stdout'), stderr: logLines('stderr') };
  function logLines(stream: 'stdout' | 'stderr'): LogLines {
    const hand = (text: string): void => {
      try {
        run.onLog(stream, text);
      } catch (error) {
        failure ??= error;
        endAtOnce('aborted');
      }
    };
    return new LogLines(budget, hand, () => endAtOnce('log'));
  }
  launched.onOutput((stream, chunk) => lines[stream].push(chunk));

  const watch = new LimitWatch({
    limits,
    cgroup: started.cgroup,
    procFolder: launched.procFolder,
    rootPid: started.rootPid,
    disk: started.disk,
    onLimit: endAtOnce,
    onBlind: (error) => {
      failure ??= error;
      endAtOnce('aborted');
    },
  });
  const startedAt = performance.now();
  if (run.signal.aborted) {
    for (const channel of launched.channels) channel.destroy();
    endAtOnce('aborted');
  } else {
    run.signal.addEventListener('abort', abort, { once: true });
    timers.push(setTimeout(() => endGently('wall'), limits.wallMs));
    watch.start();
    try {
      if (run.onChannels === undefined) for (const channel of launched.channels) channel.destroy();
      else if (launched.channels.length > 0) run.onChannels(launched.channels);
      launched.go();
    } catch (error) {
      for (const channel of launched.channels) channel.destroy();
      failure ??= error;
      endAtOnce('aborted');
    }
  }
  const end = await launched.closed;
  // What unshare makes of a process 1 that was killed differs between its versions.
  const ended = killed && end.code !== 0 ? { exitCode: null, exitSignal: 'SIGKILL' } : asEnded(end);
  const wallMs = performance.now() - startedAt;
  run.signal.removeEventListener('abort', abort);
  for (const timer of timers) clearTimeout(timer);
  lines.stdout.end();
  lines.stderr.end();
  const peaks = await watch.finish();
  if (failure !== undefined) throw failure;

  let limitHit = ending === 'aborted' ? undefined : (ending ?? limitBehind(ended, peaks, limits));
  if (ending === undefined && launched.outputs !== undefined) {
    const most = { maxBytes: limits.diskBytes, maxEntries: limits.files ?? DEFAULT_FILES };
    if ((await takeOverOutputs(launched.outputs, run.folder, most)) === 'too-much') limitHit ??= 'disk';
  }
  return {
    ...ended,
    limitHit,
    aborted: ending === 'aborted',
    wallMs,
    cpuMs: peaks.cpuMs,
    peakMemoryBytes: peaks.memoryBytes,
    report: { level: settings.level, layers: started.layers, limits },
  };
}

/** A shell and bubblewrap tell of a child that a signal ended as 128 and its number; so an exit code up there reads as a signal. */
function asEnded({ code, signal }: { readonly code: number | null; readonly signal: string | null }): Ended {
  if (code === null || code <= 128) return { exitCode: code, exitSignal: signal };
  const [name] = Object.entries(constants.signals).find(([, number]) => number === code - 128) ?? [];
  return name === undefined ? { exitCode: code, exitSignal: null } : { exitCode: null, exitSignal: name };
}

const crashes: readonly (string | null)[] = ['SIGABRT', 'SIGTRAP', 'SIGSEGV', 'SIGILL', 'SIGBUS', 'SIGKILL'];

/** The limit behind an end that the operator came to by itself, as far as the kernel tells. */
function limitBehind({ exitCode, exitSignal }: Ended, peaks: Peaks, limits: SandboxLimits): LimitName | undefined {
  if (exitCode === 0) return undefined;
  if (peaks.oomKills > 0) return 'memory';
  if (exitSignal === 'SIGXCPU' || (exitSignal === 'SIGKILL' && (peaks.cpuMs ?? 0) >= limits.cpuSeconds * 1000)) return 'cpu';
  if (exitSignal === 'SIGXFSZ' || peaks.diskFull) return 'disk';
  if (peaks.refusedForks > 0) return 'processes';
  return crashes.includes(exitSignal) && (peaks.memoryBytes ?? 0) >= limits.memoryBytes ? 'memory' : undefined;
}
