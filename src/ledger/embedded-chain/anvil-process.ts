import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { AnvilBinary } from './anvil-binary.js';
import { anvilArguments } from './genesis.js';

const START_TIMEOUT_MS = 30_000;
const KEPT_LINES = 20;

export interface AnvilProcess {
  readonly pid: number;
  /** On 127.0.0.1, chosen by the kernel: nobody else knows it, and a leftover of an earlier run has another one. */
  readonly port: number;
  /** Resolves when the program has ended, with what is known about why. */
  readonly ended: Promise<string>;
  /** SIGKILL; the program holds nothing that is not in the journal. Resolves when it is gone. */
  kill(): Promise<string>;
}

/**
 * A guard between us and anvil. Its input is a pipe from us: however we die, the kernel closes the pipe and the guard kills
 * anvil. It writes anvil's pid first, so that we can end anvil even if someone kills the guard.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- &
anvil=$!
echo "pid $anvil"
{ read -r _ <&3; kill -9 "$anvil"; } 2>/dev/null &
guard=$!
exec 3<&-
wait "$anvil"
code=$?
kill -9 "$guard" 2>/dev/null
exit "$code"`;

/** Starts a fresh anvil, with the state of a checkpoint if there is one. @throws DT_CHAIN_ENGINE_FAILED */
export async function startAnvil(binary: AnvilBinary, stateFile: string | undefined): Promise<AnvilProcess> {
  const args = ['-c', GUARD, 'dt-chain-guard', binary.path, ...anvilArguments(stateFile)];
  // Detached: Ctrl-C on the terminal must reach us only, or anvil would be gone before the last checkpoint.
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { PATH: process.env['PATH'] ?? '' } });
  const lines: string[] = [];
  const keep = (line: string) => {
    if (line.trim() === '') return;
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  };
  createInterface({ input: child.stderr }).on('line', keep);
  child.stdin.on('error', () => undefined);

  let anvilPid: number | undefined;
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(`it ended with ${signal ?? code}. ${lines.slice(-5).join(' | ')}`.trim()));
    // The guard went first (someone killed it): anvil must not stay behind. Its pipes keep `close` waiting until it is gone.
    child.on('exit', (_, signal) => {
      if (signal !== null && anvilPid !== undefined) killQuietly(anvilPid);
    });
  });
  const port = await listeningPort(child, ended, keep, (pid) => {
    anvilPid = pid;
  });
  const kill = async () => {
    child.stdin.destroy();
    if (anvilPid !== undefined && child.exitCode === null && child.signalCode === null) killQuietly(anvilPid);
    return ended;
  };
  return { pid: anvilPid ?? 0, port, ended, kill };
}

function listeningPort(
  child: ChildProcess,
  ended: Promise<string>,
  keep: (line: string) => void,
  onPid: (pid: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.stdin?.destroy();
      reject(new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason }));
    };
    const timer = setTimeout(() => fail(`anvil did not listen within ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    ended.then(fail, fail);
    const stdout = child.stdout;
    if (stdout === null) return fail('anvil has no output');
    const reader = createInterface({ input: stdout });
    reader.on('line', (line) => {
      const pid = /^pid (\d+)$/.exec(line);
      if (pid) return onPid(Number(pid[1]));
      const listening = /^Listening on 127\.0\.0\.1:(\d+)/.exec(line);
      if (!listening) return keep(line);
      clearTimeout(timer);
      reader.close();
      // Anvil prints every call. Nobody reads that, and a full pipe would stop it.
      stdout.resume();
      resolve(Number(listening[1]));
    });
  });
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}
