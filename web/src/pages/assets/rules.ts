import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import { inputPath } from './input-path.js';
import { typedAs, typedValue } from './typed-value.js';

export const modes = ['any', 'exact', 'oneOf', 'range', 'whole', 'entries', 'json'] as const;
export type Mode = (typeof modes)[number];
/** What an entry of an object may be. */
export const entryModes = ['any', 'exact', 'oneOf', 'range', 'whole'] as const satisfies readonly Mode[];

/** What the owner allows for one parameter, as it stands in the form. */
export interface Rule {
  readonly path: readonly string[];
  readonly mode: Mode;
  readonly value: string;
  readonly most: string;
  /** Of `entries`: what must be in the object. */
  readonly entries?: readonly Rule[];
}

export const newEntry = (name = '', mode: (typeof entryModes)[number] = 'any'): Rule => ({ path: [name], mode, value: '', most: '' });

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOpen = (value: JsonObject): boolean => Object.keys(value).length === 0 || '$match' in value;

/** A rule for each parameter of an operator: as wide as the operator has it, but for its input, which is the file. */
export function rulesFor(params: JsonObject, file: string, path: readonly string[] = []): readonly Rule[] {
  return Object.entries(params).flatMap(([key, value]): readonly Rule[] => {
    const at = [...path, key];
    if (isObject(value) && !isOpen(value)) return rulesFor(value, file, at);
    const rule = { path: at, most: '' };
    if (!isObject(value)) return [{ ...rule, mode: 'exact', value: JSON.stringify(value) }];
    if ('$match' in value) return [{ ...rule, mode: 'json', value: JSON.stringify(value), ...fieldsOf(value['$match']) }];
    return at[0] === 'inputs' && file !== '' ? [{ ...rule, mode: 'exact', value: inputPath(file) }] : [{ ...rule, mode: 'any', value: '' }];
  });
}

/** A schema that the form has fields for. */
function fieldsOf(schema: Json | undefined): Pick<Rule, 'mode' | 'value' | 'most'> | undefined {
  if (!isObject(schema)) return undefined;
  const { type, minimum, maximum, enum: values, ...others } = schema;
  if (Object.keys(others).length > 0) return undefined;
  if (Array.isArray(values) && type === undefined && minimum === undefined && maximum === undefined) {
    const typed = (values as readonly Json[]).map(typedAs);
    return typed.some((one) => /[,，]/.test(one)) ? undefined : { mode: 'oneOf', value: typed.join(', '), most: '' };
  }
  if ((type !== 'integer' && type !== 'number') || values !== undefined) return undefined;
  const shown = (bound: Json | undefined): string => (bound === undefined ? '' : JSON.stringify(bound));
  return { mode: type === 'integer' ? 'whole' : 'range', value: shown(minimum), most: shown(maximum) };
}

export function constraintOf(rule: Rule): Json {
  const typed = rule.value.trim();
  if (rule.mode === 'any') return {};
  if (rule.mode === 'exact' || rule.mode === 'json') return typedValue(typed);
  return { $match: schemaOf(rule) };
}

/** The rule as a schema: what it is within another. */
function schemaOf({ mode, value, most, entries = [] }: Rule): Json {
  const typed = value.trim();
  switch (mode) {
    case 'any':
      return {};
    case 'exact':
      return { const: typedValue(typed) };
    case 'oneOf':
      return { enum: typed.split(/[,，]/).map((one) => typedValue(one.trim())) };
    case 'range':
    case 'whole': {
      const bound = (key: string, text: string): JsonObject => (text.trim() === '' ? {} : { [key]: typedValue(text.trim()) });
      return { type: mode === 'whole' ? 'integer' : 'number', ...bound('minimum', typed), ...bound('maximum', most) };
    }
    case 'entries': {
      const named = entries.map((entry) => [entry.path[0]?.trim() ?? '', schemaOf(entry)] as const);
      return { type: 'object', properties: Object.fromEntries(named), required: [...new Set(named.map(([name]) => name))] };
    }
    case 'json':
      return typedValue(typed);
  }
}
