import { leavesOf } from '../../catalog/leaves-of.js';
import { organizationName, tokenLabels } from '../../catalog/names.js';
import { resolveJob } from '../../catalog/resolve-facts.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import { type JoinStep, joinStepOf } from '../../documents/job/join-step.js';
import type { JointSeat } from '../../documents/job/joint-group.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ReaderContext } from '../action-context.js';

export interface TracedShare {
  readonly token: TokenId;
  readonly name: string | undefined;
  readonly ownerName: string;
  /** Of the joint computation that it is an input of. */
  readonly seat?: string;
  /** undefined: its owner has not reported yet. */
  readonly report: { readonly state: string; readonly receipt: Bytes32; readonly reporterName: string; readonly time: number } | undefined;
}

/** What the parties of a joint computation agreed to do one after the other, as its documents say. */
export interface TracedStep {
  readonly seats: readonly string[];
  /** Owners find the rows that they have in common; without it the operator runs. */
  readonly join?: JoinStep;
  readonly operator: { readonly token: TokenId; readonly name: string | undefined; readonly version: number };
}

export interface TracedJob {
  readonly job: bigint;
  readonly task: { readonly id: bigint; readonly name: string; readonly open: boolean };
  readonly algorithm: { readonly token: TokenId; readonly name: string | undefined; readonly ownerName: string };
  readonly demanderName: string;
  /** Seconds since 1970. */
  readonly addedAt: number;
  /** Every leaf of the algorithm, each once. */
  readonly shares: readonly TracedShare[];
  /**
   * Who takes part in a joint computation without data. The chain takes reports of data only: the receipt of a helper is below a
   * root that it anchors, and which of them it is, its daemon proves (`verifyJob`). Empty where the documents cannot be read, or say today that nothing can run.
   */
  readonly helpers: readonly { readonly seat: string; readonly name: string }[];
  /** Empty for a job that nobody computes jointly, or whose documents cannot be read. */
  readonly steps: readonly TracedStep[];
}

/** One job as the chain tells it: who asked for what, on which data, and what each owner reported. @throws DT_JOB_UNKNOWN */
export async function traceJob(context: ReaderContext, id: bigint): Promise<TracedJob> {
  const { seats, steps } = await jointOf(context, id);
  const seatOf = (token: TokenId): string | undefined => seats.find(({ inputs }) => inputs.some((input) => input.token === token))?.seat;
  return context.index.read(async (index) => {
    const job = index.job(id);
    if (job === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id });
    const task = index.task(job.task);
    const labelOf = tokenLabels(context.content, index);
    const shareOf = async (token: TokenId): Promise<TracedShare> => {
      const report = job.reports.get(token);
      const seat = seatOf(token);
      return {
        token,
        name: (await labelOf(token))?.name,
        ownerName: organizationName(index, index.token(token)?.owner),
        ...(seat !== undefined && { seat }),
        report: report && {
          state: report.state,
          receipt: report.receipt,
          reporterName: organizationName(index, report.reporter),
          time: report.time,
        },
      };
    };
    return {
      job: id,
      task: { id: job.task, name: task?.name ?? '', open: task?.open ?? false },
      algorithm: {
        token: job.algorithm,
        name: (await labelOf(job.algorithm))?.name,
        ownerName: organizationName(index, index.token(job.algorithm)?.owner),
      },
      demanderName: organizationName(index, job.demander),
      addedAt: job.addedAt,
      shares: await Promise.all(index.snapshot(() => leavesOf(index, job.algorithm)).map(shareOf)),
      helpers: seats
        .filter(({ inputs }) => inputs.length === 0)
        .map(({ seat, organization }) => ({ seat, name: organizationName(index, organization) })),
      steps,
    };
  });
}

/** All joint computations of the job, as its documents give them together with today's organizations. */
async function jointOf(
  { ledger, content }: ReaderContext,
  job: bigint,
): Promise<{ readonly seats: readonly JointSeat[]; readonly steps: readonly TracedStep[] }> {
  try {
    const facts = await resolveJob(ledger, content, job);
    const { spec } = buildJobSpec(facts);
    const groups = spec.joint ?? [];
    const steps = groups.flatMap((group): TracedStep[] => {
      const input = group.seats.find(({ inputs }) => inputs.length > 0)?.inputs[0]?.token;
      const share = spec.steps.find(({ token }) => token === input);
      if (share === undefined) return [];
      const { id, version } = share.operator;
      const operator = { token: id, version, name: facts.operators.get(id)?.document.metadata.main.name };
      const join = joinStepOf(share.arguments);
      const seatsOf = (seats: readonly JointSeat[]): readonly string[] => seats.map(({ seat }) => seat);
      const owners = group.seats.filter(({ inputs }) => inputs.length > 0);
      return [...(join === undefined ? [] : [{ seats: seatsOf(owners), join, operator }]), { seats: seatsOf(group.seats), operator }];
    });
    return { seats: groups.flatMap(({ seats }) => seats), steps };
  } catch (error) {
    if (error instanceof ToolkitError) return { seats: [], steps: [] };
    throw error;
  }
}
