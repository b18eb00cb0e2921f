import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { type Duplex, Readable, type Writable } from 'node:stream';
import { channelStream } from './channel-stream.js';
import { startTime } from './process-table.js';

export interface LaunchOrder {
  readonly argv: readonly string[];
  /** All that the setup stage and the job know; nothing of the daemon's environment is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The started program ends as one process with a single child, process 1 of the job's pid namespace. */
  readonly isolated: boolean;
  /** How many channels the job gets, as FIRST_CHANNEL and on. */
  readonly channels: number;
  /** Descriptors of the daemon that the job gets after its channels. */
  readonly sockets: readonly number[];
  /** Descriptors that the daemon itself inherited and that would pass through it; the job finds /dev/null there. */
  readonly inherited: readonly number[];
  /** Filter for bubblewrap, on the descriptor after the channels. */
  readonly seccomp: Buffer | undefined;
  readonly setupTimeoutMs: number;
}

/** A job that is set up, holds still, and starts on `go`. */
export interface LaunchedJob {
  readonly child: ChildProcess;
  /** Process 1 of the job, or at level `process` the operator itself, in the daemon's numbering. */
  readonly pid: number;
  /** A /proc that shows the processes of the job. */
  readonly procFolder: string;
  /** outputs/ in the scratch space. The open handle keeps that alive after every process and mount of the job is gone. */
  readonly outputs: FileHandle | undefined;
  /** The daemon's ends. `closed` does not wait for them: what the job wrote can be read after its end. */
  readonly channels: readonly Duplex[];
  go(): void;
  /** To process 1 while it lives; SIGKILL to it ends every process of the job. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void;
  /** Resolves when all is over and both streams have been read to their ends. */
  readonly closed: Promise<LaunchEnd>;
  /** Releases the handles. */
  close(): Promise<void>;
}

export interface LaunchEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The setup stage did not come to its end; `message` is what its programs said. */
export class LaunchError extends Error {}

/** 0 leave to start, 1 and 2 the setup stage's, 3 the operator's standard error until it becomes its 2. */
export const FIRST_CHANNEL = 4;

const READY = Buffer.from('ready\n');
const COMPLAINT_BYTES = 4096;

/** @throws LaunchError */
export async function launchJob(order: LaunchOrder): Promise<LaunchedJob> {
  const [command = '', ...args] = order.argv;
  const nothing = await open('/dev/null', 'r+');
  const child = spawn(command, args, {
    cwd: order.cwd,
    env: { ...order.env },
    stdio: descriptors(order, nothing.fd),
    // A session of its own: no terminal of the daemon, and no signal to the daemon's process group reaches it or comes from it.
    detached: true,
  });
  await nothing.close();
  const { stdin, stdout, stderr, complaints } = streamsOf(child);
  const channels = channelsOf(child, order.channels);
  const closed = untilClosed(child, [stdout, stderr, complaints]);
  stdin.on('error', () => undefined); // the child is gone: `closed` tells
  if (order.seccomp !== undefined) sendFilter(child, FIRST_CHANNEL + order.channels + order.sockets.length, order.seccomp);

  try {
    await untilReady(child, stdout, complaints, closed, order.setupTimeoutMs);
    const outer = child.pid ?? 0;
    const pid = order.isolated ? await onlyChild(outer) : outer;
    const started = await startTime(pid);
    const handles = order.isolated ? await openFromOutside(pid) : undefined;
    return {
      child,
      pid,
      procFolder: handles === undefined ? '/proc' : `/proc/self/fd/${handles.proc.fd}`,
      outputs: handles?.outputs,
      channels,
      closed,
      go: () => void stdin.end('go\n'),
      kill: (signal) => {
        // While the outer process has not been reaped, its child's number can only be the child's.
        if (child.exitCode === null && child.signalCode === null) void killExactly(pid, started, signal);
      },
      onOutput: (listener) => {
        stdout.on('data', (chunk: Buffer) => listener('stdout', chunk));
        stderr.on('data', (chunk: Buffer) => listener('stderr', chunk));
        stdout.resume();
      },
      close: async () => {
        await handles?.proc.close();
        await handles?.outputs.close();
      },
    };
  } catch (error) {
    stdin.destroy();
    for (const channel of channels) channel.destroy();
    child.kill('SIGKILL');
    await closed;
    throw error instanceof LaunchError ? error : new LaunchError(error instanceof Error ? error.message : String(error));
  }
}

/** What is not named stays as it is: closed, unless it was inherited. */
function descriptors(order: LaunchOrder, nothing: number): ('pipe' | 'ignore' | number)[] {
  const pipes = (length: number): readonly 'pipe'[] => Array.from({ length }, () => 'pipe' as const);
  const named = [...pipes(FIRST_CHANNEL + order.channels), ...order.sockets, ...pipes(order.seccomp === undefined ? 0 : 1)];
  const length = Math.max(named.length, ...order.inherited.map((descriptor) => descriptor + 1));
  return Array.from({ length }, (_, index) => named[index] ?? (order.inherited.includes(index) ? nothing : 'ignore'));
}

interface JobStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Of the setup stage. */
  readonly complaints: Readable;
}

function streamsOf(child: ChildProcess): JobStreams {
  const { stdin, stdout, stderr: complaints } = child;
  const stderr = child.stdio[3];
  if (stdin === null || stdout === null || complaints === null || !(stderr instanceof Readable)) {
    throw new LaunchError('the streams of the child are missing');
  }
  return { stdin, stdout, stderr, complaints };
}

/** Taken out of `stdio`, whose streams Node reads empty when the child ends, to nobody if nobody listens yet. */
function channelsOf(child: ChildProcess, count: number): readonly Duplex[] {
  return Array.from({ length: count }, (_, index) => {
    const stream = channelStream(child.stdio[FIRST_CHANNEL + index]);
    if (stream === undefined) throw new LaunchError('a channel of the child is missing');
    child.stdio[FIRST_CHANNEL + index] = null;
    return stream;
  });
}

/** Like the event 'close' of the child, which would wait for the channels too. */
function untilClosed(child: ChildProcess, streams: readonly Readable[]): Promise<LaunchEnd> {
  const closed = Promise.all(streams.map((stream) => new Promise((resolve) => void stream.once('close', resolve))));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => void closed.then(() => resolve({ code, signal })));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

function sendFilter(child: ChildProcess, index: number, filter: Buffer): void {
  const stream = child.stdio[index];
  if (stream === null || stream === undefined || !('write' in stream)) throw new LaunchError('no descriptor for the filter');
  stream.on('error', () => undefined); // the child is gone: `closed` tells
  stream.end(filter);
}

/** What comes on standard output before the operator runs is the setup stage's one line and nothing else. */
async function untilReady(
  child: ChildProcess,
  stdout: Readable,
  complaints: Readable,
  closed: Promise<LaunchEnd>,
  timeoutMs: number,
): Promise<void> {
  let said = Buffer.alloc(0);
  let complaint = Buffer.alloc(0);
  const hear = (chunk: Buffer): void => {
    if (complaint.length < COMPLAINT_BYTES) complaint = Buffer.concat([complaint, chunk]);
  };
  const words = (): string => complaint.toString('utf8').trim().slice(0, COMPLAINT_BYTES);
  complaints.on('data', hear);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        said = Buffer.concat([said, chunk]);
        if (said.length < READY.length && READY.subarray(0, said.length).equals(said)) return;
        stdout.off('data', listen);
        if (said.equals(READY)) resolve();
        else reject(new LaunchError(`the setup stage said ${JSON.stringify(said.toString('utf8', 0, 200))}`));
      };
      stdout.on('data', listen);
      child.once('error', (error) => reject(new LaunchError(error.message)));
      void closed.then(({ code, signal }) => reject(new LaunchError(words() || `the setup stage ended with ${signal ?? code}`)));
      // A daemon that stood still hears of the time before it hears what its child said meanwhile; that is heard first.
      const tooLong = (): void => reject(new LaunchError(`the setup stage took longer than ${timeoutMs} ms`));
      timer = setTimeout(() => setImmediate(tooLong), timeoutMs);
    });
  } finally {
    clearTimeout(timer);
    complaints.off('data', hear).resume();
  }
  stdout.pause();
}

async function onlyChild(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = text.trim().split(' ').filter(Boolean).map(Number);
  const [only] = children;
  if (only === undefined || children.length !== 1) throw new LaunchError(`expected one process of the job, found ${children.length}`);
  return only;
}

/** /proc/<pid>/root leads into the mounts of the job while process 1 holds still, so what is opened is what the setup stage made. */
async function openFromOutside(pid: number): Promise<{ readonly proc: FileHandle; readonly outputs: FileHandle }> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const proc = await open(`/proc/${pid}/root/proc`, flags);
  try {
    return { proc, outputs: await open(`/proc/${pid}/root/job/outputs`, flags) };
  } catch (error) {
    await proc.close();
    throw error;
  }
}

async function killExactly(pid: number, started: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  try {
    if ((await startTime(pid)) === started) process.kill(pid, signal);
  } catch {
    // it has ended
  }
}
