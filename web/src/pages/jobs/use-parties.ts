import { type Query, useQuery } from '../../api/query.js';
import type { Run, RunState } from '../../api/types.js';

export interface PartyView {
  readonly organization: string;
  readonly name: string;
  readonly seat?: string;
  readonly tokens: readonly string[];
  readonly isSelf: boolean;
  readonly reports: readonly { readonly token: string; readonly state: RunState; readonly time: string }[];
}

/** Who takes part in the job, and what each has put on chain. */
export const useParties = (run: Run): Query<{ readonly parties: readonly PartyView[] }> =>
  useQuery(`/v1/jobs/${run.id}/parties`, ['chain', 'run']);
