import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useChange, useQuery } from '../../api/query.js';
import { isEnded, type Run } from '../../api/types.js';
import { useApp, useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, bytes, Card, Empty, Field, PageHead, ProblemView, ShortId, Skeleton } from '../../ui/basics.js';
import { common } from '../../ui/common-text.js';
import { Dialog } from '../../ui/dialog.js';
import { Name } from '../../ui/name.js';
import { RunBadge } from '../../ui/run-badge.js';
import { Time } from '../../ui/time.js';
import { DecisionCard } from './decision-card.js';
import { ExplanationCard } from './explanation-card.js';
import { LogCard } from './log-card.js';
import { jobsText } from './text.js';
import { TimelineCard } from './timeline-card.js';
import { TrafficCard } from './traffic-card.js';
import { useRunEvents } from './use-run-events.js';

export function RunPage({ id }: { id: string }) {
  const text = useWords(jobsText);
  const { isLooking, isRunning } = useRole();
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const { data: run, problem, isLoading, reload } = useQuery<Run>(path, ['run']);
  const events = useRunEvents(isLooking && run !== undefined ? id : undefined, run?.settlement === 'anchored');
  if (run === undefined)
    return isLoading ? (
      <Skeleton lines={8} />
    ) : problem?.code === 'DT_JOB_UNKNOWN' ? (
      <Empty icon="jobs" title={text.gone}>
        <a href="#/jobs">{text.title}</a>
      </Empty>
    ) : (
      problem && <ProblemView problem={problem} onRetry={reload} />
    );
  return (
    <>
      <a class="back" href="#/jobs">
        {text.title}
      </a>
      <PageHead
        title={`${text.job} ${run.job}`}
        about={
          <>
            <RunBadge state={run.state} /> <Name id={run.token} />
          </>
        }
      >
        {isRunning && <RunActions run={run} onChanged={reload} />}
      </PageHead>
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isUnclear(run) && <ExplanationCard run={run} />}
      <div class="columns">
        <div>
          <TimelineCard run={run} events={events} />
          <LogCard log={events.log} />
          <DecisionCard run={run} />
        </div>
        <div>
          <FactsCard run={run} />
          <OutputsCard run={run} mayDownload={isRunning} />
          {run.receipt !== undefined && <TrafficCard run={run} />}
        </div>
      </div>
    </>
  );
}

/** Neither on its way nor well ended. */
const isUnclear = ({ state, failure }: Run): boolean => failure !== undefined || state === 'awaiting-approval' || state === 'held';

function RunActions({ run, onChanged }: { run: Run; onChanged: () => void }) {
  const { http } = useApp();
  const text = useWords(jobsText);
  const words = useWords(common);
  const change = useChange();
  const [isAsking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const act = async (action: 'cancel' | 'rerun', body: object): Promise<void> => {
    if (!(await change.run(() => http.post(`/v1/jobs/${run.id}/${action}`, body)))) return;
    setAsking(false);
    onChanged();
  };
  const canRerun = run.state === 'failed' || run.state === 'canceled' || (run.state === 'refused' && run.startedAt !== undefined);
  return (
    <>
      {!isEnded(run.state) && (
        <Button kind="danger" icon="stop" onClick={() => setAsking(true)}>
          {text.cancel}
        </Button>
      )}
      {canRerun && (
        <Button icon="again" isBusy={change.isBusy} onClick={() => act('rerun', {})}>
          {text.rerun}
        </Button>
      )}
      {change.problem && !isAsking && <ProblemView problem={change.problem} />}
      {isAsking && (
        <Dialog title={text.cancel} onClose={() => setAsking(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              act('cancel', reason.trim() === '' ? {} : { reason: reason.trim() });
            }}
          >
            <p>{text.cancelAsk}</p>
            <Field label={text.cancelReason}>
              <input name="reason" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
            </Field>
            {change.problem && <ProblemView problem={change.problem} />}
            <div class="actions end">
              <Button onClick={() => setAsking(false)}>{words.back}</Button>
              <Button type="submit" kind="danger" isBusy={change.isBusy}>
                {text.cancel}
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}

function FactsCard({ run }: { run: Run }) {
  const text = useWords(jobsText);
  const settlements = { anchored: text.reported, pending: text.pending, none: text.none2 };
  const took = run.startedAt && run.finishedAt && (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000;
  return (
    <Card>
      <dl class="facts">
        <Fact name={text.algorithm}>
          <Name id={run.algorithm} link={`#/lineage/${run.algorithm}`} />
        </Fact>
        <Fact name={text.token}>
          <Name id={run.token} link={`#/assets/${run.token}`} />
        </Fact>
        <Fact name={text.consumer}>
          <Name id={run.consumer} />
        </Fact>
        <Fact name={text.asked}>
          <Time at={run.createdAt} />
        </Fact>
        {run.startedAt && (
          <Fact name={text.started}>
            <Time at={run.startedAt} />
          </Fact>
        )}
        {run.finishedAt && (
          <Fact name={text.finished}>
            <Time at={run.finishedAt} />
          </Fact>
        )}
        {typeof took === 'number' && <Fact name={text.took}>{text.seconds(took)}</Fact>}
        <Fact name={text.attempt}>{run.attempt}</Fact>
        {run.receipt && (
          <Fact name={text.receipt}>
            <ShortId id={run.receipt} /> <span class="muted">{settlements[run.settlement]}</span>
          </Fact>
        )}
      </dl>
    </Card>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function OutputsCard({ run, mayDownload }: { run: Run; mayDownload: boolean }) {
  const { http } = useApp();
  const text = useWords(jobsText);
  const path = (name: string): string => http.url(`/v1/jobs/${run.id}/outputs/${name.split('/').map(encodeURIComponent).join('/')}`);
  if (!isEnded(run.state)) return null;
  return (
    <Card title={text.outputs}>
      {run.outputs.length === 0 ? (
        <p class="muted">{text.outputsNone}</p>
      ) : (
        <ul class="plain-list">
          {run.outputs.map(({ name, sizeBytes }) => (
            <li key={name}>
              {mayDownload ? (
                <a href={path(name)} download={name.split('/').at(-1) ?? name}>
                  {name}
                </a>
              ) : (
                name
              )}{' '}
              <span class="muted">{bytes(sizeBytes)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
