import { useState } from 'preact/hooks';
import { useChange } from '../../api/query.js';
import { useApp, useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Button, bytes, Card, Field, PageHead, ProblemView, Sentence, ShortId } from '../../ui/basics.js';
import { ClauseList } from '../../ui/clause-list.js';
import { Name } from '../../ui/name.js';
import { visible } from '../../ui/visible.js';
import { CodeCard } from './code-card.js';
import { Deadline } from './deadline.js';
import type { Hold } from './hold.js';
import { requestsText } from './text.js';

/** All that the owner decides on, and the answer, which is about exactly what is shown: the daemon refuses it when that has changed. */
export function HoldPage({ hold, onAnswered }: { hold: Hold; onAnswered: () => void }) {
  const text = useWords(requestsText);
  const { run, kind } = hold;
  return (
    <>
      <a class="back" href="#/requests">
        {text.title}
      </a>
      <PageHead
        title={`${text.job} ${run.job}: ${kind === 'request' ? text.request : text.outputs}`}
        about={run.deadlineAt !== undefined && <Deadline at={run.deadlineAt} />}
      />
      {hold.problem && (
        <div class="problem" role="alert">
          <p class="problem-title">{text.unreadable}</p>
          <p>
            <Sentence text={hold.problem.message} />
          </p>
          <p class="problem-foot">
            <code>{hold.problem.code}</code>
          </p>
        </div>
      )}
      <div class="columns">
        <div>
          {kind === 'outputs' && <HeldOutputs hold={hold} />}
          <ConditionsCard hold={hold} />
          {hold.arguments && (
            <Card title={text.arguments}>
              <pre class="code">{visible(JSON.stringify(hold.arguments, null, 2))}</pre>
            </Card>
          )}
          {hold.operator && <CodeCard operator={hold.operator} approved={hold.approved} />}
        </div>
        <div class="answer-side">
          <FactsCard hold={hold} />
          <AnswerCard hold={hold} onAnswered={onAnswered} />
        </div>
      </div>
    </>
  );
}

function FactsCard({ hold: { run, data } }: { hold: Hold }) {
  const text = useWords(requestsText);
  return (
    <Card>
      <dl class="facts">
        <div>
          <dt>{text.asset}</dt>
          <dd>
            <Name id={run.token} link={`#/assets/${run.token}`} />
          </dd>
        </div>
        <div>
          <dt>{text.consumer}</dt>
          <dd>
            <Name id={run.consumer} />
          </dd>
        </div>
        <div>
          <dt>{text.algorithm}</dt>
          <dd>
            <Name id={run.algorithm} link={`#/lineage/${run.algorithm}`} />
          </dd>
        </div>
        {data && (
          <div>
            <dt>{text.data}</dt>
            <dd>
              <ShortId id={data} />
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}

function ConditionsCard({ hold: { clauses = [] } }: { hold: Hold }) {
  const text = useWords(requestsText);
  if (clauses.length === 0) return null;
  const failed = clauses.filter(({ passed }) => !passed);
  const said = failed.length === 0 ? text.allHold(clauses.length) : text.someFail(failed.length);
  return (
    <Card title={text.conditions} actions={<Badge tone={failed.length === 0 ? 'good' : 'bad'}>{said}</Badge>}>
      <ClauseList clauses={clauses} />
    </Card>
  );
}

function HeldOutputs({ hold: { run, outputs = [] } }: { hold: Hold }) {
  const { http } = useApp();
  const text = useWords(requestsText);
  return (
    <Card title={text.outputsTitle}>
      <p class="muted">{text.outputsAbout}</p>
      <ul class="plain-list">
        {outputs.map(({ name, sizeBytes }) => (
          <li key={name}>
            <a
              href={http.url(`/v1/jobs/${run.id}/outputs/${name.split('/').map(encodeURIComponent).join('/')}`)}
              download={name.split('/').at(-1) ?? name}
            >
              {name}
            </a>{' '}
            <span class="muted">{bytes(sizeBytes)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function AnswerCard({ hold, onAnswered }: { hold: Hold; onAnswered: () => void }) {
  const { http, router } = useApp();
  const text = useWords(requestsText);
  const { isOwner } = useRole();
  const change = useChange();
  const [reason, setReason] = useState('');
  const { run, subject } = hold;
  const answer = async (word: 'approve' | 'refuse'): Promise<void> => {
    const body = { reason: reason.trim(), ...(subject && { subject }) };
    if (!(await change.run(() => http.post(`/v1/jobs/${run.id}/${word}`, body)))) return;
    onAnswered();
    router.go('/requests');
  };
  if (!isOwner) return <p class="muted">{text.ownerOnly}</p>;
  return (
    <Card title={text.answer}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(event.submitter?.getAttribute('name') === 'approve' ? 'approve' : 'refuse');
        }}
      >
        <Field label={text.reason} hint={text.reasonHint}>
          <textarea
            name="reason"
            required
            maxLength={500}
            rows={3}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </Field>
        {change.problem && <ProblemView problem={change.problem} />}
        <div class="actions">
          <Button type="submit" kind="primary" icon="check" name="approve" isBusy={change.isBusy} isDisabled={subject === undefined}>
            {text.approve}
          </Button>
          <Button type="submit" kind="danger" icon="cross" name="refuse" isBusy={change.isBusy}>
            {text.refuse}
          </Button>
        </div>
      </form>
    </Card>
  );
}
