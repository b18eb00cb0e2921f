import { useWords } from '../../i18n.js';
import { Card, Field } from '../../ui/basics.js';
import { Rows } from '../../ui/rows.js';
import { OutputFields } from './output-fields.js';
import { newOutput, type TermsDraft, type Wait } from './terms.js';
import { termsText } from './terms-text.js';
import { WaitFields } from './wait-fields.js';

interface TermsFieldsProps {
  readonly terms: TermsDraft;
  readonly onChange: (terms: TermsDraft) => void;
}

/** What may leave, and what the owner wants to be asked. */
export function TermsFields({ terms, onChange }: TermsFieldsProps) {
  const text = useWords(termsText);
  const set = (change: Partial<TermsDraft>): void => onChange({ ...terms, ...change });
  const choice = (isDeclared: boolean, words: string) => (
    <label class="check">
      <input type="radio" name="leaves" checked={terms.isDeclared === isDeclared} onChange={() => set({ isDeclared })} /> {words}
    </label>
  );
  const number = (key: 'runLimit' | 'runHours', label: string) => (
    <input
      inputMode="decimal"
      aria-label={label}
      placeholder={label}
      value={terms[key]}
      onInput={(event) => set({ [key]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Card title={text.leaves}>
        <fieldset class="plain-list">
          <legend class="unseen">{text.leaves}</legend>
          {choice(false, text.everything)}
          {choice(true, text.declared)}
        </fieldset>
        {terms.isDeclared && (
          <>
            {terms.outputs.length === 0 && <p class="muted">{text.nothing}</p>}
            <Rows
              items={terms.outputs}
              onChange={(outputs) => set({ outputs })}
              fresh={{ [text.addOutput]: newOutput }}
              nameOf={({ name }, at) => text.output(at + 1, name)}
              removeLabel={text.remove}
              row={(output, change, name) => <OutputFields output={output} onChange={change} name={name} />}
            />
          </>
        )}
      </Card>
      <Card title={text.terms}>
        <fieldset class="rule">
          <legend>{text.approval}</legend>
          <div class="rule-controls">
            <WaitFields
              name={text.approval}
              words={text.approvals}
              wait={terms.approval}
              hours={terms.approvalHours}
              onChange={(approval: Wait, approvalHours) => set({ approval, approvalHours })}
            />
          </div>
        </fieldset>
        <fieldset class="rule">
          <legend>{text.runs}</legend>
          <div class="rule-controls">
            {number('runLimit', text.runLimit)}
            {number('runHours', text.runHours)}
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={terms.isPerConsumer}
              onChange={(event) => set({ isPerConsumer: event.currentTarget.checked })}
            />{' '}
            {text.perConsumer}
          </label>
          <p class="field-hint">{text.runsHint}</p>
        </fieldset>
        <div class="rule">
          <Field label={text.retention} hint={text.retentionHint}>
            <input
              inputMode="decimal"
              value={terms.retentionHours}
              onInput={(event) => set({ retentionHours: event.currentTarget.value })}
            />
          </Field>
        </div>
      </Card>
    </>
  );
}
