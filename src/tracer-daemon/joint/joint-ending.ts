import type { JointRecord } from '../../documents/receipt/receipt.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import { ExecutionError } from '../pipeline/execute.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { Meeting, OwnSide } from './meet.js';
import type { RunningParty, Traffic } from './running-party.js';

/** How long the others' reasons are waited for once this side has failed, to name the one from which all followed. */
export const LAST_WORDS_MS = 10_000;

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

/** Tells the peers, hears what they say, and finds the cause. */
export async function endOf(
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
  // Nobody began with it: a connection between operators broke while the daemons are well. They may try again.
  if (isEcho && words.length === meeting.peers.length && words.every((word) => word.echo) && run.lostPeer !== undefined)
    return new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: 'A peer', reason: run.lostPeer }));
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

/** What the receipt tells of this party's part. */
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
