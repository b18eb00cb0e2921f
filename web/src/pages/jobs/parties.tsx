import type { Run } from '../../api/types.js';
import { isEnded } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Badge } from '../../ui/basics.js';
import { NameOrId } from '../../ui/name.js';
import { RunBadge } from '../../ui/run-badge.js';
import { Time } from '../../ui/time.js';
import { jobsText } from './text.js';
import type { PartyView } from './use-parties.js';
import type { PeerEvent } from './use-run-events.js';
import { WordBadge } from './word-badge.js';

/** How far each party of the job is: by what it has put on chain, before that by what it says to this daemon. */
export function Parties({ run, parties, peers }: { run: Run; parties: readonly PartyView[]; peers: readonly PeerEvent[] }) {
  const text = useWords(jobsText);
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
          <PartyState party={party} run={run} said={peers.findLast(({ seat }) => seat === party.seat)} />
        </li>
      ))}
    </ul>
  );
}

function PartyState({ party, run, said }: { party: PartyView; run: Run; said: PeerEvent | undefined }) {
  const text = useWords(jobsText);
  if (party.isSelf) return <RunBadge state={run.state} />;
  const report = party.reports.at(-1);
  if (report !== undefined)
    return (
      <span class="party-report">
        <RunBadge state={report.state} /> <Time at={report.time} />
      </span>
    );
  if (said !== undefined) return <WordBadge word={said.word} />;
  // A helper reports nothing on chain.
  if (party.tokens.length === 0) return <Badge>{text.reportsNothing}</Badge>;
  return <Badge tone={isEnded(run.state) ? 'wait' : 'plain'}>{text.noReport}</Badge>;
}
