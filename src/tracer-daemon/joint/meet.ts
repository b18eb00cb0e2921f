import { createHash, randomBytes } from 'node:crypto';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { type JointSeat, tokensOf } from '../../documents/job/joint-group.js';
import { recoverDecisionSigner } from '../../documents/job/typed-data.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { JointPeer } from './joint-peer.js';
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

type MeetDeps = Pick<DaemonDeps, 'links' | 'domain'>;

/**
 * All parties of a joint job, each with signed decisions for the same job spec that allow it, and agreed on one execution. Nothing of
 * the data has moved before. Whoever comes first waits for the others.
 *
 * @param seats the other parties with their names
 * @throws DT_JOINT_REFUSED (somebody refused, with the reason), DT_JOINT_PEER_ABSENT (did not come in time), DT_JOINT_PROTOCOL,
 * DT_JOINT_ALREADY_RELEASED, DT_LINK_*, PeerEnded, PeerLost
 */
export async function meet(
  deps: MeetDeps,
  own: OwnSide,
  seats: readonly { readonly seat: JointSeat; readonly name: string }[],
  options: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<Meeting> {
  const nonce = randomBytes(32).toString('hex');
  const hello: ControlMessage = {
    kind: 'hello',
    version: 1,
    nonce,
    ...(own.finished !== undefined && { finished: own.finished }),
    committed: false,
    decisions: own.decisions,
  };
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const met: JointPeer[] = [];
  try {
    const hellos = await allOrFirstFailure(
      seats.map(async ({ seat, name }) => {
        const control = await deps.links
          .channel(seat.organization, own.session, CONTROL, {
            timeoutMs: options.waitMs,
            stallMs: LONGEST_WAIT_MS,
            transcript: false,
            signal,
          })
          .catch((error: unknown) => {
            throw absent(error, name, options.waitMs);
          });
        const peer = new JointPeer(seat, name, control);
        met.push(peer);
        await peer.send(hello);
        const answer = await peer.expect('hello', 'refused');
        checkDecisions(deps, own, peer, answer);
        if (answer.kind === 'refused') throw refusedBy(peer, answer.reason);
        peer.decisions = answer.decisions;
        return { peer, answer };
      }),
      () => failed.abort(),
    );
    const peers = seats.flatMap(({ seat }) => hellos.filter(({ peer }) => peer.seat === seat).map(({ peer }) => peer));
    const others = hellos.map(({ answer }) => answer);
    const { finished } = own;
    const isFinished = finished !== undefined && others.every((answer) => answer.finished === finished);
    const released = hellos.find(({ answer }) => answer.committed);
    if (released !== undefined && !isFinished) throw new ToolkitError('DT_JOINT_ALREADY_RELEASED', { peer: released.peer.name });
    const nonces = [...hellos.map(({ peer, answer }) => `${peer.seat.seat}:${answer.nonce}`), `${own.seat.seat}:${nonce}`].sort();
    const execution = isFinished
      ? finished
      : createHash('sha256')
          .update([own.session, ...nonces].join('\n'))
          .digest('hex');
    // One that has released is not in a meeting any more: its daemon answers from its records.
    const present = peers.filter((peer) => hellos.some((hello) => hello.peer === peer && !hello.answer.committed));
    for (const peer of present) await peer.send({ kind: 'agreed', execution });
    for (const peer of present)
      if ((await peer.expect('agreed')).execution !== execution)
        throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: 'it has agreed with the others on another execution' });
    return { peers, execution, isFinished };
  } catch (error) {
    failed.abort();
    await tellEnd(met, error, true);
    for (const peer of met) peer.close();
    throw error;
  }
}

export const refusedBy = (peer: { readonly name: string }, reason: string): ToolkitError =>
  new ToolkitError('DT_JOINT_REFUSED', { peer: peer.name, reason });

/** One that fails is not waited for by those who already know; the others hear of it on the channel. */
async function allOrFirstFailure<T>(work: readonly Promise<T>[], onFailure: () => void): Promise<T[]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    onFailure();
    await Promise.allSettled(work);
    throw error;
  }
}

/** @param echo whether it followed from what another party said */
export async function tellEnd(peers: readonly JointPeer[], error: unknown, echo: boolean): Promise<void> {
  const { code, message } = toToolkitError(error);
  const shown = code === 'DT_BUG_UNEXPECTED' ? 'its daemon failed' : message;
  await Promise.allSettled(peers.map((peer) => peer.send({ kind: 'ended', code, message: shown, echo })));
}

function absent(error: unknown, peer: string, waitMs: number): ToolkitError {
  const problem = toToolkitError(error);
  const isLate = ['DT_LINK_UNREACHABLE', 'DT_LINK_NO_ANSWER', 'DT_PEER_GONE'].includes(problem.code);
  if (!isLate) return problem;
  const reason = problem.code === 'DT_LINK_NO_ANSWER' ? 'its daemon is there, but has no such run that is ready' : problem.message;
  return new ToolkitError('DT_JOINT_PEER_ABSENT', { peer, seconds: waitMs / 1000, reason }, problem);
}

/** Each decision that the peer owes is there, about this very job spec, signed by its organization. @throws DT_JOINT_PROTOCOL */
function checkDecisions(
  { domain }: MeetDeps,
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
