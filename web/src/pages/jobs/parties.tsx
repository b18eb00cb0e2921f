import { useQuery } from '../../api/query.js';
import type { Run, RunState } from '../../api/types.js';
import { isEnded } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Badge, Time } from '../../ui/basics.js';
import { NameOrId } from '../../ui/name.js';
import { RunBadge } from '../../ui/run-badge.js';
import { jobsText } from './text.js';

interface PartyView {
  readonly organization: string;
  readonly name: string;
  readonly seat?: string;
  readonly tokens: readonly string[];
  readonly isSelf: boolean;
  readonly reports: readonly { readonly token: string; readonly state: RunState; readonly time: string }[];
}

/** All parties of the job beside each other: this one live, the others by what they have put on chain. */
export function Parties({ run }: { run: Run }) {
  const text = useWords(jobsText);
  const { data } = useQuery<{ parties: readonly PartyView[] }>(`/v1/jobs/${run.id}/parties`, ['chain', 'run']);
  const parties = data?.parties ?? [];
  if (parties.length < 2) return null;
  return (
    <ul class="parties" aria-label={text.parties}>
      {parties.map((party) => (
        <li key={`${party.organization}${party.seat ?? ''}`} class={party.isSelf ? 'self' : ''}>
          <span class="party-name">
            {party.name}
            {party.isSelf && <span class="muted"> {text.self}</span>}
          </span>
          <span class="muted party-brings">
            {party.seat !== undefined && `${text.seat} ${party.seat} · `}
            {party.tokens.length === 0
              ? text.helps
              : party.tokens.map((token, i) => (
                  <span key={token}>
                    {i > 0 && ', '}
                    <NameOrId id={token} />
                  </span>
                ))}
          </span>
          <PartyState party={party} run={run} />
        </li>
      ))}
    </ul>
  );
}

function PartyState({ party, run }: { party: PartyView; run: Run }) {
  const text = useWords(jobsText);
  if (party.isSelf) return <RunBadge state={run.state} />;
  const report = party.reports.at(-1);
  if (report !== undefined)
    return (
      <span class="party-report">
        <RunBadge state={report.state} /> <Time at={report.time} />
      </span>
    );
  // A helper reports nothing on chain.
  if (party.tokens.length === 0) return <Badge>{text.reportsNothing}</Badge>;
  return <Badge tone={isEnded(run.state) ? 'wait' : 'plain'}>{text.noReport}</Badge>;
}
