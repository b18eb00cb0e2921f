import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { ToolkitError } from '../errors/toolkit-error.js';

export interface ChildProgram {
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts another `dt` of this installation and waits for the line on its stdout that says that it is ready. Everything that it says goes to
 * `logFile`. @throws DT_DEMO_CHILD when it ends before that
 */
export async function startProgram(
  script: string,
  args: readonly string[],
  ready: RegExp,
  logFile: string,
  env: NodeJS.ProcessEnv,
): Promise<ChildProgram> {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stderr.pipe(log, { end: false });
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (output.length < 10_000) output += chunk.toString('utf8');
      if (ready.test(output)) resolve();
    });
    child.once('exit', (code) => reject(new ToolkitError('DT_DEMO_CHILD', { command: `dt ${args.join(' ')}`, code, log: logFile })));
    child.once('error', reject);
  });
  return { stop: () => stopProgram(child) };
}

async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(hard);
}
