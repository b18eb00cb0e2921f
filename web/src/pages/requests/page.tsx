import { useQuery } from '../../api/query.js';
import { useApp, useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Empty, PageHead, ProblemView, Skeleton } from '../../ui/basics.js';
import { Deadline } from './deadline.js';
import type { Hold } from './hold.js';
import { HoldPage } from './hold-page.js';
import { requestsText } from './text.js';

/** The inbox of the owner. */
export function RequestsPage() {
  const { router } = useApp();
  const text = useWords(requestsText);
  const { isRunning } = useRole();
  const query = useQuery<{ holds: readonly Hold[] }>(isRunning ? '/v1/holds' : undefined, ['run']);
  const [, id] = router.route.value.parts;
  const { data, problem, isLoading, reload } = query;
  const open = data?.holds.find(({ run }) => run.id === id);
  if (open !== undefined) return <HoldPage key={`${open.run.id}${open.subject}`} hold={open} onAnswered={reload} />;
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isLoading && <Skeleton lines={4} />}
      {id !== undefined && data !== undefined && <p role="status">{text.gone}</p>}
      {!isRunning && <Empty icon="requests" title={text.operatorOnly} />}
      {data?.holds.length === 0 && (
        <Empty icon="requests" title={text.none}>
          {text.noneAbout}
        </Empty>
      )}
      <ul class="holds">
        {data?.holds.map((hold) => (
          <li key={hold.run.id}>
            <HoldRow hold={hold} />
          </li>
        ))}
      </ul>
    </>
  );
}

function HoldRow({ hold }: { hold: Hold }) {
  const text = useWords(requestsText);
  const { run, operator, approved, kind } = hold;
  const isOther = operator !== undefined && approved?.operator !== operator.digest;
  return (
    <a class="hold-row" href={`#/requests/${run.id}`}>
      <span class="hold-question">
        {text.job} {run.job}: {kind === 'request' ? text.request : text.outputs}
      </span>
      {kind === 'request' && isOther && <Badge tone="wait">{approved === undefined ? text.firstCode : text.otherCode}</Badge>}
      <span class="muted hold-until">{run.deadlineAt !== undefined && <Deadline at={run.deadlineAt} />}</span>
      <span class="hold-open">{text.open}</span>
    </a>
  );
}
