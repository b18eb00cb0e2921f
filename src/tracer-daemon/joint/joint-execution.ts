import type { Duplex } from 'node:stream';
import type { JointRecord, LinkTraffic } from '../../documents/receipt/receipt.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import { descriptorOf } from '../../peers/link/data-socket.js';
import type { Channel } from '../../privacy/channel.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { DaemonDeps } from '../deps.js';
import { ExecutionError, executeJob } from '../pipeline/execute.js';
import { releasable } from '../pipeline/release.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import type { ExecutedJob, StagedJob } from '../pipeline/stages.js';
import type { Lease } from '../store/run.js';
import { ChannelPump } from './channel-pump.js';
import { closePaths, type Paths } from './direct-path.js';
import { writeFinished } from './finished-state.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { ControlMessage } from './joint-wire.js';
import type { Meeting, OwnSide } from './meet.js';
import { type OperatorAccount, openAccount, trafficOf } from './operator-account.js';
import { pending } from './pending.js';

/** How long the others' reasons are waited for once this side has failed, to name the one from which all followed. */
const LAST_WORDS_MS = 10_000;
const OPEN_MS = 30_000;

type ExecutionDeps = Pick<DaemonDeps, 'links' | 'sandbox' | 'store' | 'config' | 'now'>;

export interface JointExecution {
  readonly executed: ExecutedJob;
  readonly record: JointRecord;
}

/** A joint computation failed: why, and how far this party's sandbox came. */
export class JointFailure extends Error {
  constructor(
    readonly problem: ToolkitError,
    readonly record: JointRecord,
    readonly exit: SandboxExit | undefined,
  ) {
    super(problem.message);
  }
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
  job: { readonly staged: StagedJob; readonly paths: Paths; readonly lease: Lease; readonly signal: AbortSignal },
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
    await releasable(executed.staged.folder); // what could not be released later ends it for all of them now
    for (const peer of peers) await peer.send({ kind: 'done', execution, sent: (sent.get(peer.seat.seat) as Traffic).sent });
    await Promise.all(finals);
    const record = recordOf(own, meeting, await run.traffic());
    await writeFinished(executed.staged.folder, { record, exit: executed.exit });
    await confirm(peers, execution);
    await Promise.all([...run.pumps.values()].map((pump) => pump.close()));
    return { executed, record };
  } catch (error) {
    if (error instanceof ExecutionError) run.exit = error.exit;
    await run.hearAccount();
    throw await endOf(error, own, meeting, run, { given: job.signal, over: over.signal, words });
  } finally {
    clearTimeout(timer);
    closePaths(job.paths);
  }
}

/** What is known of this side's operator while it runs. */
class RunningParty {
  /** Of the peers that are reached over the daemons, by seat. */
  pumps: ReadonlyMap<string, ChannelPump> = new Map();
  /** Of those that the operator reaches itself. */
  account: OperatorAccount | undefined;
  exit: SandboxExit | undefined;
  /** Whose end of a channel was broken off first. */
  blame: 'own' | 'peer' | undefined;
  /** What the operator said when it gave up by itself. */
  reason: string | undefined;
  private readonly accounted = pending<ReadonlyMap<string, Traffic>>();

  /** What has crossed each link in both directions, once the operator has ended well. */
  async traffic(): Promise<ReadonlyMap<string, Traffic>> {
    await Promise.all([...this.pumps.values()].map((pump) => pump.operatorEnded));
    const direct = this.account === undefined ? {} : await trafficOf(this.account);
    const relayed = [...this.pumps].map(([seat, { sent, received }]) => [seat, { sent, received }] as const);
    const all = new Map<string, Traffic>([...Object.entries(direct), ...relayed]);
    this.accounted.resolve(all);
    return all;
  }

  /** What has come from a peer on a connection of its own, once this side's operator has ended; it waits as long as that takes. */
  async receivedDirectly(seat: string): Promise<LinkTraffic | undefined> {
    return (await this.accounted.promise).get(seat)?.received;
  }

  /** An operator with connections of its own says itself who broke off. */
  async hearAccount(): Promise<void> {
    const account = await this.account?.said;
    if (account?.kind !== 'failure') return;
    this.blame ??= account.echo ? 'peer' : 'own';
    if (!account.echo) this.reason ??= account.reason;
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

/** Tells the peers, hears what they say, and finds the cause. */
async function endOf(
  error: unknown,
  own: OwnSide,
  meeting: Meeting,
  run: RunningParty,
  ends: { readonly given: AbortSignal; readonly over: AbortSignal; readonly words: readonly Promise<unknown>[] },
): Promise<unknown> {
  const cause = causeOf(error, run, ends);
  const isEcho = run.blame !== 'own' && (cause instanceof PeerEnded || (cause instanceof ExecutionError && run.blame === 'peer'));
  const reason = sharedReason(cause, run);
  for (const pump of run.pumps.values()) pump.abort(reason.message);
  if (cause instanceof PeerLost || (cause instanceof RunAborted && ['stop', 'lost'].includes(cause.abort.kind))) return cause;
  await tell(meeting, { ...reason, echo: isEcho });
  if (cause instanceof RunAborted) return cause;
  const words = isEcho ? await lastWords(meeting, ends.words) : [];
  const root = words.find((word) => !word.echo) ?? words[0] ?? cause;
  const problem = root instanceof PeerEnded || root instanceof ExecutionError ? root.problem : toToolkitError(root);
  return new JointFailure(problem, recordOf(own, meeting, new Map()), run.exit);
}

function causeOf(error: unknown, run: RunningParty, { given, over }: { readonly given: AbortSignal; readonly over: AbortSignal }): unknown {
  if (given.aborted) return given.reason;
  // What a peer said or did stopped the operator: then that is the cause, and not how the operator ended.
  if (run.blame !== 'own') return over.aborted ? over.reason : error;
  if (error instanceof ExecutionError) return error;
  return new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: 'a channel that it broke off', log: run.reason ?? '(it said nothing)' });
}

/** What peers may know of a failure here: never the operator's log. */
function sharedReason(error: unknown, run: RunningParty): { readonly code: string; readonly message: string } {
  if (error instanceof ExecutionError) {
    const { code, details } = error.problem;
    if (code !== 'DT_JOB_OPERATOR_FAILED') return { code, message: error.problem.message };
    return { code, message: run.reason ?? `its operator ended with ${String(details['exit'])}` };
  }
  if (error instanceof RunAborted)
    return error.abort.kind === 'revoked'
      ? { code: 'DT_JOB_REVOKED', message: 'a grant was revoked' }
      : { code: 'DT_JOB_CANCELED', message: `it was canceled by ${error.abort.by ?? 'its owner'}` };
  const { code, message } = error instanceof PeerEnded || error instanceof PeerLost ? error.problem : toToolkitError(error);
  // What failed inside may name folders of this machine.
  return code === 'DT_BUG_UNEXPECTED' ? { code, message: 'its daemon failed' } : { code, message };
}

async function tell(meeting: Meeting, word: { readonly code: string; readonly message: string; readonly echo: boolean }): Promise<void> {
  await Promise.allSettled(meeting.peers.map((peer) => peer.send({ kind: 'ended', ...word })));
}

/** What the others say of their own ends, until one says that it began with it. */
async function lastWords(meeting: Meeting, words: readonly Promise<unknown>[]): Promise<readonly PeerEnded[]> {
  const heard: PeerEnded[] = [];
  let enough: () => void = () => undefined;
  const bound = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const timer = setTimeout(enough, LAST_WORDS_MS);
  const listen = async (peer: JointPeer, done: Promise<unknown> | undefined): Promise<void> => {
    try {
      await done;
      for (;;) await peer.expect('confirmed');
    } catch (error) {
      if (!(error instanceof PeerEnded)) return;
      heard.push(error);
      if (!error.echo) enough();
    }
  };
  await Promise.race([Promise.all(meeting.peers.map((peer, i) => listen(peer, words[i]))), bound]);
  clearTimeout(timer);
  return heard;
}

export function recordOf(own: OwnSide, meeting: Meeting, traffic: ReadonlyMap<string, Traffic>): JointRecord {
  return {
    seat: own.seat.seat,
    execution: meeting.execution,
    peers: meeting.peers.map((peer) => ({
      seat: peer.seat.seat,
      organization: peer.organization,
      decisions: peer.decisions.map(({ token, decision, signature }) => ({ token, decision, signature })),
      ...traffic.get(peer.seat.seat),
    })),
  };
}

interface Traffic {
  readonly sent: LinkTraffic;
  readonly received: LinkTraffic;
}
