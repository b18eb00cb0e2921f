import { useWords } from '../../i18n.js';
import { type Mode, modes, type Rule } from './draft.js';
import { assetsText } from './text.js';

/** What is allowed for one parameter. */
export function RuleRow({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const text = useWords(assetsText);
  const name = rule.path.join(' › ');
  const input = (key: 'value' | 'most', label: string) => (
    <input
      aria-label={`${name}: ${label}`}
      placeholder={label}
      class={rule.mode === 'json' ? 'code-input' : ''}
      value={rule[key]}
      onInput={(event) => onChange({ ...rule, [key]: event.currentTarget.value })}
    />
  );
  return (
    <fieldset class="rule">
      <legend class="wrap">{name}</legend>
      <div class="rule-controls">
        <select aria-label={name} value={rule.mode} onChange={(event) => onChange({ ...rule, mode: event.currentTarget.value as Mode })}>
          {modes.map((mode) => (
            <option key={mode} value={mode}>
              {text.modes[mode]}
            </option>
          ))}
        </select>
        {rule.mode !== 'any' && input('value', rule.mode === 'range' ? text.least : text.values[rule.mode])}
        {rule.mode === 'range' && input('most', text.most)}
      </div>
    </fieldset>
  );
}
