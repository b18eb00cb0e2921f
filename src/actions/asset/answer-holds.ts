import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonClient, HoldView, RunView } from '../../peers/daemon-client.js';
import { endpointOf } from '../../peers/daemon-url.js';
import { type ActionContext, daemonOf } from '../action-context.js';

/** What waits for the owner at its own daemon: requests to approve, and outputs to look at before they leave. @throws DT_PEER_* */
export async function listHolds(context: ActionContext): Promise<readonly HoldView[]> {
  return (await ownDaemon(context)).holds();
}

export interface AnswerParameters {
  /** A run, or a job: then all of it that waits here. */
  readonly id: string;
  readonly outcome: 'approve' | 'refuse';
  readonly reason: string;
}

/**
 * The owner's word on what waits. It is about exactly what the daemon shows now: what changes in between needs another. A yes to a request that
 * it has refused withdraws that no.
 * @throws DT_POLICY_NO_HOLD when there is nothing to answer, DT_POLICY_CHANGED, DT_JOB_STATE, DT_PEER_*
 */
export async function answerHolds(context: ActionContext, { id, outcome, reason }: AnswerParameters): Promise<readonly RunView[]> {
  const daemon = await ownDaemon(context);
  const isMeant = (run: RunView): boolean => run.id === id || run.job === id;
  const found = (await daemon.holds()).filter(({ run }) => isMeant(run));
  const answered: RunView[] = [];
  if (found.length === 0 && outcome === 'approve')
    for (const run of (await daemon.jobs(/^[1-9]\d{0,18}$/.test(id) ? { job: id } : {})).filter(isMeant))
      if (run.state === 'refused' && run.approval?.outcome === 'refused')
        answered.push(await daemon.answer(run.id, 'approve', { reason, subject: run.approval.subject }));
  if (found.length === 0 && answered.length === 0) throw new ToolkitError('DT_POLICY_NO_HOLD', { id });
  for (const { run, subject, problem } of found) {
    if (subject === undefined)
      throw new ToolkitError('DT_PEER_ANSWER', { url: daemon.url, reason: problem?.message ?? 'it names no subject' });
    answered.push(await daemon.answer(run.id, outcome, { reason, subject }));
  }
  return answered;
}

async function ownDaemon(context: ActionContext): Promise<DaemonClient> {
  const { signer } = context.ledger;
  const [organization] = (await context.ledger.operatorsAndOrganizations([], [signer])).organizations;
  if (organization === undefined) throw new ToolkitError('DT_ORG_UNKNOWN', { address: signer });
  const url = endpointOf(undefined, organization.url);
  if (url === undefined) throw new ToolkitError('DT_PEER_NO_DAEMON', { organization: organization.name });
  return daemonOf(context, signer, url);
}
