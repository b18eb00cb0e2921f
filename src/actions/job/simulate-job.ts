import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Duplex } from 'node:stream';
import type { JsonObject } from '../../documents/canonical.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { relayStreams, type Traffic } from '../../operator-kit/relay-streams.js';
import { type LogListener, type SeatEnd, type SeatProcess, stageSeat, startSeat } from './simulated-process.js';
import { type SimulatedInput, type SimulatedSeat, simulatedSeats } from './simulated-seats.js';

export interface SimulateJobParameters {
  /** Bytes of the operator's one file. */
  readonly operator: Uint8Array;
  /** The arguments of every seat; `party_id` is set here. */
  readonly args: JsonObject;
  readonly inputs: readonly SimulatedInput[];
  /** Gets a folder for each seat, `seat-0` and so on, when all of them came to their end. */
  readonly outputs?: string;
  readonly onLog: LogListener;
  /** Ends all processes. */
  readonly signal: AbortSignal;
}

export interface SimulatedTraffic {
  readonly to: string;
  readonly messages: number;
  readonly bytes: number;
  /** SHA-256 over the messages. */
  readonly sha256: string;
  /** Whether the peer's side got exactly these. */
  readonly arrived: boolean;
}

export interface SimulatedShare {
  readonly seat: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly wallMs: number;
  readonly peakMemoryBytes?: number;
  readonly sent: readonly SimulatedTraffic[];
  readonly outputs: readonly { readonly name: string; readonly sizeBytes: number; readonly file?: string }[];
  /** Why it failed, as it said itself. */
  readonly cause?: { readonly code?: string; readonly message: string };
}

export interface Simulation {
  readonly session: string;
  readonly seats: readonly SimulatedShare[];
  /** Of the seat that failed by itself, not because another one did. */
  readonly error?: ToolkitError;
}

const KILL_AFTER_MS = 5_000;

/**
 * Runs a joint operator on this machine, one process for each seat: the same files, the same channels and the same package as in the
 * sandboxes of the daemons, but without sandbox, chain and constraints. For authors, on data of their own.
 * @throws DT_INPUT_INVALID, DT_INPUT_MISSING, DT_INPUT_FILE before anything is started
 */
export async function simulateJob(parameters: SimulateJobParameters): Promise<Simulation> {
  const { operator, args, inputs, signal } = parameters;
  const seats = simulatedSeats(operator, args, inputs);
  const root = await mkdtemp(join(tmpdir(), 'dt-simulate-'));
  const folderOf = (seat: string): string => join(root, `seat-${seat}`);
  try {
    // All of them, so that nothing is written any more when the folder is removed.
    const staged = await Promise.allSettled(seats.map((seat) => stageSeat(folderOf(seat.joint.seat), operator, seat)));
    for (const each of staged) if (each.status === 'rejected') throw each.reason;
    const processes = seats.map((seat) => startSeat(folderOf(seat.joint.seat), seat, parameters.onLog));
    const relays = connectAll(processes, seats);
    const release = killOnAbort(processes, signal);
    const order: string[] = [];
    const ends = await Promise.all(
      processes.map(async ({ seat, ended }) => {
        const end = await ended;
        order.push(seat);
        return end;
      }),
    ).finally(release);
    const succeeded = ends.every(({ exitCode }) => exitCode === 0);
    const shares = await Promise.all(
      seats.map(async ({ joint }, i): Promise<SimulatedShare> => {
        const { exitCode, exitSignal, wallMs, peakMemoryBytes, complaint } = ends[i] as SeatEnd;
        const cause = exitCode === 0 ? undefined : causeOf(complaint);
        const target = succeeded && parameters.outputs !== undefined ? join(parameters.outputs, `seat-${joint.seat}`) : undefined;
        return {
          seat: joint.seat,
          name: joint.seats.find(({ seat }) => seat === joint.seat)?.name ?? '',
          inputs: Object.keys(joint.inputs),
          ...{ exitCode, exitSignal, wallMs: Math.round(wallMs) },
          ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
          sent: joint.peers.map((peer) => trafficOf(relays, joint.seat, peer)),
          outputs: await takeOutputs(join(folderOf(joint.seat), 'outputs'), target),
          ...(cause && { cause }),
        };
      }),
    );
    const error = failureOf(shares, order);
    return { session: seats[0]?.joint.session ?? '', seats: shares, ...(error && { error }) };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** By `<from>-<to>`. */
type Relays = ReadonlyMap<string, Traffic>;

function connectAll(processes: readonly SeatProcess[], seats: readonly SimulatedSeat[]): Relays {
  const relays = new Map<string, Traffic>();
  const ends = seats.flatMap(({ joint }, i) =>
    joint.peers.map((peer, k) => ({ from: joint.seat, to: peer, stream: processes[i]?.channels[k] as Duplex })),
  );
  for (const { from, to, stream } of ends) {
    const other = ends.find((end) => end.from === to && end.to === from);
    if (other === undefined || relays.has(`${from}-${to}`)) continue;
    const [there, back] = relayStreams(stream, other.stream);
    relays.set(`${from}-${to}`, there).set(`${to}-${from}`, back);
  }
  return relays;
}

function trafficOf(relays: Relays, from: string, to: string): SimulatedTraffic {
  const totals = relays.get(`${from}-${to}`)?.();
  if (totals === undefined) throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: `seats ${from} and ${to} were not joined` });
  return { to, ...totals.sent, arrived: totals.sent.sha256 === totals.arrived.sha256 };
}

function killOnAbort(processes: readonly SeatProcess[], signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    for (const process of processes) process.kill('SIGTERM');
    timer = setTimeout(() => {
      for (const process of processes) process.kill('SIGKILL');
    }, KILL_AFTER_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  };
}

/** Plain files only, as the daemon releases them. */
async function takeOutputs(folder: string, target: string | undefined): Promise<SimulatedShare['outputs']> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return Promise.all(
    paths.sort().map(async (path) => {
      const name = relative(folder, path);
      const { size } = await stat(path);
      if (target === undefined) return { name, sizeBytes: size };
      await cp(path, join(target, name));
      return { name, sizeBytes: size, file: join(target, name) };
    }),
  );
}

/** What the kit writes to stderr when it gives up, or the last that was said. */
function causeOf(complaint: readonly string[]): { readonly code?: string; readonly message: string } {
  for (const line of [...complaint].reverse()) {
    const [, code, message] = /^(DT_[A-Z0-9_]+): (.*)$/.exec(line) ?? [];
    if (code !== undefined && message !== undefined) return { code, message };
  }
  const thrown = complaint.find((line) => /^\w*Error\b/.test(line));
  return { message: thrown ?? complaint.at(-1) ?? 'it said nothing on stderr' };
}

const followUps = ['DT_PEER_ABORTED', 'DT_PEER_GONE', 'DT_PEER_STALLED'];

/** Of several that failed, the one that failed first by itself. */
function failureOf(shares: readonly SimulatedShare[], order: readonly string[]): ToolkitError | undefined {
  const inOrder = order.flatMap((seat) => shares.filter((share) => share.seat === seat && share.exitCode !== 0));
  const first = inOrder.find(({ cause }) => !followUps.includes(cause?.code ?? '')) ?? inOrder[0];
  if (first === undefined) return undefined;
  const exit = first.exitSignal === null ? `exit code ${first.exitCode}` : `signal ${first.exitSignal}`;
  return new ToolkitError('DT_JOB_SIMULATION_FAILED', { seat: first.seat, exit, reason: first.cause?.message });
}
