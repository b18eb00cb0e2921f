import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Card, Time } from '../../ui/basics.js';
import { RunBadge } from '../../ui/run-badge.js';
import { Parties } from './parties.js';
import { jobsText } from './text.js';
import type { RunEvents } from './use-run-events.js';

/** Stages of this daemon's share and what the other parties did, in the order of time. */
export function TimelineCard({ run, events }: { run: Run; events: RunEvents }) {
  const text = useWords(jobsText);
  const start = events.stages[0]?.time ?? Date.parse(run.createdAt);
  const steps = [
    ...events.stages.map((stage) => ({ time: stage.time, stage, said: undefined })),
    ...events.progress.map(({ time, text: said }) => ({ time, stage: undefined, said })),
  ].sort((a, b) => a.time - b.time);
  return (
    <Card title={text.timeline}>
      <Parties run={run} />
      <ol class="timeline">
        {steps.map(({ time, stage, said }, i) => (
          <li key={`${time}-${stage?.state ?? said}-${i}`} class={stage === undefined ? 'said' : ''}>
            <span class="timeline-at muted">+{text.seconds((time - start) / 1000)}</span>
            {stage === undefined ? (
              <span>{said}</span>
            ) : (
              <span>
                <RunBadge state={stage.state} /> {stage.anchored !== undefined && text.anchored}
              </span>
            )}
            <span class="muted timeline-time">
              <Time at={time} />
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
