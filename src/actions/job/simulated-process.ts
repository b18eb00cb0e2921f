import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Duplex, Readable } from 'node:stream';
import { operatorFileNames } from '../../documents/operator/operator.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { stagePrivacyPackage } from '../../operator-kit/stage-privacy-package.js';
import type { SimulatedSeat } from './simulated-seats.js';

export type LogListener = (seat: string, stream: 'stdout' | 'stderr', line: string) => void;

export interface SeatEnd {
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly wallMs: number;
  /** Unknown of a process that a signal ended. */
  readonly peakMemoryBytes: number | undefined;
  /** Last lines of stderr. */
  readonly complaint: readonly string[];
}

export interface SeatProcess {
  readonly seat: string;
  /** To each peer, in the order of `peers`. */
  readonly channels: readonly Duplex[];
  readonly ended: Promise<SeatEnd>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** 0 to 2 as everywhere, 3 for the peak of memory. */
const FIRST_CHANNEL = 4;
const COMPLAINT_LINES = 20;
// Node tells the peak of its own process only.
const PEAK = "import{writeSync}from'node:fs';process.on('exit',()=>{try{writeSync(3,String(process.resourceUsage().maxRSS))}catch{}});";

/** The job folder as a daemon makes it, but with links to the data in place of copies. @throws DT_INPUT_FILE */
export async function stageSeat(folder: string, operator: Uint8Array, { joint, args, files }: SimulatedSeat): Promise<void> {
  for (const part of ['inputs', 'operator', 'outputs', 'scratch']) await mkdir(join(folder, part), { recursive: true });
  for (const [target, source] of files) {
    const found = await stat(source).catch(() => undefined);
    if (!found?.isFile())
      throw new ToolkitError('DT_INPUT_FILE', { path: source, reason: found ? 'it is no file' : 'there is no such file' });
    await symlink(resolve(source), join(folder, target));
  }
  await writeFile(join(folder, 'operator', operatorFileNames.node), operator);
  await stagePrivacyPackage(join(folder, 'operator'));
  await writeFile(join(folder, 'args.json'), JSON.stringify(args));
  await writeFile(join(folder, 'joint.json'), JSON.stringify(joint));
}

export function startSeat(folder: string, { joint }: SimulatedSeat, onLog: LogListener): SeatProcess {
  const { seat, peers } = joint;
  const temporary = join(folder, 'scratch');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(PEAK)}`, `operator/${operatorFileNames.node}`, '--config', 'args.json'],
    {
      cwd: folder,
      // What the sandbox gives, so that nothing works here that will not there.
      env: {
        HOME: temporary,
        TMPDIR: temporary,
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        DT_CHANNELS: peers.map((_, i) => FIRST_CHANNEL + i).join(','),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...peers.map(() => 'pipe' as const)],
    },
  );
  const complaint: string[] = [];
  let peak = '';
  const heard = [
    hear(child.stdio[1], (line) => onLog(seat, 'stdout', line)),
    hear(child.stdio[2], (line) => {
      complaint.push(line);
      if (complaint.length > COMPLAINT_LINES) complaint.shift();
      onLog(seat, 'stderr', line);
    }),
    hear(child.stdio[3], (line) => {
      peak = line;
    }),
  ];
  const channels = peers.map((_, i) => channelOf(child, FIRST_CHANNEL + i));
  // Not `close`: the channels stay open until their other ends have been served.
  const exited = new Promise<Pick<SeatEnd, 'exitCode' | 'exitSignal' | 'wallMs'>>((resolveExit, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, exitSignal) => resolveExit({ exitCode, exitSignal, wallMs: performance.now() - started }));
  });
  const ended = Promise.all([exited, ...heard]).then(([exit]) => ({
    ...exit,
    peakMemoryBytes: /^\d+$/.test(peak) ? Number(peak) * 1024 : undefined,
    complaint,
  }));
  return { seat, channels, ended, kill: (signal) => void child.kill(signal) };
}

function channelOf(child: ChildProcess, descriptor: number): Duplex {
  const stream = child.stdio[descriptor];
  if (stream instanceof Duplex) return stream;
  throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: `descriptor ${descriptor} of the operator is no socket` });
}

/** Resolves when the stream has ended. */
function hear(stream: unknown, onLine: (line: string) => void): Promise<void> {
  if (!(stream instanceof Readable)) return Promise.resolve();
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
  return new Promise((resolveEnd) => lines.once('close', resolveEnd));
}
