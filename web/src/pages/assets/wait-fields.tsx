import { useWords } from '../../i18n.js';
import { type Wait, waits } from './terms.js';
import { termsText } from './terms-text.js';

/** A proposal, so that the document is whole as soon as a deadline is asked for. */
const USUAL_HOURS = '24';

interface WaitFieldsProps {
  readonly name: string;
  readonly words: Readonly<Record<Wait, string>>;
  readonly wait: Wait;
  readonly hours: string;
  readonly onChange: (wait: Wait, hours: string) => void;
}

/** Whether something waits for the owner, and how long. */
export function WaitFields({ name, words, wait, hours, onChange }: WaitFieldsProps) {
  const text = useWords(termsText);
  return (
    <>
      <select
        aria-label={name}
        title={text.late}
        value={wait}
        onChange={(event) => onChange(event.currentTarget.value as Wait, hours || USUAL_HOURS)}
      >
        {waits.map((each) => (
          <option key={each} value={each}>
            {words[each]}
          </option>
        ))}
      </select>
      {wait === 'hours' && (
        <input
          inputMode="decimal"
          aria-label={`${name}: ${text.hours}`}
          placeholder={text.hours}
          value={hours}
          onInput={(event) => onChange(wait, event.currentTarget.value)}
        />
      )}
    </>
  );
}
