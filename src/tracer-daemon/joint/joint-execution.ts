import type { Duplex } from 'node:stream';
import type { JointRecord } from '../../documents/receipt/receipt.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { DaemonDeps } from '../deps.js';
import { ExecutionError, executeJob } from '../pipeline/execute.js';
import { releasable } from '../pipeline/release.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import type { ExecutedJob, StagedJob } from '../pipeline/stages.js';
import type { Lease } from '../store/run.js';
import { ChannelPump } from './channel-pump.js';
import { writeFinished } from './finished-state.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { Meeting, OwnSide } from './meet.js';

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
  job: { readonly staged: StagedJob; readonly lease: Lease; readonly signal: AbortSignal },
): Promise<JointExecution> {
  const { peers, execution } = meeting;
  const over = new AbortController();
  const signal = AbortSignal.any([job.signal, over.signal]);
  const run: RunningParty = { pumps: [], exit: undefined, blame: undefined };
  let timer: NodeJS.Timeout | undefined;
  const onEnd = (reason: unknown): void => {
    // What the peers say then follows from this side's operator, which still has to say how it ended.
    if (run.blame === 'own') timer ??= setTimeout(() => over.abort(reason), LAST_WORDS_MS);
    else over.abort(reason);
  };
  const finalWords = peers.map((peer, i) => followPeer(peer, i, execution, run, onEnd));
  for (const word of finalWords) word.catch(() => undefined);
  try {
    const executed = await runOperator(deps, own, meeting, { ...job, signal }, run);
    run.exit = executed.exit;
    await Promise.all(run.pumps.map((pump) => pump.operatorEnded));
    await releasable(executed.staged.folder); // what could not be released later ends it for all of them now
    for (const [i, peer] of peers.entries()) await peer.send({ kind: 'done', execution, sent: (run.pumps[i] as ChannelPump).sent });
    await Promise.all(finalWords);
    const record = recordOf(own, meeting, run.pumps);
    await writeFinished(executed.staged.folder, { record, exit: executed.exit });
    await confirm(peers, execution);
    await Promise.all(run.pumps.map((pump) => pump.close()));
    return { executed, record };
  } catch (error) {
    throw await endOf(error, own, meeting, run, { given: job.signal, over: over.signal, finalWords });
  } finally {
    clearTimeout(timer);
  }
}

interface RunningParty {
  pumps: readonly ChannelPump[];
  exit: SandboxExit | undefined;
  /** Whose end of a channel was broken off first. */
  blame: 'own' | 'peer' | undefined;
}

/**
 * Waits for a peer's word that its operator has ended well, and for all that it says it has sent. Whatever else comes ends this side.
 * @throws PeerLost, PeerEnded, DT_JOINT_PROTOCOL, DT_JOINT_TRANSCRIPT
 */
async function followPeer(
  peer: JointPeer,
  index: number,
  execution: string,
  run: RunningParty,
  onEnd: (reason: unknown) => void,
): Promise<void> {
  try {
    const done = await peer.expect('done');
    if (done.execution !== execution)
      throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it is done with something else' });
    const pump = run.pumps[index];
    if (pump === undefined) throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it is done before it began' });
    await pump.untilReceived(done.sent.messages);
    const { received } = pump;
    if (received.messages !== done.sent.messages || received.bytes !== done.sent.bytes || received.sha256 !== done.sent.sha256) {
      const say = ({ messages, bytes, sha256 }: typeof received): string => `${messages} messages, ${bytes} bytes, ${sha256.slice(0, 16)}…`;
      throw new ToolkitError('DT_JOINT_TRANSCRIPT', { peer: peer.name, reason: `${say(done.sent)} against ${say(received)}` });
    }
    pump.endInput();
  } catch (error) {
    onEnd(error);
    throw error;
  }
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
  { staged, lease, signal }: { readonly staged: StagedJob; readonly lease: Lease; readonly signal: AbortSignal },
  run: RunningParty,
): Promise<ExecutedJob> {
  const stallMs = Math.min(2 ** 31 - 1, deps.config.sandbox.limits.wallSeconds * 1000 + 60_000);
  const links = await Promise.all(
    peers.map((peer) =>
      deps.links
        .channel(peer.organization, own.session, `data.${execution.slice(0, 32)}`, { timeoutMs: OPEN_MS, stallMs, signal })
        .catch((error: unknown) => {
          const problem = toToolkitError(error);
          throw new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: peer.name, reason: problem.message }, problem));
        }),
    ),
  );
  try {
    return await executeJob(deps, staged, lease, signal, {
      count: peers.length,
      onChannels: (streams: readonly Duplex[]) => {
        run.pumps = streams.map(
          (stream, i) =>
            new ChannelPump(stream, links[i] as (typeof links)[number], {
              stallMs,
              onBreak: (who) => {
                run.blame ??= who;
              },
            }),
        );
      },
    });
  } finally {
    if (run.pumps.length === 0) for (const link of links) link.abort('the operator could not be started');
  }
}

/** Tells the peers, hears what they say, and finds the cause. */
async function endOf(
  error: unknown,
  own: OwnSide,
  meeting: Meeting,
  run: RunningParty,
  ends: { readonly given: AbortSignal; readonly over: AbortSignal; readonly finalWords: readonly Promise<void>[] },
): Promise<unknown> {
  if (error instanceof ExecutionError) run.exit = error.exit;
  const cause = causeOf(error, run, ends);
  const isEcho = run.blame !== 'own' && (cause instanceof PeerEnded || (cause instanceof ExecutionError && run.blame === 'peer'));
  const reason = sharedReason(cause, run);
  for (const pump of run.pumps) pump.abort(reason.message);
  if (cause instanceof PeerLost || (cause instanceof RunAborted && ['stop', 'lost'].includes(cause.abort.kind))) return cause;
  await tell(meeting, { ...reason, echo: isEcho });
  if (cause instanceof RunAborted) return cause;
  const words = isEcho ? await lastWords(meeting, ends.finalWords) : [];
  const root = words.find((word) => !word.echo) ?? words[0] ?? cause;
  const problem = root instanceof PeerEnded || root instanceof ExecutionError ? root.problem : toToolkitError(root);
  return new JointFailure(problem, recordOf(own, meeting, []), run.exit);
}

function causeOf(error: unknown, run: RunningParty, { given, over }: { readonly given: AbortSignal; readonly over: AbortSignal }): unknown {
  if (given.aborted) return given.reason;
  // What a peer said or did stopped the operator: then that is the cause, and not how the operator ended.
  if (run.blame !== 'own') return over.aborted ? over.reason : error;
  if (error instanceof ExecutionError) return error;
  const said = run.pumps.find((pump) => pump.operatorReason !== undefined)?.operatorReason;
  return new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: 'a channel that it broke off', log: said ?? '(it said nothing)' });
}

/** What peers may know of a failure here: never the operator's log. */
function sharedReason(error: unknown, run: RunningParty): { readonly code: string; readonly message: string } {
  if (error instanceof ExecutionError) {
    const said = run.pumps.find((pump) => pump.operatorReason !== undefined)?.operatorReason;
    const { code, details } = error.problem;
    if (code !== 'DT_JOB_OPERATOR_FAILED') return { code, message: error.problem.message };
    return { code, message: said ?? `its operator ended with ${String(details['exit'])}` };
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
async function lastWords(meeting: Meeting, finalWords: readonly Promise<void>[]): Promise<readonly PeerEnded[]> {
  const heard: PeerEnded[] = [];
  let enough: () => void = () => undefined;
  const bound = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const timer = setTimeout(enough, LAST_WORDS_MS);
  const listen = async (peer: JointPeer, done: Promise<void> | undefined): Promise<void> => {
    try {
      await done;
      for (;;) await peer.expect('confirmed');
    } catch (error) {
      if (!(error instanceof PeerEnded)) return;
      heard.push(error);
      if (!error.echo) enough();
    }
  };
  await Promise.race([Promise.all(meeting.peers.map((peer, i) => listen(peer, finalWords[i]))), bound]);
  clearTimeout(timer);
  return heard;
}

export function recordOf(own: OwnSide, meeting: Meeting, pumps: readonly ChannelPump[]): JointRecord {
  return {
    seat: own.seat.seat,
    execution: meeting.execution,
    peers: meeting.peers.map((peer, i) => {
      const pump = pumps[i];
      return {
        seat: peer.seat.seat,
        organization: peer.organization,
        decisions: peer.decisions.map(({ token, decision, signature }) => ({ token, decision, signature })),
        ...(pump && { sent: pump.sent, received: pump.received }),
      };
    }),
  };
}
