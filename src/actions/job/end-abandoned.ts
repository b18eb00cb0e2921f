import { cannotTakePart } from '../../catalog/root-cause.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { seatOf } from '../../documents/job/joint-group.js';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import type { RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';

/** What a daemon answered to the request for a share. */
export interface AskedShare {
  readonly party: Party;
  readonly run: RunView | undefined;
  readonly problem: ToolkitError | undefined;
}

const LONGEST_REASON = 500;

/**
 * A joint computation needs all of its parties. When one has not taken its share, those of the others are canceled at once, with that as
 * the reason, instead of waiting for it in vain. Of a refusal the daemons tell each other themselves, and better.
 */
export async function endAbandoned(spec: JobSpec, asked: readonly Promise<AskedShare>[]): Promise<void> {
  if (spec.joint === undefined) return;
  const shares = await Promise.all(asked);
  const groupOf = ({ party }: AskedShare) => seatOf(spec, party.owner, party.token)?.group;
  const canceled = spec.joint.flatMap((group) => {
    const ours = shares.filter((share) => groupOf(share) === group);
    const missing = ours.find(({ problem }) => problem !== undefined && problem.code !== 'DT_POLICY_DENIED');
    if (missing === undefined) return [];
    const reason = `${cannotTakePart(missing.party.ownerName)}${missing.problem?.message ?? ''}`.slice(0, LONGEST_REASON);
    return ours.flatMap(({ party, run }) => (run === undefined ? [] : [party.client.cancel(run.id, reason)]));
  });
  // One that cannot be told either waits as long as its daemon waits for a peer.
  await Promise.allSettled(canceled);
}
