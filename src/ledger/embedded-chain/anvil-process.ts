import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { AnvilBinary } from './anvil-binary.js';
import { anvilArguments } from './genesis.js';

const START_TIMEOUT_MS = 30_000;
const KEPT_LINES = 20;
/** Longest path of a socket that every kernel takes. */
const SOCKET_PATH_BYTES = 100;
const PREFIX = 'dt-engine-';
const SOCKET = 'anvil.sock';

export interface AnvilProcess {
  readonly pid: number;
  /** Its socket, in a folder of its own that is closed to others; a leftover of an earlier run has another one. */
  readonly socketPath: string;
  /** Resolves when the program has ended, with what is known about why. */
  readonly ended: Promise<string>;
  /** SIGKILL; the program holds nothing that is not in the journal. Resolves when it is gone. */
  kill(): Promise<string>;
}

/**
 * A guard between us and anvil. Its input is a pipe from us: however we die, the kernel closes the pipe and the guard kills
 * anvil. It writes anvil's pid first, so that we can end anvil even if someone kills the guard. Then the folder of the socket, the first
 * argument, is removed: by either half, since without us the pipe for the shell's own last words is gone, and writing them ends it.
 */
const GUARD = `folder=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
anvil=$!
echo "pid $anvil"
{ read -r _ <&3; kill -9 "$anvil"; rm -rf -- "$folder"; } 2>/dev/null &
guard=$!
exec 3<&-
wait "$anvil"
code=$?
kill -9 "$guard" 2>/dev/null
rm -rf -- "$folder"
exit "$code"`;

/** Starts a fresh anvil, with the state of a checkpoint if there is one. @throws DT_CHAIN_ENGINE_FAILED */
export async function startAnvil(binary: AnvilBinary, stateFile: string | undefined): Promise<AnvilProcess> {
  const folder = await socketFolder();
  const socketPath = join(folder, SOCKET);
  const args = ['-c', GUARD, 'dt-chain-guard', folder, binary.path, ...anvilArguments(stateFile), '--ipc', socketPath];
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
  ended.then(() => rm(folder, { recursive: true, force: true })).catch(() => undefined);
  await untilListening(child, ended, keep, (pid) => {
    anvilPid = pid;
  });
  const kill = async () => {
    child.stdin.destroy();
    if (anvilPid !== undefined && child.exitCode === null && child.signalCode === null) killQuietly(anvilPid);
    return ended;
  };
  return { pid: anvilPid ?? 0, socketPath, ended, kill };
}

/** Closed to others, with a path that is short enough; the guard removes it when anvil has ended. */
async function socketFolder(): Promise<string> {
  const base = Buffer.byteLength(tmpdir()) > SOCKET_PATH_BYTES - `/${PREFIX}123456/${SOCKET}`.length ? '/tmp' : tmpdir();
  return mkdtemp(join(base, PREFIX));
}

/** Its port is not used, but it cannot be kept from opening one; the socket is there before it says so. */
function untilListening(
  child: ChildProcess,
  ended: Promise<string>,
  keep: (line: string) => void,
  onPid: (pid: number) => void,
): Promise<void> {
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
      if (!/^Listening on /.test(line)) return keep(line);
      clearTimeout(timer);
      reader.close();
      // Anvil prints every call. Nobody reads that, and a full pipe would stop it.
      stdout.resume();
      resolve();
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
