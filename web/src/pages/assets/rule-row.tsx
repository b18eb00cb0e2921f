import { useWords } from '../../i18n.js';
import { Rows } from '../../ui/rows.js';
import { entryModes, type Mode, modes, newEntry, type Rule } from './rules.js';
import { termsText } from './terms-text.js';
import { assetsText } from './text.js';

interface RuleRowProps {
  readonly rule: Rule;
  readonly onChange: (rule: Rule) => void;
  /** What the operators of joint computations read in their options is offered. */
  readonly isJoint: boolean;
}

/** What is allowed for one parameter. */
export function RuleRow({ rule, onChange, isJoint }: RuleRowProps) {
  const text = useWords(assetsText);
  const name = rule.path.join(' › ');
  const { remove } = useWords(termsText);
  const { entries = [] } = rule;
  const fresh = {
    [text.addEntry]: newEntry(),
    ...(isJoint && { [text.addJoin]: newEntry('join_on', 'exact'), [text.addLeast]: newEntry('min_intersection', 'whole') }),
  };
  return (
    <fieldset class="rule">
      <legend class="wrap">{name}</legend>
      <Controls rule={rule} onChange={onChange} name={name} choices={modes} />
      {rule.mode === 'entries' && (
        <Rows
          items={entries}
          onChange={(changed) => onChange({ ...rule, entries: changed })}
          fresh={fresh}
          nameOf={(entry, at) => `${name} › ${entry.path[0] || at + 1}`}
          removeLabel={remove}
          row={(entry, change, label) => (
            <>
              <input
                aria-label={`${label}: ${text.entryName}`}
                placeholder={text.entryName}
                value={entry.path[0]}
                onInput={(event) => change({ ...entry, path: [event.currentTarget.value] })}
              />
              <Controls rule={entry} onChange={change} name={label} choices={entryModes} />
            </>
          )}
        />
      )}
    </fieldset>
  );
}

interface ControlsProps {
  readonly rule: Rule;
  readonly onChange: (rule: Rule) => void;
  readonly name: string;
  readonly choices: readonly Mode[];
}

function Controls({ rule, onChange, name, choices }: ControlsProps) {
  const text = useWords(assetsText);
  const { mode } = rule;
  const input = (key: 'value' | 'most', label: string) => (
    <input
      aria-label={`${name}: ${label}`}
      placeholder={label}
      class={mode === 'json' ? 'code-input' : ''}
      value={rule[key]}
      onInput={(event) => onChange({ ...rule, [key]: event.currentTarget.value })}
    />
  );
  const isRange = mode === 'range' || mode === 'whole';
  return (
    <div class="rule-controls">
      <select aria-label={name} value={mode} onChange={(event) => onChange({ ...rule, mode: event.currentTarget.value as Mode })}>
        {choices.map((each) => (
          <option key={each} value={each}>
            {text.modes[each]}
          </option>
        ))}
      </select>
      {isRange && input('value', text.least)}
      {isRange && input('most', text.most)}
      {(mode === 'exact' || mode === 'oneOf' || mode === 'json') && input('value', text.values[mode])}
    </div>
  );
}
