import { type Json, pointer } from '../canonical.js';

/** Forms that the release gate can check; `application/octet-stream` is any bytes. */
export const mediaTypes = [
  'application/json',
  'application/jsonl',
  'text/csv',
  'text/plain',
  'image/png',
  'application/octet-stream',
] as const;
export type MediaType = (typeof mediaTypes)[number];

/** One kind of file that may leave. A file that several rules name must meet all of them. */
export interface OutputRule {
  /** Path below outputs/: exact, or with one `*` for any characters but `/`. */
  readonly name: string;
  readonly mediaType?: MediaType;
  /** JSON Schema (as in `$match`) of the content, which then is JSON; of each line, for JSON lines. */
  readonly schema?: Json;
  readonly maxBytes?: number;
  /** For a CSV table of groups: the column that says how many stand behind each row, and the smallest number that may leave. */
  readonly minGroupSize?: { readonly column: string; readonly size: number };
  /** `owner`: its name and digest stand in the receipt, its content stays. `consumer` when absent. */
  readonly recipient?: 'consumer' | 'owner';
  /** The owner looks at it before it leaves; not in time is no. */
  readonly hold?: true | Deadline;
}

export interface Deadline {
  readonly deadlineHours: number;
}

/** How many jobs may use a service: what many answers about slightly different data tell together, no single one tells. */
export interface RunLimit {
  readonly limit: number;
  /** Of the last so many hours; of all times when absent. */
  readonly perHours?: number;
  /** `consumer`: each consumer has a limit of its own; all have one together when absent. */
  readonly per?: 'consumer';
}

/** What the owner of a leaf asks for around a run, beside the constraint of the parameters. Only leaves have it, so no level above can loosen it. */
export interface ReleaseTerms {
  /** With it only what it declares leaves; `[]`: nothing. Without it, what the agreed operator writes leaves. */
  readonly outputs?: readonly OutputRule[];
  /** The owner looks at each request before it is queued. */
  readonly approval?: 'manual' | Deadline;
  /** A run's folder is deleted so long after its end, or earlier if the daemon says so. */
  readonly retentionHours?: number;
  readonly runs?: RunLimit;
}

/** Where the document gives no deadline: a week. */
const USUAL_DEADLINE_HOURS = 168;
const HOUR_MS = 3_600_000;

/** How long the owner has to answer. */
export const deadlineMs = (asked: true | 'manual' | Deadline): number =>
  (typeof asked === 'object' ? asked.deadlineHours : USUAL_DEADLINE_HOURS) * HOUR_MS;

const hours = { type: 'number', exclusiveMinimum: 0, maximum: 87_600 } as const;
const deadline = {
  type: 'object',
  required: ['deadlineHours'],
  additionalProperties: false,
  properties: { deadlineHours: hours },
} as const;

/** For the schema of a service. */
export const releaseTermsProperties = {
  outputs: {
    type: 'array',
    maxItems: 64,
    items: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 500 },
        mediaType: { enum: mediaTypes },
        schema: {},
        maxBytes: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        minGroupSize: {
          type: 'object',
          required: ['column', 'size'],
          additionalProperties: false,
          properties: { column: { type: 'string', minLength: 1, maxLength: 200 }, size: { type: 'integer', minimum: 1 } },
        },
        recipient: { enum: ['consumer', 'owner'] },
        hold: { anyOf: [{ const: true }, deadline] },
      },
    },
  },
  approval: { anyOf: [{ const: 'manual' }, deadline] },
  retentionHours: hours,
  runs: {
    type: 'object',
    required: ['limit'],
    additionalProperties: false,
    properties: { limit: { type: 'integer', minimum: 1, maximum: 1_000_000 }, perHours: hours, per: { const: 'consumer' } },
  },
} as const;

/** The terms of a service alone, so that a document without them keeps its bytes. */
export const releaseTermsOf = ({ outputs, approval, retentionHours, runs }: ReleaseTerms): ReleaseTerms => ({
  ...(outputs !== undefined && { outputs }),
  ...(approval !== undefined && { approval }),
  ...(retentionHours !== undefined && { retentionHours }),
  ...(runs !== undefined && { runs }),
});

/** What a rule promises to check and could not: its place below the service and why. */
export function flawOfTerms({ outputs }: ReleaseTerms): { readonly pointer: string; readonly reason: string } | undefined {
  for (const [i, { name, mediaType, schema, minGroupSize }] of (outputs ?? []).entries()) {
    const flaw = (key: string, reason: string) => ({ pointer: pointer('outputs', i, key), reason });
    if (!isOutputName(name)) return flaw('name', 'it is a path below outputs/ with / between folders and at most one *, without ./ and ..');
    if (schema !== undefined && mediaType !== undefined && !mediaType.startsWith('application/json'))
      return flaw('schema', `it is checked in JSON, not in ${mediaType}`);
    if (minGroupSize !== undefined && mediaType !== undefined && mediaType !== 'text/csv')
      return flaw('minGroupSize', `it is checked in text/csv, not in ${mediaType}`);
    if (schema !== undefined && minGroupSize !== undefined) return flaw('minGroupSize', 'it is checked in text/csv, and schema in JSON');
  }
  return undefined;
}

const isOutputName = (name: string): boolean =>
  !/[\\\p{C}]/u.test(name) && name.split('*').length <= 2 && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** The form that a rule asks for, also where it only implies it. */
export const mediaTypeOf = ({ mediaType, schema, minGroupSize }: OutputRule): MediaType | undefined =>
  mediaType ?? (schema !== undefined ? 'application/json' : minGroupSize !== undefined ? 'text/csv' : undefined);

/** Whether a rule is about the file of this name. */
export function namesOutput(rule: Pick<OutputRule, 'name'>, name: string): boolean {
  const [before = '', after] = rule.name.split('*');
  if (after === undefined) return name === before;
  const between = name.slice(before.length, name.length - after.length);
  return name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after) && !between.includes('/');
}

/** The limit in words. */
export const describeRuns = ({ limit, perHours, per }: RunLimit): string =>
  `at most ${limit} ${limit === 1 ? 'job' : 'jobs'}${per === 'consumer' ? ' of one consumer' : ''}${perHours === undefined ? '' : ` in ${perHours} hours`}`;
