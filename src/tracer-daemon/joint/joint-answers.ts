import { resolveJob } from '../../catalog/resolve-facts.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import type { Address, Bytes32 } from '../../documents/ids.js';
import { digestOfSpec, type JobSpec } from '../../documents/job/job-spec.js';
import { type JointGroup, type JointSeat, jointSession, parseJointSession, tokensOf } from '../../documents/job/joint-group.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { SessionOffer } from '../../peers/link/link-hub.js';
import type { DaemonDeps } from '../deps.js';
import type { Run, RunProblem } from '../store/run.js';
import { isFinal } from '../store/run-state.js';
import { confirmedResult } from './confirmed-result.js';
import { JointPeer } from './joint-peer.js';
import type { ControlMessage } from './joint-wire.js';
import { CONTROL, LONGEST_WAIT_MS } from './meet.js';
import { type Pending, pending } from './pending.js';
import { ownRefusal, refusalIn } from './refusals.js';
import { signDecision } from './sign-decision.js';

const ANSWER_MS = 5_000;
/** Sessions that one peer asks about; it can have no more channels open. Above it the oldest is forgotten. */
const MOST_SESSIONS = 256;
const MOST_RUNS = 1_000;

export type AnswerDeps = Pick<
  DaemonDeps,
  'links' | 'store' | 'records' | 'ledger' | 'content' | 'config' | 'organization' | 'domain' | 'signer' | 'log' | 'now'
>;

interface Talk {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** What is said next, to one that waits for the owner here. */
  readonly later: Pending<ControlMessage> | undefined;
}

/** What is said about a session in which this organization has a seat, and to whom it may be said. */
interface Answer {
  readonly group: JointGroup;
  readonly message: ControlMessage;
}

/**
 * Peers that wait for this organization in a joint job for which nothing runs here: they are told of a refusal, an end or a release, as
 * soon as there is one. Those who come before the request has come here wait.
 */
export class JointAnswers {
  /** Sessions by the peer that has asked about them, oldest first. */
  private readonly asking = new Map<Address, Set<string>>();
  /** Those of them that nobody has looked up yet: one at a time for each peer, so that a flood of them costs no more than a few. */
  private readonly unread = new Map<Address, Set<string>>();
  /** Being told now, by session and peer. */
  private readonly talks = new Map<string, Talk>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly deps: AnswerDeps,
    /** Whether runs of this organization sit together for the session: all of them, and then they will meet the peer themselves, or some. */
    private readonly seated: (session: string) => 'all' | 'some' | 'none',
  ) {
    this.unsubscribe = deps.links.onSession((offer) => this.onOffer(offer));
  }

  stop(): void {
    this.unsubscribe();
    for (const { controller } of this.talks.values()) controller.abort();
  }

  /** Runs of this organization begin to meet: whoever has asked before is met or gone, and is told nothing of earlier runs. */
  async hush(session: string): Promise<void> {
    for (const sessions of this.asking.values()) sessions.delete(session);
    const talks = [...this.talks].filter(([key]) => key.startsWith(`${session} `)).map(([, talk]) => talk);
    for (const { controller } of talks) controller.abort();
    await Promise.all(talks.map(({ done }) => done));
  }

  /** A run is over: peers that still wait for it are told how. */
  async over(run: Run): Promise<void> {
    for (const session of this.sessionsAbout(run)) await this.answer(session, undefined, run.failure);
  }

  /** A run waits for its owner: peers that wait for it are told until when. */
  async waits(run: Run): Promise<void> {
    for (const session of this.sessionsAbout(run)) await this.answer(session);
  }

  private sessionsAbout(run: Run): ReadonlySet<string> {
    const isAbout = (session: string): boolean => {
      const about = parseJointSession(session);
      return about?.job === run.jobId && about.spec === run.specDigest;
    };
    return new Set([...this.asking.values()].flatMap((asked) => [...asked].filter(isAbout)));
  }

  private onOffer({ peer, session, purpose }: SessionOffer): void {
    if (purpose !== CONTROL || parseJointSession(session) === undefined) return;
    remember(this.asking, peer, session);
    if (this.seated(session) === 'all') return;
    const isReading = this.unread.has(peer);
    remember(this.unread, peer, session);
    if (!isReading) void this.read(peer);
  }

  private async read(peer: Address): Promise<void> {
    const { log } = this.deps;
    const sessions = this.unread.get(peer);
    for (const session of sessions ?? []) {
      sessions?.delete(session);
      await this.answer(session, peer).catch((error) => log.warn({ err: error, peer }, 'a peer could not be answered'));
    }
    this.unread.delete(peer);
  }

  /**
   * Tells `only` this peer, or all that ask, what the records say. Nothing: not here yet, or about to run again, so they wait on.
   * @param failed of a run that has ended just now
   */
  private async answer(session: string, only?: Address, failed?: RunProblem): Promise<void> {
    const found = await this.findAnswer(session, failed);
    // Runs that have come meanwhile meet them, and the others of a seat may come again, whatever became of them before.
    if (found === undefined) return;
    const isWaiting = found.message.kind === 'waiting';
    const seated = this.seated(session);
    if (seated === 'all' || (seated === 'some' && !isWaiting)) return;
    for (const [peer, sessions] of this.asking) {
      if (only !== undefined && peer !== only) continue;
      if (!sessions.has(session)) continue;
      if (!isWaiting) sessions.delete(session);
      if (found.group.seats.some((seat) => seat.organization === peer)) this.talk(peer, session, found.message);
    }
    for (const [peer, sessions] of this.asking) if (sessions.size === 0) this.asking.delete(peer);
  }

  private async findAnswer(session: string, failed: RunProblem | undefined): Promise<Answer | undefined> {
    const asked = parseJointSession(session);
    if (asked === undefined) return undefined;
    const runs = (await this.deps.store.runs.list({ jobId: asked.job, limit: MOST_RUNS })).filter((run) => run.specDigest === asked.spec);
    if (failed === undefined && !runs.some((run) => ['succeeded', 'held', 'awaiting-approval'].includes(run.state) || this.isRefusal(run)))
      return undefined;
    const spec = await this.specOf(asked.job, asked.spec);
    const group = spec?.joint?.find((candidate) => jointSession(spec.job, asked.spec, candidate) === session);
    const own = group?.seats.find((seat) => seat.organization === this.deps.organization);
    if (spec === undefined || group === undefined || own === undefined) return undefined;
    const tokens = tokensOf(spec, own);
    const mine = runs.filter((run) => tokens.includes(run.token));
    const message = (await this.refusalOf(mine, own)) ?? (await this.releaseOf(asked, mine, tokens[0])) ?? waitingOf(mine);
    if (message !== undefined) return { group, message };
    if (failed === undefined) return undefined;
    const refusal = refusalIn(failed.details);
    return { group, message: { kind: 'ended', code: failed.code, message: failed.message, echo: false, ...(refusal && { refusal }) } };
  }

  private async refusalOf(mine: readonly Run[], seat: JointSeat): Promise<ControlMessage | undefined> {
    const refused = mine.find((run) => this.isRefusal(run));
    if (refused === undefined) return undefined;
    const { decisions, reason } = await ownRefusal(this.deps, refused, seat);
    return { kind: 'refused', decisions, reason };
  }

  private async releaseOf(
    about: { readonly job: bigint; readonly spec: Bytes32 },
    mine: readonly Run[],
    leading: string | undefined,
  ): Promise<ControlMessage | undefined> {
    // Outputs that its owner has to look at are as good as released for the others: it has confirmed them.
    if (!mine.every((run) => isFinal(run.state) || run.state === 'held')) return undefined;
    const lead = mine.find((run) => run.token === leading);
    const execution = lead && (await confirmedResult(this.deps, lead))?.record.execution;
    if (execution === undefined) return undefined;
    const decisions = await Promise.all(
      mine.map((run) => signDecision(this.deps, about, { token: run.token, decision: run.decisionDigest as Bytes32, allowed: true })),
    );
    return { kind: 'hello', version: 1, nonce: execution, finished: execution, committed: true, decisions };
  }

  /**
   * A refusal at the door is for ever. One of a run that had been accepted holds while the parties of that time may still come; later a peer
   * that asks has been told to run again, and so may this one be.
   */
  private isRefusal({ state, startedAt, finishedAt, hold }: Run): boolean {
    // Outputs that are not let out were computed: the others have theirs.
    if (state !== 'refused' || hold !== undefined) return false;
    return startedAt === undefined || this.deps.now() - (finishedAt ?? 0) < this.deps.config.link.peerWaitSeconds * 1000;
  }

  private async specOf(job: bigint, digest: Bytes32): Promise<JobSpec | undefined> {
    const { spec } = buildJobSpec(await resolveJob(this.deps.ledger, this.deps.content, job));
    return digestOfSpec(spec) === digest ? spec : undefined;
  }

  private talk(peer: Address, session: string, message: ControlMessage): void {
    const key = `${session} ${peer}`;
    const talking = this.talks.get(key);
    if (talking !== undefined) {
      if (message.kind !== 'waiting') talking.later?.resolve(message);
      return;
    }
    const controller = new AbortController();
    const later = message.kind === 'waiting' ? pending<ControlMessage>() : undefined;
    const done = this.tell(peer, session, message, controller.signal, later)
      .catch((error) => this.deps.log.debug({ problem: toToolkitError(error).message, peer }, 'a peer that was answered left'))
      .finally(() => this.talks.delete(key));
    this.talks.set(key, { controller, done, later });
  }

  private async tell(
    peer: Address,
    session: string,
    message: ControlMessage,
    signal: AbortSignal,
    later: Pending<ControlMessage> | undefined,
  ): Promise<void> {
    const options = { timeoutMs: ANSWER_MS, stallMs: later === undefined ? ANSWER_MS : LONGEST_WAIT_MS, transcript: false, signal };
    const channel = await this.deps.links.channel(peer, session, CONTROL, options);
    const seat = { seat: '', organization: peer, inputs: [] };
    const control = new JointPeer(seat, peer, channel, { answerMs: ANSWER_MS, doneMs: ANSWER_MS });
    const onAbort = (): void => channel.abort('it runs again');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await control.send(message);
      await control.expect('hello');
      // One that waits hears how it went, or meets the runs when they have come, which ends this.
      const next = later && (await Promise.race([later.promise, control.untilSpeaks()]));
      if (next !== undefined) await control.send(next);
    } finally {
      signal.removeEventListener('abort', onAbort);
      control.close();
    }
  }
}

/** Its owner has to approve a run of the seat: until when at most. */
function waitingOf(mine: readonly Run[]): ControlMessage | undefined {
  const deadlines = mine.flatMap(({ state, deadlineAt }) =>
    state === 'awaiting-approval' && deadlineAt !== undefined ? [deadlineAt] : [],
  );
  return deadlines.length === 0 ? undefined : { kind: 'waiting', until: Math.max(...deadlines) };
}

function remember(all: Map<Address, Set<string>>, peer: Address, session: string): void {
  const sessions = all.get(peer) ?? new Set<string>();
  all.set(peer, sessions.add(session));
  for (const oldest of sessions) {
    if (sessions.size <= MOST_SESSIONS) break;
    sessions.delete(oldest);
  }
}
