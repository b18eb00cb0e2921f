import type { Duplex } from 'node:stream';
import type { JointRecord, LinkTraffic } from '../../documents/receipt/receipt.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import { descriptorOf } from '../../peers/link/data-socket.js';
import type { Channel } from '../../privacy/channel.js';
import type { DaemonDeps } from '../deps.js';
import { ExecutionError, executeJob } from '../pipeline/execute.js';
import { releasable } from '../pipeline/release.js';
import type { ExecutedJob, StagedJob } from '../pipeline/stages.js';
import type { Lease } from '../store/run.js';
import { ChannelPump } from './channel-pump.js';
import { closePaths, type Paths } from './direct-path.js';
import type { JointResult } from './finished-state.js';
import { endOf, LAST_WORDS_MS, recordOf } from './joint-ending.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { ControlMessage } from './joint-wire.js';
import type { Meeting, OwnSide } from './meet.js';
import { openAccount } from './operator-account.js';
import { RunningParty, type Traffic } from './running-party.js';

const OPEN_MS = 30_000;
/** A link on which nothing comes is noticed within this. */
const SILENCE_MS = 20_000;

type ExecutionDeps = Pick<DaemonDeps, 'links' | 'sandbox' | 'store' | 'config' | 'now'>;

export interface JointExecution {
  readonly executed: ExecutedJob;
  readonly record: JointRecord;
}

/**
 * This party's operator in the sandbox with one channel to each peer, from the agreement of all parties to the moment from which each of
 * them may release: every operator has ended well, both ends of every link have counted the same, and the results are safe on every disk.
 *
 * @throws JointFailure with the cause that all parties name; PeerLost when the parties may meet again; the signal's reason
 */
export async function executeJointly(
  deps: ExecutionDeps,
  own: OwnSide,
  meeting: Meeting,
  job: {
    readonly staged: StagedJob;
    readonly paths: Paths;
    readonly lease: Lease;
    readonly signal: AbortSignal;
    /** Makes the result safe from a kill. */
    readonly keep: (result: JointResult) => Promise<void>;
  },
): Promise<JointExecution> {
  const { peers, execution } = meeting;
  const over = new AbortController();
  const signal = AbortSignal.any([job.signal, over.signal]);
  const run = new RunningParty();
  let timer: NodeJS.Timeout | undefined;
  const onEnd = (reason: unknown): void => {
    // What the peers say then follows from this side's operator, which still has to say how it ended.
    if (run.blame === 'own') timer ??= setTimeout(() => over.abort(reason), LAST_WORDS_MS);
    else over.abort(reason);
  };
  const words = peers.map((peer) => peer.expect('done'));
  const finals = words.map((word, i) => followPeer(peers[i] as JointPeer, word, execution, run));
  for (const promise of [...words, ...finals]) promise.catch(onEnd);
  try {
    const executed = await runOperator(deps, own, meeting, { ...job, signal }, run);
    run.exit = executed.exit;
    const sent = await run.traffic();
    await releasable(executed.staged.folder, executed.staged.authorized.terms); // what could not be released later ends it for all of them now
    for (const peer of peers) await peer.send({ kind: 'done', execution, sent: (sent.get(peer.seat.seat) as Traffic).sent });
    await Promise.all(finals);
    const record = recordOf(own, meeting, await run.traffic());
    await job.keep({ record, exit: executed.exit });
    await confirm(peers, execution);
    await Promise.all([...run.pumps.values()].map((pump) => pump.close()));
    return { executed, record };
  } catch (error) {
    if (error instanceof ExecutionError) run.exit = error.exit;
    // Once a peer has begun with it, what this side's operator says follows from that.
    const { reason } = over.signal;
    if (!over.signal.aborted || (reason instanceof PeerEnded && reason.echo)) await run.hearAccount();
    const silenceMs = deps.config.link.graceSeconds * 1000 + SILENCE_MS;
    throw await endOf(error, own, meeting, run, { given: job.signal, over: over.signal, words, silenceMs });
  } finally {
    clearTimeout(timer);
    closePaths(job.paths);
  }
}

/**
 * Waits for all that a peer says it has sent. Whatever else comes ends this side.
 * @throws PeerLost, PeerEnded, DT_JOINT_PROTOCOL, DT_JOINT_TRANSCRIPT
 */
async function followPeer(
  peer: JointPeer,
  word: Promise<Extract<ControlMessage, { kind: 'done' }>>,
  execution: string,
  run: RunningParty,
): Promise<void> {
  const { execution: finished, sent } = await word;
  if (finished !== execution) throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it is done with something else' });
  const pump = run.pumps.get(peer.seat.seat);
  if (pump === undefined && run.account === undefined)
    throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it is done before it began' });
  await pump?.untilReceived(sent.messages);
  const received = pump?.received ?? (await run.receivedDirectly(peer.seat.seat));
  if (received?.messages !== sent.messages || received.bytes !== sent.bytes || received.sha256 !== sent.sha256) {
    const say = ({ messages, bytes, sha256 }: LinkTraffic): string => `${messages} messages, ${bytes} bytes, ${sha256.slice(0, 16)}…`;
    const here = received === undefined ? 'nothing' : say(received);
    throw new ToolkitError('DT_JOINT_TRANSCRIPT', { peer: peer.name, reason: `${say(sent)} against ${here}` });
  }
  pump?.endInput();
}

async function confirm(peers: readonly JointPeer[], execution: string): Promise<void> {
  for (const peer of peers) await peer.send({ kind: 'confirmed', execution });
  for (const peer of peers)
    if ((await peer.expect('confirmed')).execution !== execution)
      throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it confirmed something else' });
}

async function runOperator(
  deps: ExecutionDeps,
  own: OwnSide,
  { peers, execution }: Meeting,
  job: { readonly staged: StagedJob; readonly paths: Paths; readonly lease: Lease; readonly signal: AbortSignal },
  run: RunningParty,
): Promise<ExecutedJob> {
  const { staged, paths, lease, signal } = job;
  const stallMs = Math.min(2 ** 31 - 1, deps.config.sandbox.limits.wallSeconds * 1000 + 60_000);
  const relayed = peers.filter((peer) => !paths.direct.has(peer.seat.seat));
  const links = await Promise.all(
    relayed.map((peer) =>
      deps.links
        .channel(peer.organization, own.session, `data.${execution.slice(0, 32)}`, { timeoutMs: OPEN_MS, stallMs, signal })
        .catch((error: unknown) => {
          const problem = toToolkitError(error);
          throw new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: peer.name, reason: problem.message }, problem));
        }),
    ),
  );
  const onBreak = (who: 'own' | 'peer', reason?: string): void => {
    if (signal.aborted) return; // it follows from that
    run.blame ??= who;
    if (who === 'own') run.reason ??= reason;
  };
  const onChannels = (streams: readonly Duplex[]): void => {
    run.pumps = new Map(
      relayed.map((peer, i) => [peer.seat.seat, new ChannelPump(streams[i] as Duplex, links[i] as Channel, { stallMs, onBreak })]),
    );
    const last = streams[relayed.length];
    if (last !== undefined) run.account = openAccount(last, paths, stallMs);
    // The operator has its own copies from here on; its end must be the end of the connection.
    closePaths(paths);
  };
  try {
    const sockets = [...paths.direct].map(([seat, { socket }]) => descriptorOf(socket, seat));
    const count = relayed.length + (sockets.length > 0 ? 1 : 0);
    return await executeJob(deps, staged, lease, signal, { count, onChannels, sockets });
  } finally {
    if (run.pumps.size === 0) for (const link of links) link.abort('the operator could not be started');
  }
}
