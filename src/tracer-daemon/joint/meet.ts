import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { type JointSeat, tokensOf } from '../../documents/job/joint-group.js';
import { recoverDecisionSigner } from '../../documents/job/typed-data.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { tellEnd } from './end-word.js';
import { JointPeer, PeerEnded } from './joint-peer.js';
import type { ControlMessage, SignedDecision } from './joint-wire.js';

export interface OwnSide {
  readonly spec: JobSpec;
  readonly specDigest: Bytes32;
  readonly session: string;
  readonly seat: JointSeat;
  readonly decisions: readonly SignedDecision[];
  /** An execution whose results are safe on this disk, of an earlier meeting. */
  readonly finished: string | undefined;
}

export interface Meeting {
  readonly peers: readonly JointPeer[];
  /** 64 hex digits that all parties have made together. */
  readonly execution: string;
  /** All have finished this execution before: nothing is computed again. */
  readonly isFinished: boolean;
}

export const CONTROL = 'control';

/** Longer than any run: who waits on a control channel is told by what ends the link. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

type MeetDeps = Pick<DaemonDeps, 'links' | 'domain' | 'config'>;

/** A peer that knows of another's end waits so long for that one's own word, which names the cause better. */
const ECHO_MS = 10_000;
/** Beyond the time of the own operator, for a peer whose operator takes longer or whose link is mended meanwhile. */
const DONE_MARGIN_MS = 120_000;

/**
 * All parties of a joint job, each with signed decisions for the same job spec that allow it, and agreed on one execution. Nothing of
 * the data has moved before. Whoever comes first waits for the others.
 *
 * @param seats the other parties with their names
 * @throws DT_JOINT_REFUSED (somebody refused, with the reason), DT_JOINT_PEER_ABSENT (did not come in time), DT_JOINT_PROTOCOL,
 * DT_JOINT_ALREADY_RELEASED, DT_LINK_*, PeerEnded, PeerLost, the signal's reason
 */
export async function meet(
  deps: MeetDeps,
  own: OwnSide,
  seats: readonly { readonly seat: JointSeat; readonly name: string }[],
  options: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<Meeting> {
  const failed = new AbortController();
  const room: Room = { ...options, met: [], signal: AbortSignal.any([options.signal, failed.signal]), fail: (e) => failed.abort(e) };
  const work = agree(deps, own, seats, room);
  try {
    return await Promise.race([work, rejectionOf(room.signal)]);
  } catch (error) {
    failed.abort(error);
    await tellEnd(room.met, error);
    for (const peer of room.met) peer.close();
    work.catch(() => undefined);
    throw error;
  }
}

/** What goes on while the parties come together. */
interface Room {
  /** Peers that have opened their end. */
  readonly met: JointPeer[];
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
}

async function agree(
  deps: MeetDeps,
  own: OwnSide,
  seats: readonly { readonly seat: JointSeat; readonly name: string }[],
  room: Room,
): Promise<Meeting> {
  const nonce = randomBytes(32).toString('hex');
  const hellos = await Promise.all(
    seats.map(async ({ seat, name }) => {
      const peer = await arrival(deps, own, seat, name, room);
      await peer.send({
        kind: 'hello',
        version: 1,
        nonce,
        ...(own.finished !== undefined && { finished: own.finished }),
        committed: false,
        decisions: own.decisions,
      });
      const answer = await peer.expect('hello', 'refused').catch((error: unknown) => throwLater(error, room));
      checkDecisions(deps, own, peer, answer);
      if (answer.kind === 'refused') throw refusedBy(peer, answer.reason);
      peer.decisions = answer.decisions;
      // One that has released is not in a meeting any more: its daemon answers from its records.
      if (!answer.committed) leaveTogether(peer, room);
      return { peer, answer };
    }),
  );
  const { finished } = own;
  const isFinished = finished !== undefined && hellos.every(({ answer }) => answer.finished === finished);
  const released = hellos.find(({ answer }) => answer.committed);
  if (released !== undefined && !isFinished) throw new ToolkitError('DT_JOINT_ALREADY_RELEASED', { peer: released.peer.name });
  const nonces = [...hellos.map(({ peer, answer }) => `${peer.seat.seat}:${answer.nonce}`), `${own.seat.seat}:${nonce}`].sort();
  const execution = isFinished
    ? finished
    : createHash('sha256')
        .update([own.session, ...nonces].join('\n'))
        .digest('hex');
  const present = hellos.flatMap(({ peer, answer }) => (answer.committed ? [] : [peer]));
  for (const peer of present) await peer.send({ kind: 'agreed', execution });
  await Promise.all(
    present.map(async (peer) => {
      if ((await peer.expect('agreed')).execution !== execution)
        throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it has agreed with the others on another execution' });
    }),
  );
  return { peers: hellos.map(({ peer }) => peer), execution, isFinished };
}

/** A party's daemon, once both ends have opened the control channel. */
async function arrival(deps: MeetDeps, own: OwnSide, seat: JointSeat, name: string, room: Room): Promise<JointPeer> {
  const { waitMs, signal } = room;
  const wallMs = deps.config.sandbox.limits.wallSeconds * 1000;
  const control = await deps.links
    .channel(seat.organization, own.session, CONTROL, { timeoutMs: waitMs, stallMs: LONGEST_WAIT_MS, transcript: false, signal })
    .catch((error: unknown) => {
      throw absent(error, name, waitMs);
    });
  const peer = new JointPeer(seat, name, control, { answerMs: waitMs, doneMs: wallMs + DONE_MARGIN_MS });
  if (signal.aborted) peer.close();
  else room.met.push(peer);
  return peer;
}

/** Who has come and goes again, while others are waited for, ends the meeting: their coming would be of no use. */
function leaveTogether(peer: JointPeer, room: Room): void {
  peer
    .watch()
    .catch((error: unknown) => throwLater(error, room))
    .catch(room.fail);
}

/** What followed from another party's end is thrown only if that one does not say itself what it was. */
async function throwLater(error: unknown, { signal }: Room): Promise<never> {
  if (error instanceof PeerEnded && error.echo) await sleep(ECHO_MS, undefined, { signal }).catch(() => undefined);
  throw error;
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

export const refusedBy = (peer: { readonly name: string }, reason: string): ToolkitError =>
  new ToolkitError('DT_JOINT_REFUSED', { peer: peer.name, reason });

function absent(error: unknown, peer: string, waitMs: number): ToolkitError {
  const problem = toToolkitError(error);
  const isLate = ['DT_LINK_UNREACHABLE', 'DT_LINK_NO_ANSWER', 'DT_PEER_GONE'].includes(problem.code);
  if (!isLate) return problem;
  const reason = problem.code === 'DT_LINK_NO_ANSWER' ? 'its daemon is there, but has no such run that is ready' : problem.message;
  return new ToolkitError('DT_JOINT_PEER_ABSENT', { peer, seconds: waitMs / 1000, reason }, problem);
}

/** Each decision that the peer owes is there, about this very job spec, signed by its organization. @throws DT_JOINT_PROTOCOL */
function checkDecisions(
  { domain }: Pick<MeetDeps, 'domain'>,
  own: Pick<OwnSide, 'spec' | 'specDigest'>,
  peer: JointPeer,
  answer: Extract<ControlMessage, { kind: 'hello' | 'refused' }>,
): void {
  const broken = (reason: string): ToolkitError => new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason });
  const owed = tokensOf(own.spec, peer.seat);
  for (const { token, decision, allowed, signature } of answer.decisions) {
    if (!owed.includes(token)) throw broken(`it decided about ${token}, which is not its own in this job`);
    const seal = { job: BigInt(own.spec.job), dataToken: token, spec: own.specDigest, decision, allowed };
    const signer = recoverDecisionSigner(domain, seal, signature);
    if (signer !== peer.organization) throw broken(`its decision about ${token} is signed by ${signer}, or is about another job spec`);
    if (allowed !== (answer.kind === 'hello')) throw broken(`its decision about ${token} does not fit what it says`);
  }
  const missing = owed.find((token) => answer.decisions.every((decision) => decision.token !== token));
  if (answer.kind === 'hello' && missing !== undefined) throw broken(`it showed no decision about ${missing}`);
  if (answer.kind === 'refused' && answer.decisions.length === 0) throw broken('it refused without a decision');
}
