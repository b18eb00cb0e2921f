import type { ComponentChildren } from 'preact';
import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Card } from '../../ui/basics.js';
import { NameOrId } from '../../ui/name.js';
import { RunBadge } from '../../ui/run-badge.js';
import { Time } from '../../ui/time.js';
import { Parties } from './parties.js';
import { jobsText } from './text.js';
import { type PartyView, useParties } from './use-parties.js';
import type { RunEvents } from './use-run-events.js';
import { WordBadge } from './word-badge.js';

interface Step {
  readonly key: string;
  readonly time: number;
  /** Whose step it is; undefined: said beside the steps. */
  readonly party: string | undefined;
  readonly isOther?: boolean;
  /** Told by the second only. */
  readonly isRough?: boolean;
  readonly shown: ComponentChildren;
}

/** What all parties of the job did, in the order of time: stages here, words of the peers on their links, reports on chain. */
export function TimelineCard({ run, events }: { run: Run; events: RunEvents }) {
  const text = useWords(jobsText);
  const { data } = useParties(run);
  const parties = data?.parties ?? [];
  const isShared = parties.length > 1;
  const steps = [...ownSteps(events, parties, text.reported), ...peerSteps(events, parties), ...reportSteps(parties, text.reported)].sort(
    (a, b) => a.time - b.time,
  );
  const start = events.stages[0]?.time ?? Date.parse(run.createdAt);
  return (
    <Card title={text.timeline}>
      <Parties run={run} parties={parties} peers={events.peers} />
      <ol class={isShared ? 'timeline shared' : 'timeline'}>
        {steps.map(({ key, time, party, isOther, isRough, shown }) => (
          <li key={key} class={party === undefined ? 'said' : isOther ? 'other' : ''}>
            <span class="timeline-at muted">{isRough || time < start ? '' : `+${text.seconds((time - start) / 1000)}`}</span>
            {isShared && <span class="timeline-party">{party}</span>}
            <span>{shown}</span>
            <span class="muted timeline-time">
              <Time at={time} />
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function ownSteps({ stages, progress }: RunEvents, parties: readonly PartyView[], reported: string): readonly Step[] {
  const self = parties.find(({ isSelf }) => isSelf)?.name ?? '';
  return [
    ...stages.map(({ time, state, anchored: transaction }, i) => ({
      key: `stage ${i}`,
      time,
      party: self,
      shown:
        transaction === undefined ? (
          <RunBadge state={state} />
        ) : (
          // The end, told for a second time when it has come to the chain.
          <>
            {stages[i - 1]?.state !== state && <RunBadge state={state} />} {reported}
          </>
        ),
    })),
    ...progress.map(({ time, text }, i) => ({ key: `said ${i}`, time, party: undefined, shown: text })),
  ];
}

const peerSteps = ({ peers }: RunEvents, parties: readonly PartyView[]): readonly Step[] =>
  peers.map(({ time, seat, organization, word }, i) => ({
    key: `peer ${i}`,
    time,
    party: parties.find((party) => party.seat === seat)?.name ?? organization,
    isOther: true,
    shown: <WordBadge word={word} />,
  }));

const reportSteps = (parties: readonly PartyView[], reported: string): readonly Step[] =>
  parties
    .filter(({ isSelf }) => !isSelf)
    .flatMap(({ name, reports }) =>
      reports.map(({ token, state, time }) => ({
        key: `report ${token}`,
        // A block has the time at which its second began; what it holds came later.
        time: Date.parse(time) + 999,
        isRough: true,
        party: name,
        isOther: true,
        shown: (
          <>
            <RunBadge state={state} /> {reported}{' '}
            <span class="muted">
              <NameOrId id={token} />
            </span>
          </>
        ),
      })),
    );
