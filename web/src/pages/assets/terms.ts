import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import type { MediaType } from '../../../../src/documents/ddo/release-terms.js';
import { typedValue } from './typed-value.js';

export const waits = ['no', 'usual', 'hours'] as const;
/** `usual`: the owner has as long as the toolkit gives. */
export type Wait = (typeof waits)[number];

/** One kind of file that may leave, as it stands in the form. */
export interface OutputDraft {
  readonly name: string;
  readonly mediaType: MediaType | '';
  readonly mostKB: string;
  readonly groupColumn: string;
  readonly groupSize: string;
  readonly schema: string;
  readonly recipient: 'consumer' | 'owner';
  readonly hold: Wait;
  readonly holdHours: string;
}

/** What the owner asks for around a run, as it stands in the form. */
export interface TermsDraft {
  /** Only what is declared leaves. */
  readonly isDeclared: boolean;
  readonly outputs: readonly OutputDraft[];
  readonly approval: Wait;
  readonly approvalHours: string;
  readonly runLimit: string;
  readonly runHours: string;
  readonly isPerConsumer: boolean;
  readonly retentionHours: string;
}

export const newOutput: OutputDraft = {
  name: '',
  mediaType: '',
  mostKB: '',
  groupColumn: '',
  groupSize: '',
  schema: '',
  recipient: 'consumer',
  hold: 'no',
  holdHours: '',
};
export const noTerms: TermsDraft = {
  isDeclared: false,
  outputs: [],
  approval: 'no',
  approvalHours: '',
  runLimit: '',
  runHours: '',
  isPerConsumer: false,
  retentionHours: '',
};

/** The part of a service that says them. What is typed and makes no sense goes in as it is: the daemon's checks say what is wrong with it. */
export function termsOf({ isDeclared, outputs, runLimit, runHours, isPerConsumer, retentionHours, ...terms }: TermsDraft): JsonObject {
  return {
    ...(isDeclared && { outputs: outputs.map(outputOf) }),
    ...waitOf('approval', terms.approval, 'manual', terms.approvalHours),
    ...given('retentionHours', retentionHours),
    ...((runLimit !== '' || runHours !== '') && {
      runs: { ...given('limit', runLimit), ...given('perHours', runHours), ...(isPerConsumer && { per: 'consumer' }) },
    }),
  };
}

function outputOf(output: OutputDraft): JsonObject {
  const { name, mediaType, mostKB, groupColumn, groupSize, schema, recipient, hold, holdHours } = output;
  const most = typedValue(mostKB.trim());
  return {
    name: name.trim(),
    ...(mediaType !== '' && { mediaType }),
    ...given('schema', schema),
    ...(mostKB.trim() !== '' && { maxBytes: typeof most === 'number' ? Math.round(most * 1000) : most }),
    ...((groupColumn !== '' || groupSize !== '') && { minGroupSize: { column: groupColumn, ...given('size', groupSize) } }),
    ...(recipient === 'owner' && { recipient }),
    ...waitOf('hold', hold, true, holdHours),
  };
}

const given = (key: string, typed: string): JsonObject => (typed.trim() === '' ? {} : { [key]: typedValue(typed.trim()) });

const waitOf = (key: string, wait: Wait, usual: Json, hours: string): JsonObject =>
  wait === 'no' ? {} : { [key]: wait === 'usual' ? usual : { ...given('deadlineHours', hours) } };
