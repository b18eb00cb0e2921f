import type { Clause } from '../../../src/documents/decision/decision.js';
import { useWords } from '../i18n.js';
import { jobsText } from '../pages/jobs/text.js';
import { clauseText } from './clause-text.js';
import { Icon } from './icon.js';

const show = (value: unknown): string => (value === undefined ? '' : (JSON.stringify(value) ?? ''));

/** What was checked: whose demand, where it stands, what was asked for and offered, and what would pass. */
export function ClauseList({ clauses }: { clauses: readonly Clause[] }) {
  const text = useWords(jobsText);
  const rules = useWords(clauseText);
  return (
    <ul class="clauses">
      {clauses.map((clause) => (
        <li key={`${clause.of}${clause.by}${clause.pointer}${clause.rule}`} class={clause.passed ? 'passed' : 'failed'}>
          <Icon name={clause.passed ? 'check' : 'cross'} size={16} />
          <div>
            <span title={clause.rule}>{clause.rule in rules ? rules[clause.rule as keyof typeof rules] : clause.rule}</span>{' '}
            <code class="muted wrap">{clause.pointer}</code>
            {!clause.passed && (
              <dl class="clause-facts">
                {clause.required !== undefined && (
                  <div>
                    <dt>{text.required}</dt>
                    <dd>
                      <code class="wrap">{show(clause.required)}</code>
                    </dd>
                  </div>
                )}
                {clause.offered !== undefined && (
                  <div>
                    <dt>{text.offered}</dt>
                    <dd>
                      <code class="wrap">{show(clause.offered)}</code>
                    </dd>
                  </div>
                )}
                {clause.wouldPass !== undefined && (
                  <div>
                    <dt>{text.wouldPass}</dt>
                    <dd>{clause.wouldPass}</dd>
                  </div>
                )}
              </dl>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
