import { useEffect, useState } from 'preact/hooks';
import { type Problem, problemOf } from '../../api/http.js';
import { useChange, useQuery } from '../../api/query.js';
import { useApp, useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, bytes, Card, Empty, Field, PageHead, ProblemView, Skeleton } from '../../ui/basics.js';
import type { DataFile, Description, DraftCheck, Operator } from './answers.js';
import { Columns } from './asset-page.js';
import { CheckCard } from './check-card.js';
import { attributesOf, type Draft } from './draft.js';
import { RuleRow } from './rule-row.js';
import { rulesFor } from './rules.js';
import { noTerms } from './terms.js';
import { TermsFields } from './terms-fields.js';
import { assetsText } from './text.js';

/** Typing is checked when it rests for so long. */
const REST_MS = 300;
const empty: Draft = {
  name: '',
  description: '',
  file: '',
  operator: undefined,
  rules: [],
  tellsColumns: false,
  terms: noTerms,
};

/** A new asset from a file of this machine and an operator of the chain, checked while it is written. */
export function DraftPage() {
  const { isOwner } = useRole();
  const text = useWords(assetsText);
  if (isOwner) return <Form />;
  return (
    <Empty icon="assets" title={text.ownerOnly}>
      <a href="#/assets">{text.title}</a>
    </Empty>
  );
}

function Form() {
  const { http, router } = useApp();
  const text = useWords(assetsText);
  const files = useQuery<{ files: readonly DataFile[]; truncated: boolean }>('/v1/files');
  const operators = useQuery<{ operators: readonly Operator[] }>('/v1/operators', ['chain']);
  const [draft, setDraft] = useState<Draft>(empty);
  const [data, setData] = useState<Description>();
  const [check, setCheck] = useState<DraftCheck | Problem>();
  const publish = useChange();
  const attributes = JSON.stringify(attributesOf(draft, data));
  const body = () => ({ attributes: JSON.parse(attributes) as object, ...(draft.file !== '' && { path: draft.file }) });
  const isStarted = draft.name !== '' && draft.operator !== undefined;

  useEffect(() => {
    setData(undefined);
    if (draft.file === '') return;
    let isWanted = true;
    http.post<Description>('/v1/files/description', { path: draft.file }).then(
      (found) => isWanted && setData(found),
      (error: unknown) => isWanted && setData({ unreadable: problemOf(error).code }),
    );
    return () => {
      isWanted = false;
    };
  }, [http, draft.file]);
  useEffect(() => {
    setCheck(undefined);
    if (!isStarted) return;
    let isWanted = true;
    const rest = setTimeout(() => {
      http.post<DraftCheck>('/v1/drafts/check', body()).then(
        (found) => isWanted && setCheck(found),
        (error: unknown) => isWanted && setCheck(problemOf(error)),
      );
    }, REST_MS);
    return () => {
      isWanted = false;
      clearTimeout(rest);
    };
  }, [http, attributes, draft.file, isStarted]);

  const set = (change: Partial<Draft>): void => setDraft((before) => ({ ...before, ...change }));
  const choose = (file: string, operator: Operator | undefined): void =>
    set({ file, operator, rules: operator === undefined ? [] : rulesFor(operator.params, file) });
  const problem = files.problem ?? operators.problem;
  const mayPublish = check !== undefined && 'ok' in check && check.ok && draft.file !== '';
  const onPublish = async (): Promise<void> => {
    let token = '';
    const isDone = await publish.run(async () => {
      token = (await http.post<{ token: string }>('/v1/drafts/publish', body())).token;
    });
    if (isDone) router.go(`/assets/${token}`);
  };
  if (files.isLoading || operators.isLoading) return <Skeleton lines={8} />;
  return (
    <>
      <a class="back" href="#/assets">
        {text.title}
      </a>
      <PageHead title={text.publishNew} about={text.newAbout} />
      {problem && <ProblemView problem={problem} onRetry={files.problem ? files.reload : operators.reload} />}
      <div class="columns">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (mayPublish) onPublish();
          }}
        >
          <Card title={text.what}>
            <Field label={text.name}>
              <input required maxLength={200} value={draft.name} onInput={(event) => set({ name: event.currentTarget.value })} />
            </Field>
            <Field label={text.description} hint={text.descriptionHint}>
              <textarea rows={2} value={draft.description} onInput={(event) => set({ description: event.currentTarget.value })} />
            </Field>
          </Card>
          <Card title={text.data}>
            <Field label={text.file} hint={files.data?.files.length === 0 ? text.noFiles : text.fileHint}>
              <select required value={draft.file} onChange={(event) => choose(event.currentTarget.value, draft.operator)}>
                <option value="">{text.choose}</option>
                {files.data?.files.map(({ path, sizeBytes }) => (
                  <option key={path} value={path}>
                    {path} ({bytes(sizeBytes)})
                  </option>
                ))}
              </select>
            </Field>
            {data?.rows !== undefined && (
              <p>
                {text.rows}: <strong>{data.rows.toLocaleString('en')}</strong>
              </p>
            )}
            {data && <Columns data={data} />}
            {data?.columns && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={draft.tellsColumns}
                  onChange={(event) => set({ tellsColumns: event.currentTarget.checked })}
                />
                {text.tellsColumns}
              </label>
            )}
          </Card>
          <Card title={text.allowed}>
            <Field label={text.operator} hint={text.operatorHint}>
              <select
                required
                value={draft.operator?.id ?? ''}
                onChange={(event) =>
                  choose(
                    draft.file,
                    operators.data?.operators.find(({ id }) => id === event.currentTarget.value),
                  )
                }
              >
                <option value="">{text.choose}</option>
                {operators.data?.operators.map(({ id, name, version }) => (
                  <option key={id} value={id}>
                    {name} ({text.version(version)})
                  </option>
                ))}
              </select>
            </Field>
            {draft.rules.map((rule, i) => (
              <RuleRow
                key={rule.path.join('\n')}
                rule={rule}
                isJoint={draft.operator?.joint === true}
                onChange={(changed) => set({ rules: draft.rules.map((other, k) => (k === i ? changed : other)) })}
              />
            ))}
          </Card>
          <TermsFields terms={draft.terms} onChange={(terms) => set({ terms })} />
          {publish.problem && <ProblemView problem={publish.problem} />}
          <Button type="submit" kind="primary" icon="check" isBusy={publish.isBusy} isDisabled={!mayPublish}>
            {text.publish}
          </Button>
          <p class="field-hint">{text.publishHint}</p>
        </form>
        <CheckCard check={check} isStarted={isStarted} attributes={attributes} />
      </div>
    </>
  );
}
