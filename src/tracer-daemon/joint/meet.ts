import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { type JointSeat, tokensOf } from '../../documents/job/joint-group.js';
import { recoverDecisionSigner } from '../../documents/job/typed-data.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { tellEnd } from './end-word.js';
import { JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { ControlMessage, SignedDecision } from './joint-wire.js';
import type { PeerWord } from './peer-word.js';
import { pending } from './pending.js';
import { refusedBy } from './refusals.js';

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
export const LONGEST_WAIT_MS = 2 ** 31 - 1;

type MeetDeps = Pick<DaemonDeps, 'links' | 'domain' | 'config'>;

/** A peer that knows of another's end waits so long for that one's own word, which names the cause better. */
const ECHO_MS = 10_000;
/** How often one party may be lost and come again in one meeting. */
const MOST_LOSSES = 8;
/** Until when a party waits for its owner is news once, and again when it comes again. */
const MOST_WAITING = 8;
/** A party agrees anew whenever another one was lost and has come again, and not for ever: each word is written into the runs' events. */
const MOST_WORDS = 1_000;
/** Messages of a computation that a peer can send before this side has begun with it. */
const MOST_EARLY = 4;

interface Party {
  readonly seat: JointSeat;
  readonly name: string;
}

interface MeetOptions {
  /** Upper bound of one wait for a peer's coming, and of one for its word. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** A party says that its owner has to approve the request, until this time. */
  readonly onWaiting?: (name: string, until: number) => void;
  /** How far a party says that it is, until its channel is closed: also after the meeting. */
  readonly onWord?: (seat: JointSeat, word: PeerWord) => void;
}

type Hello = Extract<ControlMessage, { kind: 'hello' }>;

/** A peer that has said hello, and to what it has agreed since. */
interface Presence {
  readonly peer: JointPeer;
  readonly hello: Hello;
  /** What this side has told it. */
  told: string | undefined;
  agreed: string | undefined;
  /** What it says of the computation, which it has begun: it had heard of all others' agreement before this side. */
  early: ControlMessage[];
}

/**
 * All parties of a joint job, each with signed decisions for the same job spec that allow it, and agreed on one execution. Nothing of
 * the data has moved before. Whoever comes first waits for the others; who is lost and comes again in the meantime is met again, and
 * what the parties agree on follows from who is there now.
 *
 * @param parties the others
 * @throws DT_JOINT_REFUSED (somebody refused, with the reason), DT_JOINT_PEER_ABSENT (did not come in time), DT_JOINT_PEER_LOST,
 * DT_JOINT_PROTOCOL, DT_JOINT_ALREADY_RELEASED, DT_LINK_*, PeerEnded, the signal's reason
 */
export async function meet(deps: MeetDeps, own: OwnSide, parties: readonly Party[], options: MeetOptions): Promise<Meeting> {
  const gathering = new Gathering(deps, own, parties, options);
  const onAbort = (): void => gathering.fail(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  try {
    return await gathering.outcome;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
}

class Gathering {
  private readonly nonce = randomBytes(32).toString('hex');
  /** By seat. */
  private readonly present = new Map<string, Presence>();
  private readonly met = new Set<JointPeer>();
  private readonly over = new AbortController();
  private readonly result = pending<Meeting>();
  private quiet: NodeJS.Timeout | undefined;

  constructor(
    private readonly deps: MeetDeps,
    private readonly own: OwnSide,
    private readonly parties: readonly Party[],
    private readonly options: MeetOptions,
  ) {
    for (const party of parties) this.follow(party).catch((error) => this.fail(error));
  }

  get outcome(): Promise<Meeting> {
    return this.result.promise;
  }

  fail(error: unknown): void {
    if (!this.end()) return;
    const peers = [...this.met];
    tellEnd(peers, error).finally(() => {
      for (const peer of peers) peer.close();
      this.result.reject(error);
    });
  }

  /** False when it had ended before. */
  private end(): boolean {
    if (this.over.signal.aborted) return false;
    this.over.abort();
    clearTimeout(this.quiet);
    return true;
  }

  private async follow(party: Party): Promise<void> {
    for (let losses = 0; !this.over.signal.aborted; losses += 1) {
      try {
        return await this.attend(party);
      } catch (error) {
        this.present.delete(party.seat.seat);
        if (!(error instanceof PeerLost)) throw error;
        if (losses >= MOST_LOSSES) throw error.problem;
      }
    }
  }

  /** One coming of a party, until it is lost or nothing more is to be heard of it here. @throws PeerLost and as `meet` */
  private async attend({ seat, name }: Party): Promise<void> {
    const peer = await this.arrival(seat, name);
    try {
      const { finished, decisions } = this.own;
      await peer.send({
        kind: 'hello',
        version: 1,
        nonce: this.nonce,
        ...(finished !== undefined && { finished }),
        committed: false,
        decisions,
      });
      const hello = await this.hearHello(peer).catch((error: unknown) => this.throwLater(error, peer));
      checkDecisions(this.deps, this.own, { seat, name }, hello);
      if (hello.kind === 'refused') throw refusedBy(name, { ...hello, seat: seat.seat });
      peer.decisions = hello.decisions;
      const presence: Presence = { peer, hello, told: undefined, agreed: undefined, early: [] };
      this.present.set(seat.seat, presence);
      this.onChange();
      // One that has released is not in a meeting any more: its daemon answers from its records.
      if (!hello.committed) await this.listen(presence);
    } catch (error) {
      if (this.over.signal.aborted) return;
      // Of what else ends it the peer hears with the others.
      if (error instanceof PeerLost) {
        this.met.delete(peer);
        peer.close();
      }
      throw error;
    }
  }

  /** One whose owner has to approve the request is waited for until its deadline, and is then met as it comes. */
  private async hearHello(peer: JointPeer): Promise<Extract<ControlMessage, { kind: 'hello' | 'refused' }>> {
    let word = await peer.expect('hello', 'refused', 'waiting');
    for (let times = 1; word.kind === 'waiting'; times += 1) {
      if (times > MOST_WAITING) throw this.tooMuch(peer, 'waiting', MOST_WAITING);
      const { waitMs, onWaiting } = this.options;
      onWaiting?.(peer.name, word.until);
      const untilMs = Math.max(0, word.until - Date.now());
      word = await peer.expectWithin(untilMs + waitMs, 'hello', 'refused', 'waiting');
    }
    return word;
  }

  private async listen(presence: Presence): Promise<void> {
    const { peer } = presence;
    for (let words = 1; ; words += 1) {
      await peer.untilSpeaks();
      // What comes after the agreement belongs to the computation.
      if (this.over.signal.aborted) return;
      if (words > MOST_WORDS) throw this.tooMuch(peer, 'something', MOST_WORDS);
      const message = await peer.next().catch((error: unknown) => this.throwLater(error, peer));
      if (message.kind === 'agreed') {
        presence.agreed = message.execution;
        presence.early = [];
        this.onChange();
      } else if (presence.agreed !== undefined && presence.early.length < MOST_EARLY) {
        presence.early.push(message);
      } else {
        throw new ToolkitError('DT_JOINT_PROTOCOL', { peer: peer.name, reason: `it sent ${message.kind} in the place of agreed` });
      }
    }
  }

  private tooMuch({ name }: JointPeer, what: string, times: number): ToolkitError {
    return new ToolkitError('DT_JOINT_PROTOCOL', { peer: name, reason: `it said ${what} more than ${times} times before it began` });
  }

  /** A party's daemon, once both ends have opened the control channel. */
  private async arrival(seat: JointSeat, name: string): Promise<JointPeer> {
    const { waitMs } = this.options;
    const { signal } = this.over;
    const wallMs = this.deps.config.sandbox.limits.wallSeconds * 1000;
    const control = await this.deps.links
      .channel(seat.organization, this.own.session, CONTROL, { timeoutMs: waitMs, stallMs: LONGEST_WAIT_MS, transcript: false, signal })
      .catch((error: unknown) => {
        throw absent(error, name, waitMs);
      });
    const peer = new JointPeer(seat, name, control, { answerMs: waitMs, doneMs: wallMs + 2 * waitMs }, (word) =>
      this.options.onWord?.(seat, word),
    );
    if (signal.aborted) peer.close();
    else this.met.add(peer);
    return peer;
  }

  /**
   * What followed from another party's refusal is that refusal. What followed from another end of another party is thrown only if that one
   * does not say itself what it was.
   */
  private async throwLater(error: unknown, teller: JointPeer): Promise<never> {
    const refusal = error instanceof PeerEnded ? error.refusal : undefined;
    const refuser = refusal && this.parties.find(({ seat }) => seat.seat === refusal.seat);
    if (refusal !== undefined && refuser !== undefined) {
      checkDecisions(this.deps, this.own, refuser, { ...refusal, kind: 'refused' }, teller);
      throw refusedBy(refuser.name, refusal);
    }
    if (error instanceof PeerEnded && error.echo) await sleep(ECHO_MS, undefined, { signal: this.over.signal }).catch(() => undefined);
    throw error;
  }

  /** Somebody has come or agreed. */
  private onChange(): void {
    if (this.over.signal.aborted || this.present.size < this.parties.length) return;
    const all = this.parties.map(({ seat }) => this.present.get(seat.seat) as Presence);
    const { finished } = this.own;
    const isFinished = finished !== undefined && all.every(({ hello }) => hello.finished === finished);
    const released = all.find(({ hello }) => hello.committed);
    if (released !== undefined && !isFinished)
      return this.fail(new ToolkitError('DT_JOINT_ALREADY_RELEASED', { peer: released.peer.name }));
    const execution = isFinished ? finished : this.executionOf(all);
    const speaking = all.filter(({ hello }) => !hello.committed);
    for (const presence of speaking) {
      if (presence.told === execution) continue;
      presence.told = execution;
      presence.peer.send({ kind: 'agreed', execution }).catch(() => undefined); // its loss is noticed where it is listened to
    }
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.onQuiet(speaking, execution), Math.min(this.options.waitMs, 0x7fffffff));
    if (!speaking.every(({ agreed }) => agreed === execution) || !this.end()) return;
    for (const { peer, early } of speaking) peer.putBack(early);
    this.result.resolve({ peers: all.map(({ peer }) => peer), execution, isFinished });
  }

  private executionOf(all: readonly Presence[]): string {
    const nonces = all.map(({ peer, hello }) => `${peer.seat.seat}:${hello.nonce}`);
    const text = [this.own.session, ...[...nonces, `${this.own.seat.seat}:${this.nonce}`].sort()].join('\n');
    return createHash('sha256').update(text).digest('hex');
  }

  /** All are there, and nothing has changed for as long as a peer may take. */
  private onQuiet(speaking: readonly Presence[], execution: string): void {
    if (this.present.size < this.parties.length) return; // one was lost, whose coming has its own bound
    const silent = speaking.find(({ agreed }) => agreed === undefined);
    const other = speaking.find(({ agreed }) => agreed !== execution);
    const seconds = this.options.waitMs / 1000;
    if (silent !== undefined)
      this.fail(new ToolkitError('DT_JOINT_PEER_LOST', { peer: silent.peer.name, reason: `it did not say agreed within ${seconds} s` }));
    else if (other !== undefined) {
      const reason = 'it has agreed with the others on another execution';
      this.fail(new ToolkitError('DT_JOINT_PROTOCOL', { peer: other.peer.name, reason }));
    }
  }
}

function absent(error: unknown, peer: string, waitMs: number): ToolkitError {
  const problem = toToolkitError(error);
  const isLate = ['DT_LINK_UNREACHABLE', 'DT_LINK_NO_ANSWER', 'DT_PEER_GONE'].includes(problem.code);
  if (!isLate) return problem;
  const reason = problem.code === 'DT_LINK_NO_ANSWER' ? 'its daemon is there, but has no such run that is ready' : problem.message;
  return new ToolkitError('DT_JOINT_PEER_ABSENT', { peer, seconds: waitMs / 1000, reason }, problem);
}

/**
 * Each decision that a party owes is there, about this very job spec, signed by its organization.
 * @throws DT_JOINT_PROTOCOL naming who told of it
 */
function checkDecisions(
  { domain }: Pick<MeetDeps, 'domain'>,
  own: Pick<OwnSide, 'spec' | 'specDigest'>,
  { seat, name }: Party,
  answer: Pick<Extract<ControlMessage, { kind: 'hello' | 'refused' }>, 'kind' | 'decisions'>,
  teller: { readonly name: string } = { name },
): void {
  const whose = teller.name === name ? 'its decision' : `what it passed on as ${name}'s decision`;
  const broken = (reason: string): ToolkitError => new ToolkitError('DT_JOINT_PROTOCOL', { peer: teller.name, reason });
  const owed = tokensOf(own.spec, seat);
  for (const { token, decision, allowed, signature } of answer.decisions) {
    if (!owed.includes(token)) throw broken(`it decided about ${token}, which is not its own in this job`);
    const seal = { job: BigInt(own.spec.job), dataToken: token, spec: own.specDigest, decision, allowed };
    const signer = recoverDecisionSigner(domain, seal, signature);
    if (signer !== seat.organization) throw broken(`${whose} about ${token} is signed by ${signer}, or is about another job spec`);
    if (allowed !== (answer.kind === 'hello')) throw broken(`${whose} about ${token} does not fit what it says`);
  }
  const missing = owed.find((token) => answer.decisions.every((decision) => decision.token !== token));
  if (answer.kind === 'hello' && missing !== undefined) throw broken(`it showed no decision about ${missing}`);
  if (answer.kind === 'refused' && answer.decisions.length === 0) throw broken('it refused without a decision');
}
