import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TokenId } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { type JointSeat, jointSession, parseJointSession, tokensOf } from '../../documents/job/joint-group.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { recallOutputs } from '../pipeline/release.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import { stageJob } from '../pipeline/stage.js';
import { type AuthorizedJob, brand, type ExecutedJob, type ResolvedRequest, type StagedJob } from '../pipeline/stages.js';
import type { Run } from '../store/run.js';
import { confirmedResult } from './confirmed-result.js';
import { closePaths, openPaths, type Paths } from './direct-path.js';
import { endWord, tellEnd } from './end-word.js';
import { forgetFinished, type JointResult, readFinishedOn, writeFinished } from './finished-state.js';
import { JointAnswers } from './joint-answers.js';
import { executeJointly } from './joint-execution.js';
import { PeerLost } from './joint-peer.js';
import type { JointOutcome, JointRun, JointRuns } from './joint-runs.js';
import type { SignedDecision } from './joint-wire.js';
import { type Meeting, meet, type OwnSide } from './meet.js';
import type { PeerWord } from './peer-word.js';
import { pending } from './pending.js';
import { ownRefusal, refusedBy } from './refusals.js';
import { signDecision } from './sign-decision.js';

/** How often parties that lost each other meet again in one run. */
const MOST_MEETINGS = 4;
/** No date is later. */
const LAST_DATE_MS = 8.64e15;
type DeskDeps = Omit<DaemonDeps, 'joint'>;

/** The runs of one organization that belong to one seat, until all of them are there and the computation is over. */
class Table {
  readonly runs = new Map<TokenId, JointRun>();
  readonly controller = new AbortController();
  readonly started = pending<void>();
  readonly outcome = pending<JointOutcome>();
  readonly complete = pending<void>();

  readonly wanted: readonly TokenId[];

  constructor(
    spec: JobSpec,
    readonly seat: JointSeat,
    /** What the chain calls this organization, for people. */
    readonly name: string,
  ) {
    this.wanted = tokensOf(spec, seat);
    for (const { promise } of [this.started, this.outcome, this.complete]) promise.catch(() => undefined);
  }

  get isComplete(): boolean {
    return this.wanted.every((token) => this.runs.has(token));
  }

  sit(run: JointRun): void {
    this.runs.set(run.authorized.step.token, run);
    if (this.isComplete) this.complete.resolve();
  }

  fail(error: unknown): void {
    // Another process has that run; the others go back into the queue and wait for it there.
    const reason = error instanceof RunAborted && error.abort.kind === 'lost' ? new RunAborted({ kind: 'stop' }) : error;
    this.controller.abort(reason);
    for (const end of [this.started, this.outcome, this.complete]) end.reject(reason);
  }
}

/**
 * Joint jobs at one daemon: gathers the runs of its own organization for a seat, meets the other parties' daemons, and computes with
 * them. Answers for runs that are over, or that this organization refused.
 */
export class JointDesk implements JointRuns {
  private readonly tables = new Map<string, Table>();
  /** Runs that have sat at a table, which has heard of their end. */
  private readonly seated = new Set<string>();
  private readonly answers: JointAnswers;

  constructor(private readonly deps: DeskDeps) {
    this.answers = new JointAnswers(deps, (session) => {
      const table = this.tables.get(session);
      if (table === undefined) return 'none';
      return table.isComplete ? 'all' : 'some';
    });
  }

  stop(): void {
    this.answers.stop();
  }

  async run(run: JointRun): Promise<JointOutcome> {
    const { joint, request } = run.authorized;
    const session = jointSession(request.spec.job, request.specDigest, joint.group);
    const table = this.tables.get(session) ?? new Table(request.spec, joint.seat, this.nameOf(request, joint.seat));
    this.tables.set(session, table);
    this.seated.add(run.runId);
    const fail = (error: unknown): void => {
      this.leave(session, table);
      table.fail(error);
    };
    const onAbort = (): void => fail(run.signal.reason);
    run.signal.addEventListener('abort', onAbort, { once: true });
    if (run.signal.aborted) onAbort();
    try {
      table.sit(run);
      const kept = await this.keptResult(table, run);
      if (kept !== undefined) return await this.recall(table, run, session, kept);
      return joint.leads ? await this.lead(table, run, session) : await this.follow(table, run);
    } catch (error) {
      fail(error);
      if (endWord(error) === undefined) this.seated.delete(run.runId); // it comes again
      throw error;
    } finally {
      run.signal.removeEventListener('abort', onAbort);
    }
  }

  async over(run: Run): Promise<void> {
    if (!this.seated.delete(run.runId) && run.failure !== undefined) {
      // The others of its seat wait for it.
      for (const [session, table] of this.tables) {
        const about = parseJointSession(session);
        if (about?.job === run.jobId && about.spec === run.specDigest && table.wanted.includes(run.token)) {
          this.leave(session, table);
          table.fail(await this.endOf(run, table));
        }
      }
    }
    await this.answers.over(run);
  }

  async waits(run: Run): Promise<void> {
    await this.answers.waits(run);
  }

  /** From now on who comes for the session sits at a new table. */
  private leave(session: string, table: Table): void {
    if (this.tables.get(session) === table) this.tables.delete(session);
  }

  private async follow(table: Table, run: JointRun): Promise<JointOutcome> {
    await this.gather(table, run);
    await table.started.promise;
    await run.onStart();
    return table.outcome.promise;
  }

  private async lead(table: Table, run: JointRun, session: string): Promise<JointOutcome> {
    await this.gather(table, run);
    const runs = table.wanted.map((token) => (table.runs.get(token) as JointRun).authorized);
    const { spec, specDigest } = run.authorized.request;
    const decisions = await Promise.all(
      runs.map(({ step, decisionDigest }) =>
        signDecision(
          this.deps,
          { job: BigInt(spec.job), spec: specDigest },
          { token: step.token, decision: decisionDigest, allowed: true },
        ),
      ),
    );
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

  /** All runs of the seat: those that their owner has to approve are waited for until their deadline. @throws DT_JOINT_PEER_ABSENT */
  private async gather(table: Table, run: JointRun): Promise<void> {
    const seconds = this.deps.config.link.peerWaitSeconds;
    let patienceMs = seconds * 1000;
    // One that leads and has its result already starts without the others.
    const come = Promise.race([table.complete.promise, table.started.promise]);
    while (!(await isWithin(come, patienceMs))) {
      const missing = table.wanted.filter((token) => !table.runs.has(token));
      const found = await Promise.all(missing.map((token) => this.deps.store.runs.find(run.authorized.request.asked.job, token)));
      const deadlines = found.map((other) => (other?.state === 'awaiting-approval' ? other.deadlineAt : undefined));
      const until = Math.max(...deadlines.map((at) => at ?? 0));
      if (until <= this.deps.now()) {
        const reason = `no run for ${missing.join(', ')}, which its part needs as well`;
        throw new ToolkitError('DT_JOINT_PEER_ABSENT', { peer: table.name, seconds, reason });
      }
      await this.tellWaiting(run, table.name, until);
      patienceMs = until - this.deps.now() + seconds * 1000;
    }
  }

  private async compute(party: Party): Promise<JointOutcome> {
    const { table, run, runs, session, decisions, signal } = party;
    const { request, joint } = run.authorized;
    const folder = this.folderOf(run);
    const finished = await readFinishedOn(folder, runs);
    const { spec, specDigest } = request;
    const own: OwnSide = { spec, specDigest, session, seat: joint.seat, decisions, finished: finished?.record.execution };
    const seats = joint.group.seats
      .filter((seat) => seat.seat !== joint.seat.seat)
      .map((seat) => ({ seat, name: this.nameOf(request, seat) }));
    await this.tell(run, { joint: 'waiting', text: `Waiting for ${seats.map(({ name }) => name).join(', ')}` });
    const waitMs = this.deps.config.link.peerWaitSeconds * 1000;
    await this.answers.hush(session);
    const onWaiting = (name: string, until: number): void => void this.tellWaiting(run, name, until).catch(() => undefined);
    const meeting = await meet(this.deps, own, seats, {
      waitMs,
      signal,
      onWaiting,
      onWord: (seat, word) => void this.tellWord(table, seat, word),
    });
    try {
      await this.tell(run, { joint: 'agreed', text: `All parties agree: execution ${meeting.execution.slice(0, 16)}` });
      if (meeting.isFinished && finished !== undefined) {
        return await this.recall(table, run, session, finished);
      }
      await forgetFinished(folder);
      const { staged, paths } = await this.stage(party, meeting);
      return await executeJointly(this.deps, own, meeting, {
        staged,
        paths,
        lease: run.lease,
        signal,
        keep: (result) => this.keep(party, result),
      });
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
      await tellEnd(peers, signal.aborted ? signal.reason : error);
      throw error;
    }
  }

  private folderOf({ runId }: Pick<JointRun, 'runId'>): string {
    return join(this.deps.config.jobs.folder, runId);
  }

  /** Beside every run of the seat; last beside the one that leads, which shows the peers that this organization has it. */
  private async keep({ table, run, runs }: Party, result: JointResult): Promise<void> {
    const data = Object.fromEntries(runs.flatMap(({ step, data }) => (data === undefined ? [] : [[step.token, data]])));
    for (const other of table.runs.values()) if (other !== run) await writeFinished(this.folderOf(other), { ...result, data });
    await writeFinished(this.folderOf(run), { ...result, data });
  }

  private nameOf({ facts }: ResolvedRequest, { organization }: JointSeat): string {
    return facts.organizations.get(organization)?.name ?? organization;
  }

  private async tellWaiting(run: JointRun, name: string, until: number): Promise<void> {
    const time = new Date(Math.min(until, LAST_DATE_MS)).toISOString();
    await this.tell(run, { joint: 'waiting', text: `${name} waits for its owner's approval, until ${time}` });
  }

  private async tell(run: JointRun, payload: { readonly joint: string; readonly text: string }): Promise<void> {
    await this.deps.store.events.append(run.lease, [{ kind: 'progress', time: this.deps.now(), payload }]);
  }

  /** Every run of the seat has its own page, and its own timeline. Nothing depends on it, so what cannot be written is let go. */
  private async tellWord(table: Table, { seat, organization }: JointSeat, word: PeerWord): Promise<void> {
    const events = [{ kind: 'progress', time: this.deps.now(), payload: { joint: 'peer', seat, organization, word } }] as const;
    await Promise.allSettled([...table.runs.values()].map(({ lease }) => this.deps.store.events.append(lease, events)));
  }

  /**
   * What a run of the seat that is over means for this one. A kill can fall between the ends of two of them, and then the one that is left
   * comes alone: all parties had confirmed the result before the first of them ended well.
   * @throws DT_JOINT_REFUSED of one that was refused since this one came into the queue, or at the door (what was refused before may have been
   * told to run again, as this one has); DT_JOINT_PEER_FAILED of one that failed since; DT_JOINT_ALREADY_RELEASED
   */
  private async keptResult(table: Table, { runId, authorized }: JointRun): Promise<JointResult | undefined> {
    const { asked, specDigest } = authorized.request;
    const queuedAt = (await this.deps.store.runs.get(runId))?.queuedAt ?? 0;
    const [leading] = table.wanted;
    for (const token of table.wanted) {
      if (table.runs.has(token)) continue;
      const other = await this.deps.store.runs.find(asked.job, token);
      if (other?.specDigest !== specDigest) continue;
      const theirs = await confirmedResult(this.deps, other);
      if (theirs !== undefined && (authorized.joint.leads || token === leading)) {
        const own = await readFinishedOn(this.folderOf({ runId }), [authorized]);
        if (own?.record.execution === theirs.record.execution) return own;
        throw new ToolkitError('DT_JOINT_ALREADY_RELEASED', { peer: table.name });
      }
      if (theirs !== undefined || (other.state !== 'refused' && other.state !== 'failed' && other.state !== 'canceled')) continue;
      const isAtDoor = other.state === 'refused' && other.startedAt === undefined;
      if (isAtDoor || (other.finishedAt ?? 0) >= queuedAt) throw await this.endOf(other, table);
    }
    return undefined;
  }

  /** The result that an earlier life of this daemon has computed with the others, for all runs of the seat that still wait for it. */
  private async recall(table: Table, run: JointRun, session: string, { record, exit }: JointResult): Promise<JointOutcome> {
    const folder = this.folderOf(run);
    await run.onStart();
    if (run.authorized.joint.leads) await recallOutputs(folder);
    const staged = brand<StagedJob>({ authorized: run.authorized, folder, operatorFile: '' });
    const outcome = { executed: brand<ExecutedJob>({ staged, exit }), record };
    this.leave(session, table);
    table.started.resolve();
    table.outcome.resolve(outcome);
    return outcome;
  }

  private async endOf(run: Run, { name, seat }: Table): Promise<ToolkitError> {
    const { state, failure, token } = run;
    if (state === 'refused') return refusedBy(name, await ownRefusal(this.deps, run, seat));
    const reason = failure?.message ?? token;
    return new ToolkitError('DT_JOINT_PEER_FAILED', { peer: name, reason, cause: failure?.code });
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

/** False when the time is over first. */
async function isWithin(promise: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.min(limitMs, 0x7fffffff), false);
  });
  try {
    return await Promise.race([promise.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
