import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { NameOrId } from '../../ui/name.js';
import { RunBadge } from '../../ui/run-badge.js';
import { Time } from '../../ui/time.js';
import { jobsText } from './text.js';

/** Runs as a short list: each leads to its page. */
export function RunRows({ runs }: { runs: readonly Run[] }) {
  return (
    <ul class="run-rows">
      {runs.map((run) => (
        <li key={run.id}>
          <RunRow run={run} />
        </li>
      ))}
    </ul>
  );
}

export function RunRow({ run }: { run: Run }) {
  const text = useWords(jobsText);
  return (
    <a class="run-row" href={`#/jobs/${run.id}`}>
      <span class="run-job">{`${text.job} ${run.job}`}</span>
      <RunBadge state={run.state} />
      <span class="run-token">
        <NameOrId id={run.token} />
      </span>
      <span class="run-consumer muted">
        <NameOrId id={run.consumer} />
      </span>
      <span class="run-time muted">
        <Time at={run.createdAt} />
      </span>
    </a>
  );
}
