import { RE2JS } from 're2js';
import { canonicalBytes, inspectJson, isObject, type Json } from '../documents/canonical.js';
import { type Effort, newEffort, spend, TOO_MUCH } from './effort.js';

export const schemaLimits = { bytes: 16_384, depth: 8, patternLength: 500, patternProgram: 2_000 } as const;

/** The keywords that hold other schemas, by how they hold them. */
const holders: ReadonlyMap<string, 'one' | 'list' | 'map'> = new Map([
  ['items', 'one'],
  ['additionalProperties', 'one'],
  ['not', 'one'],
  ['prefixItems', 'list'],
  ['allOf', 'list'],
  ['anyOf', 'list'],
  ['oneOf', 'list'],
  ['properties', 'map'],
]);

const typeNames: ReadonlySet<Json> = new Set<Json>(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']);
const isText = (value: Json): boolean => typeof value === 'string';
const isNumber = (value: Json): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: Json): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isFilled = (value: Json): boolean => Array.isArray(value) && value.length > 0;
const isSet = (value: Json, holds: (item: Json) => boolean): boolean =>
  Array.isArray(value) && new Set(value).size === value.length && value.every(holds);

type Form = readonly [wants: string, holds: (value: Json) => boolean];
const text: Form = ['a text', isText];
const number: Form = ['a number', isNumber];
const count: Form = ['a whole number from 0', isCount];
const list: Form = ['a list that is not empty', isFilled];
const schema: Form = ['a schema', () => true];

/**
 * The keywords of JSON Schema 2020-12 that a `$match` may use, and what each wants. References and formats are left out on purpose: a
 * constraint has to be decidable from its own bytes, in time that its size bounds.
 */
// biome-ignore format: one line a group
const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['type', ['a type, or a list of different types', (value) => typeNames.has(value) || (isFilled(value) && isSet(value, (item) => typeNames.has(item)))]],
  ['const', ['a value', () => true]], ['enum', list], ['title', text], ['description', text],
  ['minimum', number], ['maximum', number], ['exclusiveMinimum', number], ['exclusiveMaximum', number],
  ['multipleOf', ['a number above 0', (value) => isNumber(value) && Number(value) > 0]],
  ['minLength', count], ['maxLength', count], ['pattern', text],
  ['items', schema], ['prefixItems', list], ['minItems', count], ['maxItems', count],
  ['properties', ['an object of schemas', isObject]], ['required', ['a list of different texts', (value) => isSet(value, isText)]],
  ['additionalProperties', schema], ['minProperties', count], ['maxProperties', count],
  ['allOf', list], ['anyOf', list], ['oneOf', list], ['not', schema],
]);

/** Why a schema is not one that may stand in a constraint; undefined when it may. */
export function refuseSchema(root: Json, effort: Effort = newEffort()): string | undefined {
  const { nodes, tooDeep, flaw } = inspectJson(root);
  if (tooDeep) return 'it is nested too deep';
  if (flaw !== undefined) return flaw;
  if (isObject(root) && Object.keys(root).length === 0) return 'it is empty; write {} for any value';
  if (!spend(effort, nodes)) return TOO_MUCH;
  if (canonicalBytes(root).byteLength > schemaLimits.bytes) return `it is larger than ${schemaLimits.bytes} bytes`;
  return refuseInside(root, 0, { program: 0, effort });
}

/** `program`: what the patterns met so far cost together. */
interface Spent {
  program: number;
  readonly effort: Effort;
}

function refuseInside(source: Json, depth: number, spent: Spent): string | undefined {
  if (depth > schemaLimits.depth) return `it is nested deeper than ${schemaLimits.depth} levels`;
  if (typeof source === 'boolean') return undefined;
  if (!isObject(source)) return 'a schema is an object or a boolean';
  for (const [keyword, value] of Object.entries(source)) {
    const form = forms.get(keyword);
    if (form === undefined) return `the keyword ${keyword.slice(0, 100)} is not allowed here`;
    if (!form[1](value)) return `${keyword} wants ${form[0]}`;
    const reason = keyword === 'pattern' && typeof value === 'string' ? refusePattern(value, spent) : undefined;
    if (reason !== undefined) return reason;
    for (const inner of heldBy(keyword, value)) {
      const within = refuseInside(inner, depth + 1, spent);
      if (within !== undefined) return within;
    }
  }
  return undefined;
}

function heldBy(keyword: string, value: Json): readonly Json[] {
  const how = holders.get(keyword);
  if (how === 'one') return [value];
  if (how === 'list' && Array.isArray(value)) return value;
  return how === 'map' && isObject(value) ? Object.values(value) : [];
}

/** RE2 knows no look-around and no back references, and runs in linear time; what is left to bound is how large its program gets. */
function refusePattern(pattern: string, spent: Spent): string | undefined {
  if (pattern.length > schemaLimits.patternLength) return `a pattern has at most ${schemaLimits.patternLength} characters`;
  let program: number;
  try {
    program = RE2JS.compile(pattern).programSize();
  } catch (error) {
    return `the pattern ${JSON.stringify(pattern)} is not one of RE2: ${(error as Error).message}`;
  }
  spent.program += program;
  if (!spend(spent.effort, 100 * program)) return TOO_MUCH;
  return spent.program > schemaLimits.patternProgram ? 'its patterns repeat too much' : undefined;
}
