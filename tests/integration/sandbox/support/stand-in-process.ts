import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const standIn = fileURLToPath(new URL('./daemon-stand-in.ts', import.meta.url));
const tsx = fileURLToPath(import.meta.resolve('tsx'));

/** daemon-stand-in.ts as a process; `prefix` is a program that starts it, such as setpriv with another user id. */
export function startStandIn(order: unknown, prefix: readonly string[] = []): ChildProcess {
  const [command = '', ...args] = [...prefix, process.execPath, '--import', tsx, standIn, JSON.stringify(order)];
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: '/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp' } });
}

export async function* messagesOf(child: ChildProcess): AsyncGenerator<Record<string, unknown>> {
  if (child.stdout === null) throw new Error('the stand-in has no output');
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Record<string, unknown>;
}

export async function allMessages(order: unknown, prefix: readonly string[] = []): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const message of messagesOf(startStandIn(order, prefix))) found.push(message);
  return found;
}
