import type { TokenId } from '../../documents/ids.js';
import type { ActionContext } from '../action-context.js';
import { partiesOf, runsIn } from './job-parties.js';
import { type ShareView, viewShare } from './share-view.js';

export interface JobSelection {
  readonly job: bigint;
  /** Only the share on this data token. */
  readonly only?: TokenId | undefined;
}

export interface JobStatus {
  readonly job: bigint;
  readonly task: bigint;
  readonly taskOpen: boolean;
  readonly algorithm: TokenId;
  readonly algorithmName: string | undefined;
  readonly shares: readonly ShareView[];
}

/** What chain and daemons say of a job today. @throws DT_JOB_UNKNOWN, DT_JOB_NOT_YOURS, DT_DOCUMENT_*, DT_INPUT_INVALID */
export async function jobStatus(context: ActionContext, { job, only }: JobSelection): Promise<JobStatus> {
  const resolved = await partiesOf(context, job);
  const runs = await runsIn(context, resolved, only);
  const { facts } = resolved;
  return {
    job,
    task: facts.job.task.id,
    taskOpen: facts.job.task.open,
    algorithm: facts.root,
    algorithmName: facts.ddos.get(facts.root)?.metadata.main.name,
    shares: runs.map((party) => viewShare(party, party.run, party.problem)),
  };
}
