import type { Response } from 'express';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { requesterOf } from '../middleware/authenticate.js';
import type { Run } from '../store/run.js';
import { mayRead } from '../web/may-read.js';
import { accessOfResponse } from '../web/prove-access.js';

type ScopeDeps = Pick<DaemonDeps, 'organization' | 'config' | 'ledger' | 'store'>;

/** Who reads what proves what happened, and nothing that tells of the data: an auditor, by the address that its owner has listed. */
export const isAuditor = ({ config }: Pick<DaemonDeps, 'config'>, response: Response): boolean =>
  config.auditors.includes(requesterOf(response));

/** Whether the requester sees this run as an auditor and as nobody else. */
export const readsAsAuditor = ({ organization }: Pick<DaemonDeps, 'organization'>, response: Response, { consumer }: Run): boolean =>
  accessOfResponse(response)?.role === 'auditor' || ![organization, consumer].includes(requesterOf(response));

/**
 * The run of a path, if the requester is its consumer or the owner, or, where `audited`, one of the auditors; to anyone else it does not exist.
 * @throws DT_JOB_UNKNOWN
 */
export async function scopedRun(deps: ScopeDeps, id: string, response: Response, { audited = false } = {}): Promise<Run> {
  const run = /^[0-9a-f-]{36}$/.test(id) ? await deps.store.runs.get(id) : undefined;
  const requester = requesterOf(response);
  const isTheirs = requester === run?.consumer || requester === deps.organization || (audited && isAuditor(deps, response));
  if (run === undefined || !isTheirs) throw new ToolkitError('DT_JOB_UNKNOWN', { id });
  if (!(await mayRead(deps.ledger, accessOfResponse(response), [run])).includes(run)) throw new ToolkitError('DT_JOB_UNKNOWN', { id });
  response.locals['token'] = run.token;
  response.locals['job'] = run.jobId;
  return run;
}
