import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { resolveJob } from '../../catalog/resolve-facts.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import type { Decision } from '../../documents/decision/decision.js';
import { digestOfDecision } from '../../documents/decision/decision.js';
import { type Address, type Bytes32, parseAddress, type TokenId } from '../../documents/ids.js';
import { digestOfSpec, type JobSpec } from '../../documents/job/job-spec.js';
import { type JointGroup, type JointSeat, jointSession, parseJointSession, seatOf, tokensOf } from '../../documents/job/joint-group.js';
import { decisionTypedData } from '../../documents/job/typed-data.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { SessionOffer } from '../../peers/link/link-hub.js';
import type { DaemonDeps } from '../deps.js';
import { stageJob } from '../pipeline/stage.js';
import { type AuthorizedJob, brand, type ExecutedJob, type ResolvedRequest, type StagedJob } from '../pipeline/stages.js';
import type { Run } from '../store/run.js';
import { isFinal } from '../store/run-state.js';
import { closePaths, openPaths, type Paths } from './direct-path.js';
import { forgetFinished, readFinished } from './finished-state.js';
import { executeJointly } from './joint-execution.js';
import { JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { JointOutcome, JointRun, JointRuns } from './joint-runs.js';
import type { SignedDecision } from './joint-wire.js';
import { CONTROL, type Meeting, meet, type OwnSide, refusedBy, tellEnd } from './meet.js';
import { pending } from './pending.js';

/** How often parties that lost each other meet again in one run. */
const MOST_MEETINGS = 4;
const ANSWER_MS = 10_000;
/** Sessions of peers that ask before the request has come here. */
const MOST_WAITING = 1_024;

type DeskDeps = Omit<DaemonDeps, 'joint'>;

/** The runs of one organization that belong to one seat, until all of them are there and the computation is over. */
class Table {
  readonly runs = new Map<TokenId, JointRun>();
  readonly controller = new AbortController();
  readonly started = pending<void>();
  readonly outcome = pending<JointOutcome>();
  readonly complete = pending<void>();

  constructor(readonly wanted: readonly TokenId[]) {
    for (const { promise } of [this.started, this.outcome, this.complete]) promise.catch(() => undefined);
  }

  sit(run: JointRun): void {
    this.runs.set(run.authorized.step.token, run);
    if (this.wanted.every((token) => this.runs.has(token))) this.complete.resolve();
  }

  fail(error: unknown): void {
    this.controller.abort(error);
    for (const end of [this.started, this.outcome, this.complete]) end.reject(error);
  }
}

/**
 * Joint jobs at one daemon: gathers the runs of its own organization for a seat, meets the other parties' daemons, and computes with
 * them. Answers for runs that are over, or that this organization refused.
 */
export class JointDesk implements JointRuns {
  private readonly tables = new Map<string, Table>();
  /** Peers that have asked about a session for which there is no run here yet. */
  private readonly asking = new Map<string, Set<Address>>();
  private readonly unsubscribe: () => void;

  constructor(private readonly deps: DeskDeps) {
    this.unsubscribe = deps.links.onSession((offer) => {
      void this.answer(offer).catch((error) => deps.log.warn({ err: error, peer: offer.peer }, 'a peer could not be answered'));
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  async run(run: JointRun): Promise<JointOutcome> {
    const { joint, request } = run.authorized;
    const session = jointSession(request.spec.job, request.specDigest, joint.group);
    const table = this.tables.get(session) ?? new Table(tokensOf(request.spec, joint.seat));
    this.tables.set(session, table);
    const fail = (error: unknown): void => {
      this.leave(session, table);
      table.fail(error);
    };
    const onAbort = (): void => fail(run.signal.reason);
    run.signal.addEventListener('abort', onAbort, { once: true });
    if (run.signal.aborted) onAbort();
    try {
      table.sit(run);
      await this.refuseIfRefused(table, run);
      return joint.leads ? await this.lead(table, run, session) : await this.follow(table, run);
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      run.signal.removeEventListener('abort', onAbort);
    }
  }

  async refuse(resolved: ResolvedRequest, decision: Decision, reason: string): Promise<void> {
    const { asked, spec, specDigest } = resolved;
    const place = seatOf(spec, this.deps.organization, asked.token);
    if (place === undefined) return;
    const session = jointSession(spec.job, specDigest, place.group);
    this.tables.get(session)?.fail(refusedBy({ name: 'this organization' }, reason));
    const signed = await this.sign(resolved, asked.token, digestOfDecision(decision), false);
    await this.tellAsking(session, place.group, (peer) => this.sendRefusal(peer, session, [signed], reason));
  }

  async over(run: Run): Promise<void> {
    const { specDigest, failure } = run;
    const sessions = [...this.asking.keys()].filter((session) => {
      const about = parseJointSession(session);
      return about?.job === run.jobId && about.spec === specDigest;
    });
    if (sessions.length === 0 || specDigest === undefined || failure === undefined) return;
    const spec = await this.specOf(run.jobId, specDigest);
    const group = spec && seatOf(spec, this.deps.organization, run.token)?.group;
    if (spec === undefined || group === undefined) return;
    const session = jointSession(spec.job, specDigest, group);
    if (run.state !== 'refused')
      return this.tellAsking(session, group, (peer) => this.sendEnd(peer, session, { code: failure.code, message: failure.message }));
    const decision = (failure.details['decision'] ?? run.decisionDigest) as Bytes32;
    const signed = await this.sign({ spec, specDigest }, run.token, decision, false);
    await this.tellAsking(session, group, (peer) => this.sendRefusal(peer, session, [signed], failure.message));
  }

  /** From now on who comes for the session sits at a new table. */
  private leave(session: string, table: Table): void {
    if (this.tables.get(session) === table) this.tables.delete(session);
  }

  private async tellAsking(session: string, group: JointGroup, tell: (peer: Address) => Promise<void>): Promise<void> {
    const peers = [...(this.asking.get(session) ?? [])].filter((peer) => group.seats.some((seat) => seat.organization === peer));
    this.asking.delete(session);
    await Promise.allSettled(peers.map(tell));
  }

  private async follow(table: Table, run: JointRun): Promise<JointOutcome> {
    await table.started.promise;
    await run.onStart();
    return table.outcome.promise;
  }

  private async lead(table: Table, run: JointRun, session: string): Promise<JointOutcome> {
    const seconds = this.deps.config.link.peerWaitSeconds;
    await withinTime(table.complete.promise, seconds * 1000, () => {
      const missing = table.wanted.filter((token) => !table.runs.has(token)).join(', ');
      const reason = `no run for ${missing}, which its part needs as well`;
      return new ToolkitError('DT_JOINT_PEER_ABSENT', { peer: 'this organization', seconds, reason });
    });
    const runs = table.wanted.map((token) => (table.runs.get(token) as JointRun).authorized);
    const decisions = await Promise.all(runs.map((job) => this.sign(job.request, job.step.token, job.decisionDigest, true)));
    const signal = AbortSignal.any([run.signal, table.controller.signal]);
    for (let meetings = 1; ; meetings += 1) {
      try {
        const outcome = await this.compute({ table, run, runs, session, decisions, signal });
        this.leave(session, table);
        table.outcome.resolve(outcome);
        return outcome;
      } catch (error) {
        if (table.controller.signal.aborted) throw table.controller.signal.reason;
        if (!(error instanceof PeerLost)) throw error;
        if (meetings >= MOST_MEETINGS) throw error.problem;
        await this.tell(run, { joint: 'lost', text: `${error.problem.message} The parties meet again.` });
      }
    }
  }

  private async compute(party: Party): Promise<JointOutcome> {
    const { table, run, session, decisions, signal } = party;
    const { request, joint } = run.authorized;
    const folder = join(this.deps.config.jobs.folder, run.runId);
    const finished = await readFinished(folder);
    const { spec, specDigest } = request;
    const own: OwnSide = { spec, specDigest, session, seat: joint.seat, decisions, finished: finished?.record.execution };
    const seats = joint.group.seats
      .filter((seat) => seat.seat !== joint.seat.seat)
      .map((seat) => ({ seat, name: this.nameOf(request, seat) }));
    await this.tell(run, { joint: 'waiting', text: `Waiting for ${seats.map(({ name }) => name).join(', ')}` });
    const waitMs = this.deps.config.link.peerWaitSeconds * 1000;
    const meeting = await meet(this.deps, own, seats, { waitMs, signal });
    this.asking.delete(session);
    try {
      await this.tell(run, { joint: 'agreed', text: `All parties agree: execution ${meeting.execution.slice(0, 16)}` });
      if (meeting.isFinished && finished !== undefined) {
        await start(table, run);
        const staged = brand<StagedJob>({ authorized: run.authorized, folder, operatorFile: '' });
        return { executed: brand<ExecutedJob>({ staged, exit: finished.exit }), record: finished.record };
      }
      await forgetFinished(folder);
      const { staged, paths } = await this.stage(party, meeting);
      return await executeJointly(this.deps, own, meeting, { staged, paths, lease: run.lease, signal });
    } finally {
      for (const peer of meeting.peers) peer.close();
    }
  }

  /** What is wrong with the data here ends it for all parties. */
  private async stage(party: Party, { peers, execution }: Meeting): Promise<{ readonly staged: StagedJob; readonly paths: Paths }> {
    const { table, run, runs, session, signal } = party;
    let paths: Paths | undefined;
    try {
      paths = await openPaths(this.deps, run.authorized.joint.seat.seat, peers, run.authorized, signal);
      const agreed = createHash('sha256').update(`${session} ${execution}`).digest('hex');
      const direct = [...paths.direct].map(([seat, { role }]) => ({ seat, role }));
      const staged = await stageJob(this.deps, run.authorized, run.runId, signal, { session: agreed, runs, direct });
      await start(table, run);
      return { staged, paths };
    } catch (error) {
      if (paths !== undefined) closePaths(paths);
      if (!signal.aborted && !(error instanceof PeerLost)) await tellEnd(peers, error, error instanceof PeerEnded);
      throw error;
    }
  }

  private nameOf({ facts }: ResolvedRequest, { organization }: JointSeat): string {
    return facts.organizations.get(organization)?.name ?? organization;
  }

  private async tell(run: JointRun, payload: { readonly joint: string; readonly text: string }): Promise<void> {
    await this.deps.store.events.append(run.lease, [{ kind: 'progress', time: this.deps.now(), payload }]);
  }

  private async sign(
    { spec, specDigest }: Pick<ResolvedRequest, 'spec' | 'specDigest'>,
    token: TokenId,
    decision: Bytes32,
    allowed: boolean,
  ): Promise<SignedDecision> {
    const seal = { job: BigInt(spec.job), dataToken: token, spec: specDigest, decision, allowed };
    const { domain, types, values } = decisionTypedData(this.deps.domain, seal);
    return { token, decision, allowed, signature: await this.deps.signer.signTypedData(domain, types, values) };
  }

  /** One run of the seat was refused at the door, so it never comes. @throws DT_JOINT_REFUSED */
  private async refuseIfRefused(table: Table, { authorized }: JointRun): Promise<void> {
    for (const token of table.wanted) {
      if (table.runs.has(token)) continue;
      const other = await this.deps.store.runs.find(authorized.request.asked.job, token);
      if (other?.state === 'refused' && other.specDigest === authorized.request.specDigest)
        throw refusedBy({ name: 'this organization' }, other.failure?.message ?? token);
    }
  }

  /** A peer waits for a party that this daemon has no run for now: perhaps its run is over. */
  private async answer({ peer, session, purpose }: SessionOffer): Promise<void> {
    const asked = parseJointSession(session);
    if (asked === undefined || purpose !== CONTROL || this.tables.has(session)) return;
    const runs = (await this.deps.store.runs.list({ jobId: asked.job })).filter((run) => run.specDigest === asked.spec);
    const refused = runs.filter((run) => run.state === 'refused');
    const isOver = runs.length > 0 && runs.every((run) => isFinal(run.state));
    if (refused.length === 0 && !(isOver && runs.some((run) => run.state === 'succeeded'))) {
      // Not here yet, or about to run again: it waits as long as it likes.
      const waiting = this.asking.get(session) ?? new Set();
      if (this.asking.size < MOST_WAITING) this.asking.set(session, waiting.add(peer));
      return;
    }
    const spec = await this.specOf(asked.job, asked.spec);
    const group = spec?.joint?.find((candidate) => jointSession(spec.job, asked.spec, candidate) === session);
    const own = group?.seats.find((seat) => seat.organization === this.deps.organization);
    if (spec === undefined || own === undefined || group?.seats.every((seat) => seat.organization !== peer)) return;
    const tokens = tokensOf(spec, own);
    const mine = runs.filter((run) => tokens.includes(run.token));
    const resolved = { spec, specDigest: asked.spec };
    const sign = (run: Run, allowed: boolean): Promise<SignedDecision> =>
      this.sign(resolved, run.token, run.decisionDigest as Bytes32, allowed);
    const no = mine.find((run) => run.state === 'refused');
    if (no !== undefined) return this.sendRefusal(peer, session, [await sign(no, false)], no.failure?.message ?? 'it was refused');
    const lead = mine.find((run) => run.token === tokens[0]);
    const finished = lead && (await readFinished(join(this.deps.config.jobs.folder, lead.runId)));
    if (lead?.state !== 'succeeded' || finished === undefined) return;
    const { execution } = finished.record;
    const decisions = await Promise.all(mine.map((run) => sign(run, true)));
    await this.withControl(peer, session, async (control) => {
      await control.send({ kind: 'hello', version: 1, nonce: execution, finished: execution, committed: true, decisions });
      await control.expect('hello');
    });
  }

  private async specOf(job: bigint, digest: Bytes32): Promise<JobSpec | undefined> {
    const { spec } = buildJobSpec(await resolveJob(this.deps.ledger, this.deps.content, job));
    return digestOfSpec(spec) === digest ? spec : undefined;
  }

  private async sendRefusal(peer: Address, session: string, decisions: readonly SignedDecision[], reason: string): Promise<void> {
    await this.withControl(peer, session, async (control) => {
      await control.send({ kind: 'refused', decisions, reason: reason.slice(0, 1_500) });
      await control.expect('hello');
    });
  }

  private async sendEnd(peer: Address, session: string, end: { readonly code: string; readonly message: string }): Promise<void> {
    await this.withControl(peer, session, async (control) => {
      await control.send({ kind: 'ended', ...end, echo: false });
      await control.expect('hello');
    });
  }

  private async withControl(peer: Address, session: string, talk: (control: JointPeer) => Promise<void>): Promise<void> {
    const channel = await this.deps.links.channel(parseAddress(peer), session, CONTROL, {
      timeoutMs: ANSWER_MS,
      stallMs: ANSWER_MS,
      transcript: false,
    });
    const control = new JointPeer({ seat: '', organization: peer, inputs: [] }, peer, channel);
    try {
      await talk(control);
    } catch (error) {
      this.deps.log.debug({ problem: toToolkitError(error).message, peer }, 'a peer that was answered left');
    } finally {
      control.close();
    }
  }
}

/** One attempt of all parties to compute together. */
interface Party {
  readonly table: Table;
  readonly run: JointRun;
  /** All runs of this organization's seat. */
  readonly runs: readonly AuthorizedJob[];
  readonly session: string;
  readonly decisions: readonly SignedDecision[];
  readonly signal: AbortSignal;
}

async function start(table: Table, run: JointRun): Promise<void> {
  await run.onStart();
  table.started.resolve();
}

async function withinTime<T>(promise: Promise<T>, limitMs: number, late: () => ToolkitError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
