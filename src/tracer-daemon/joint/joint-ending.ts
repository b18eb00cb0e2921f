import { setTimeout as sleep } from 'node:timers/promises';
import type { JointRecord } from '../../documents/receipt/receipt.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import { ExecutionError } from '../pipeline/execute.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import { abortWord } from './end-word.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { Meeting, OwnSide } from './meet.js';
import type { RunningParty, Traffic } from './running-party.js';

/** How long an operator that broke off may take to end by itself, to say why. */
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

export interface Ends {
  /** The run's own: canceled, revoked, stopped. */
  readonly given: AbortSignal;
  /** What a peer said or did. */
  readonly over: AbortSignal;
  /** The word of each peer that it is done, or what came in its place. */
  readonly words: readonly Promise<unknown>[];
  /** After which a link that says nothing has been given up. */
  readonly silenceMs: number;
}

/** Tells the peers, hears what they say, and finds the cause. */
export async function endOf(error: unknown, own: OwnSide, meeting: Meeting, run: RunningParty, ends: Ends): Promise<unknown> {
  const cause = causeOf(error, run, ends);
  const isEcho = run.blame !== 'own' && (cause instanceof PeerEnded || (cause instanceof ExecutionError && run.blame === 'peer'));
  const reason = sharedReason(cause, run);
  for (const pump of run.pumps.values()) pump.abort(reason.message);
  if (cause instanceof PeerLost || (cause instanceof RunAborted && ['stop', 'lost'].includes(cause.abort.kind))) return cause;
  await tell(meeting, { ...reason, echo: isEcho });
  if (cause instanceof RunAborted) return cause;
  const root = isEcho && !(cause instanceof PeerEnded && !cause.echo) ? await rootOf(meeting, run, ends) : cause;
  if (root instanceof RunAborted) await tell(meeting, { ...sharedReason(root, run), echo: false });
  if (root instanceof PeerLost || root instanceof RunAborted) return root;
  const problem = root instanceof PeerEnded || root instanceof ExecutionError ? root.problem : toToolkitError(root);
  return new JointFailure(problem, recordOf(own, meeting, new Map()), run.exit);
}

function causeOf(error: unknown, run: RunningParty, { given, over }: Ends): unknown {
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
  if (error instanceof RunAborted) return abortWord(error);
  const { code, message } = error instanceof PeerEnded || error instanceof PeerLost ? error.problem : toToolkitError(error);
  // What failed inside may name folders of this machine.
  return code === 'DT_BUG_UNEXPECTED' ? { code, message: 'its daemon failed' } : { code, message };
}

async function tell(meeting: Meeting, word: { readonly code: string; readonly message: string; readonly echo: boolean }): Promise<void> {
  await Promise.allSettled(meeting.peers.map((peer) => peer.send({ kind: 'ended', ...word })));
}

/**
 * What this side's end followed from: that of the peer which says that it began with it. Where none does, one was lost: its daemon is
 * gone, or a connection between the operators broke while all daemons are well. They may meet again.
 */
async function rootOf(meeting: Meeting, run: RunningParty, { words, given, silenceMs }: Ends): Promise<unknown> {
  const hearing = new AbortController();
  const { signal } = hearing;
  const lost: PeerLost[] = [];
  const listen = async (peer: JointPeer, done: Promise<unknown> | undefined): Promise<unknown> => {
    try {
      await done;
      for (;;) await peer.expect('confirmed');
    } catch (error) {
      if (error instanceof PeerLost) lost.push(error);
      else if (!(error instanceof PeerEnded && error.echo)) return error;
      return undefined;
    }
  };
  const heard = meeting.peers.map((peer, i) => listen(peer, words[i]));
  const first = new Promise<unknown>((resolve) => {
    for (const word of heard) void word.then((root) => root !== undefined && resolve(root));
    void Promise.all(heard).then(() => resolve(undefined));
    given.addEventListener('abort', () => resolve(given.reason), { once: true, signal });
  });
  const root = await Promise.race([first, sleep(silenceMs, undefined, { signal }).catch(() => undefined)]);
  hearing.abort();
  if (root !== undefined) return root;
  const reason = run.lostPeer ?? 'its connection broke';
  return lost[0] ?? new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: 'A peer', reason }));
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
