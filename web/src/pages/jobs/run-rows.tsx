import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Time } from '../../ui/basics.js';
import { RunBadge } from '../../ui/run-badge.js';
import { jobsText } from './text.js';

export const shortOf = (id: string): string => {
  const word = id.replace(/^dt:ownership:/, '').replace(/^0x/, '');
  return `${word.slice(0, 6)}…${word.slice(-4)}`;
};

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
      <span class="run-job">
        {text.job} {run.job}
      </span>
      <RunBadge state={run.state} />
      <code title={run.token}>{shortOf(run.token)}</code>
      <span class="run-consumer muted">
        {text.consumer} <code title={run.consumer}>{shortOf(run.consumer)}</code>
      </span>
      <span class="run-time muted">
        <Time at={run.createdAt} />
      </span>
    </a>
  );
}
