import { createSandbox } from '../../../../src/sandbox/create-sandbox.js';
import { probeSandbox } from '../../../../src/sandbox/probe-sandbox.js';
import type { SandboxLevel, SandboxRun } from '../../../../src/sandbox/sandbox.js';

/**
 * A process of its own with a sandbox, as a daemon is one: it can be killed, started under another id, or inside of a container.
 * One JSON argument: { level, probe?: true, run?: SandboxRun without signal and onLog }. Prints one JSON object a line.
 */
interface Order {
  readonly level: 'strongest' | SandboxLevel;
  readonly probeOnly?: boolean;
  readonly toolFolders?: readonly string[];
  readonly run?: Omit<SandboxRun, 'signal' | 'onLog' | 'onChannels'>;
}

const say = (message: unknown): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
const order = JSON.parse(process.argv[2] ?? '{}') as Order;

const probe = await probeSandbox(order.toolFolders === undefined ? {} : { toolFolders: order.toolFolders });
if (order.probeOnly) say({ levels: probe.levels, strongest: probe.strongest ?? null, root: probe.machine.root });
else {
  try {
    const sandbox = await createSandbox({ level: order.level, probe, graceMs: 500 });
    say({ level: sandbox.level, layers: sandbox.layers });
    if (order.run !== undefined) {
      const onLog = (stream: string, text: string): void => say({ stream, text });
      say({ exit: await sandbox.run({ ...order.run, signal: new AbortController().signal, onLog }) });
    }
  } catch (error) {
    say({ error });
  }
}
