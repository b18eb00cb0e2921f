import { ToolkitError } from '../errors/toolkit-error.js';
import { probeSandbox, type SandboxProbe } from './probe-sandbox.js';
import { type RunSettings, runJob } from './run-job.js';
import type { RuntimePaths } from './runtimes.js';
import type { Sandbox, SandboxExit, SandboxLevel, SandboxRun } from './sandbox.js';

export interface SandboxOptions {
  /** `strongest`: the strongest isolating level that this machine gives. `process`, which isolates nothing, is only had by its name. */
  readonly level: 'strongest' | SandboxLevel;
  /** From `probeSandbox`, to show it and to use it; made anew when absent. Interpreters are then those of the probe. */
  readonly probe?: SandboxProbe;
  readonly runtimes?: RuntimePaths;
  /** Between SIGTERM and SIGKILL on abort, wall-clock limit and stop; default 500. */
  readonly graceMs?: number;
}

const GRACE_MS = 500;

/**
 * A sandbox of exactly the level asked for, on this machine. Every run checks its layers anew and is refused where one is gone.
 * @throws DT_SANDBOX_UNAVAILABLE naming the missing layers
 */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const probe = options.probe ?? (await probeSandbox(options.runtimes === undefined ? {} : { runtimes: options.runtimes }));
  const level = options.level === 'strongest' ? probe.strongest : options.level;
  if (level === undefined || !probe.levels[level].available) {
    const asked = level ?? 'namespaces';
    const missing = probe.levels[asked].missing.map(({ layer, reason }) => `${layer} (${reason})`).join('; ');
    throw new ToolkitError('DT_SANDBOX_UNAVAILABLE', { required: asked, missing });
  }
  const settings: RunSettings = {
    level,
    machine: probe.machine,
    countsTasks: probe.countsTasks,
    graceMs: options.graceMs ?? GRACE_MS,
  };
  return new MachineSandbox(settings, probe);
}

class MachineSandbox implements Sandbox {
  readonly level: SandboxLevel;
  readonly layers: readonly string[];
  readonly #stopping = new AbortController();
  readonly #runs = new Set<Promise<unknown>>();

  constructor(
    private readonly settings: RunSettings,
    private readonly probe: SandboxProbe,
  ) {
    this.level = settings.level;
    this.layers = probe.levels[settings.level].layers;
  }

  async run(run: SandboxRun): Promise<SandboxExit> {
    if (this.#stopping.signal.aborted) {
      throw new ToolkitError('DT_SANDBOX_UNAVAILABLE', { required: this.level, missing: 'the daemon is stopping' });
    }
    const { installed, reason } = this.probe.runtimes[run.runtime];
    if (installed === undefined) throw new ToolkitError('DT_SANDBOX_RUNTIME', { runtime: run.runtime, reason });
    const signal = AbortSignal.any([run.signal, this.#stopping.signal]);
    const running = runJob(this.settings, installed, { ...run, signal });
    const settled = running.catch(() => undefined);
    this.#runs.add(settled);
    void settled.then(() => this.#runs.delete(settled));
    return running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#runs);
  }
}
