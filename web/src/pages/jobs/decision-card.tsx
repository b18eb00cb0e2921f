import type { Clause } from '../../../../src/documents/decision/decision.js';
import { useQuery } from '../../api/query.js';
import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Badge, Card, ProblemView, Skeleton } from '../../ui/basics.js';
import { ClauseList } from '../../ui/clause-list.js';
import { jobsText } from './text.js';

/** Every clause that was checked for this run. */
export function DecisionCard({ run }: { run: Run }) {
  const text = useWords(jobsText);
  const { data, problem, isLoading } = useQuery<{ allowed: boolean; clauses: readonly Clause[] }>(`/v1/jobs/${run.id}/decision`);
  if (problem?.status === 404) return null;
  const failed = data?.clauses.filter(({ passed }) => !passed) ?? [];
  const count = data?.clauses.length ?? 0;
  return (
    <Card
      title={text.decision}
      actions={data && <Badge tone={data.allowed ? 'good' : 'bad'}>{text.clauses(count - failed.length, failed.length)}</Badge>}
    >
      {isLoading && <Skeleton />}
      {problem && <ProblemView problem={problem} />}
      {failed.length > 0 && <ClauseList clauses={failed} />}
      {data && (
        <details>
          <summary>{text.allClauses}</summary>
          <ClauseList clauses={data.clauses} />
        </details>
      )}
    </Card>
  );
}
