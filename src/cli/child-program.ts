import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { ToolkitError } from '../errors/toolkit-error.js';

export interface ChildProgram {
  /** What it said that it is ready with. */
  readonly ready: RegExpExecArray;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts another `dt` of this installation and waits for what it says on its stdout when it is ready. Everything that it says goes to
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
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < LONGEST) errors += chunk.toString('utf8');
  });
  const said = await new Promise<RegExpExecArray>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (output.length < LONGEST) output += chunk.toString('utf8');
      const match = ready.exec(output);
      if (match !== null) resolve(match);
    });
    child.once('close', (code, signal) => {
      const command = `dt ${args.join(' ')}`;
      reject(new ToolkitError('DT_DEMO_CHILD', { command, code: code ?? signal, reason: causeIn(errors), log: logFile }));
    });
    child.once('error', reject);
  });
  return { ready: said, stop: () => stopProgram(child) };
}

const LONGEST = 10_000;

/** What a command that failed says of it: the line with ✗, otherwise the last one. */
function causeIn(errors: string): string {
  const lines = stripVTControlCharacters(errors)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('✗')) ?? lines.at(-1) ?? 'it said nothing').replace(/^✗ /, '');
}

async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(hard);
}
