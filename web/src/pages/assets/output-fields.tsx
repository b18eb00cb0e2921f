import type { MediaType } from '../../../../src/documents/ddo/release-terms.js';
import { useWords } from '../../i18n.js';
import type { OutputDraft } from './terms.js';
import { termsText } from './terms-text.js';
import { WaitFields } from './wait-fields.js';

/** All that the release gate can check; the compiler misses none. */
const mediaTypes: Readonly<Record<MediaType, true>> = {
  'application/json': true,
  'application/jsonl': true,
  'text/csv': true,
  'text/plain': true,
  'image/png': true,
  'application/octet-stream': true,
};

interface OutputFieldsProps {
  readonly output: OutputDraft;
  readonly onChange: (output: OutputDraft) => void;
  /** Tells the fields of one file from those of another. */
  readonly name: string;
}

/** One kind of file that may leave. */
export function OutputFields({ output, onChange, name }: OutputFieldsProps) {
  const text = useWords(termsText);
  const set = (change: Partial<OutputDraft>): void => onChange({ ...output, ...change });
  const input = (key: 'name' | 'mostKB' | 'groupColumn' | 'groupSize' | 'schema', label: string) => (
    <input
      aria-label={`${name}: ${label}`}
      placeholder={label}
      inputMode={key === 'mostKB' || key === 'groupSize' ? 'decimal' : 'text'}
      class={key === 'schema' ? 'code-input' : key === 'name' ? 'wide' : ''}
      value={output[key]}
      onInput={(event) => set({ [key]: event.currentTarget.value })}
    />
  );
  const { recipients } = text;
  return (
    <div class="rule-controls">
      {input('name', text.outputName)}
      <select
        aria-label={`${name}: ${text.mediaType}`}
        value={output.mediaType}
        onChange={(event) => set({ mediaType: event.currentTarget.value as MediaType | '' })}
      >
        <option value="">{text.anyForm}</option>
        {Object.keys(mediaTypes).map((type) => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </select>
      {input('mostKB', text.mostKB)}
      <select
        aria-label={`${name}: ${text.recipient}`}
        value={output.recipient}
        onChange={(event) => set({ recipient: event.currentTarget.value as OutputDraft['recipient'] })}
      >
        <option value="consumer">{recipients.consumer}</option>
        <option value="owner">{recipients.owner}</option>
      </select>
      <WaitFields
        name={`${name}: ${text.hold}`}
        words={text.holds}
        wait={output.hold}
        hours={output.holdHours}
        onChange={(hold, holdHours) => set({ hold, holdHours })}
      />
      <details>
        <summary>{text.more}</summary>
        <div class="rule-controls">
          {input('groupColumn', text.groupColumn)}
          {input('groupSize', text.groupSize)}
          {input('schema', text.schema)}
        </div>
      </details>
    </div>
  );
}
