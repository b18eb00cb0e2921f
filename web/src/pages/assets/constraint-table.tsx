import type { Json } from '../../../../src/documents/canonical.js';
import { useWords } from '../../i18n.js';
import { constraintText } from './constraint-text.js';
import { constraintWords } from './constraint-words.js';
import { assetsText } from './text.js';

/** A constraint in plain words, with the constraint itself below, which is what counts. */
export function ConstraintTable({ constraint }: { constraint: Json }) {
  const text = useWords(assetsText);
  const demands = constraintWords(constraint, useWords(constraintText));
  return (
    <>
      <dl class="demands">
        {demands.map(({ path, words, kind }) => (
          <div key={path.join('/')} class={`demand-${kind}`}>
            <dt class="wrap">{path.join(' › ') || text.everything}</dt>
            <dd class="wrap">{kind === 'raw' ? <code>{words}</code> : words}</dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>{text.asWritten}</summary>
        <pre class="command">{JSON.stringify(constraint, null, 2)}</pre>
      </details>
    </>
  );
}
