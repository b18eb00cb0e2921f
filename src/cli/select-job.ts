import type { JobSelection } from '../actions/job/job-status.js';
import { parseCounter } from '../documents/ids.js';
import type { Home } from './home.js';

/** A job by its number, and the one share of `--dt`. @throws DT_INPUT_INVALID, DT_NAME_UNKNOWN */
export async function selectJob(home: Home, job: string, dt: string | undefined): Promise<JobSelection> {
  return { job: parseCounter(job, 'The number of the job'), ...(dt !== undefined && { only: await home.tokenId(dt, '--dt') }) };
}
