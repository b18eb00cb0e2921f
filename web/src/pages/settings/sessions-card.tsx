import { useChange, useQuery } from '../../api/query.js';
import type { Session } from '../../api/types.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Button, Card, ProblemView, ShortId, Skeleton } from '../../ui/basics.js';
import { common } from '../../ui/common-text.js';
import { Time } from '../../ui/time.js';
import { settingsText } from './text.js';

export function SessionsCard() {
  const { http, home } = useApp();
  const text = useWords(settingsText);
  const { roles } = useWords(common);
  const { data, problem, isLoading, reload } = useQuery<{ sessions: readonly Session[] }>('/v1/sessions', ['access']);
  const change = useChange();
  const mine = home.value?.session?.id;
  const shownProblem = problem ?? change.problem;
  return (
    <Card title={text.sessions}>
      {isLoading && <Skeleton />}
      {shownProblem && <ProblemView problem={shownProblem} onRetry={reload} />}
      <ul class="entries">
        {data?.sessions.map(({ id, role, subject, createdAt }) => (
          <li key={id}>
            <span class="entry-name">{subject.startsWith('0x') ? <ShortId id={subject} /> : subject}</span>
            <Badge>{roles[role]}</Badge>
            <span class="muted">
              {text.since} <Time at={createdAt} />
            </span>
            {id === mine ? (
              <span class="muted entry-action">{text.self}</span>
            ) : (
              <span class="entry-action">
                <Button kind="quiet" label={`${text.end}: ${subject}`} onClick={() => change.run(() => http.delete(`/v1/sessions/${id}`))}>
                  {text.end}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
