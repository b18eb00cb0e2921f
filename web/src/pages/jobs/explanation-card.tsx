import { useQuery } from '../../api/query.js';
import type { Run } from '../../api/types.js';
import { useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Card, Sentence } from '../../ui/basics.js';
import { jobsText } from './text.js';

interface Explanation {
  readonly code: string;
  readonly cause: string;
  readonly evidence: readonly string[];
  readonly next: { readonly text: string; readonly command?: string };
}

/** Why the run stands as it does, what shows it, and what to do next; the daemon's own words until that is known. */
export function ExplanationCard({ run }: { run: Run }) {
  const text = useWords(jobsText);
  const { isLooking } = useRole();
  const { data } = useQuery<Explanation>(isLooking ? `/v1/jobs/${run.id}/explanation` : undefined, ['run']);
  const shown = data ?? (run.failure && { ...run.failure, cause: run.failure.message, evidence: [], next: { text: run.failure.hint } });
  if (shown === undefined) return null;
  return (
    <Card title={text.why}>
      <p class="problem-title">
        <Sentence text={shown.cause} />
      </p>
      {shown.evidence.length > 0 && (
        <ul class="evidence">
          {shown.evidence.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <p>
        <Sentence text={shown.next.text} />
      </p>
      {'command' in shown.next && shown.next.command !== undefined && <pre class="command">{shown.next.command}</pre>}
      <p class="problem-foot">
        <code>{shown.code}</code>
      </p>
    </Card>
  );
}
