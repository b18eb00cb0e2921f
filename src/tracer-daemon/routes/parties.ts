import { Router } from 'express';
import { organizationName } from '../../catalog/names.js';
import { parseJson } from '../../documents/canonical.js';
import type { Address, TokenId } from '../../documents/ids.js';
import { type JobSpec, parseJobSpec } from '../../documents/job/job-spec.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT } from '../middleware/authenticate.js';
import type { Run } from '../store/run.js';
import { scopedRun } from './scoped-run.js';

/** Who else takes part in the job of a run, and what each has reported on chain. */
export function partyRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  router.get('/v1/jobs/:id/parties', authenticate(deps), async (request, response) => {
    const run = await scopedRun(deps, String(request.params['id']), response, { audited: true });
    const spec = await specOf(deps, run);
    const seats = spec === undefined ? [] : partiesOf(spec);
    const parties = await deps.index.read((index) => {
      const reports = index.job(run.jobId)?.reports;
      return seats.map(({ organization, seat, tokens }) => ({
        organization,
        name: organizationName(index, organization),
        ...(seat !== undefined && { seat }),
        tokens,
        isSelf: organization === deps.organization,
        reports: tokens.flatMap((token) => {
          const report = reports?.get(token);
          return report === undefined ? [] : [{ token, state: report.state, time: new Date(report.time * 1000).toISOString() }];
        }),
      }));
    });
    response.json({ parties });
  });
  return router;
}

interface PartyOfJob {
  readonly organization: Address;
  readonly seat?: string;
  readonly tokens: readonly TokenId[];
}

async function specOf({ records }: Pick<DaemonDeps, 'records'>, run: Run): Promise<JobSpec | undefined> {
  const bytes = run.specDigest && (await records.get(run.specDigest));
  return bytes && parseJobSpec(parseJson(bytes, 'The job spec'));
}

/** Those who sit at a joint operator, and the owners of what runs alone. */
function partiesOf(spec: JobSpec): readonly PartyOfJob[] {
  const seated = (spec.joint ?? []).flatMap(({ seats }) =>
    seats.map(({ organization, seat, inputs }) => ({ organization, seat, tokens: inputs.map(({ token }) => token) })),
  );
  const jointly = new Set(seated.flatMap(({ tokens }) => tokens));
  const alone = new Map<Address, TokenId[]>();
  for (const { owner, token } of spec.steps) if (!jointly.has(token)) alone.set(owner, [...(alone.get(owner) ?? []), token]);
  return [...seated, ...[...alone].map(([organization, tokens]) => ({ organization, tokens }))];
}
