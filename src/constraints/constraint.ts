import { isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import { type Effort, newEffort } from './effort.js';
import { refuseSchema } from './refuse-schema.js';

/**
 * A constraint, read. `{}` is any value; an object with `$match` is a JSON Schema; any other object is matched key by key; all else is a
 * literal that must be equal. A key that starts with `$` and is not a lone `$match` is unknown, and unknown is denied; so is a schema that
 * cannot be used, and a list with something open in it, because a list is one literal.
 */
export type Constraint =
  | { readonly kind: 'any' }
  | { readonly kind: 'match'; readonly schema: Json }
  | { readonly kind: 'keys'; readonly keys: Readonly<Record<string, Json>> }
  | { readonly kind: 'equals'; readonly value: Json }
  | { readonly kind: 'unknown'; readonly reason: string };

export function readConstraint(source: Json, effort: Effort = newEffort()): Constraint {
  if (Array.isArray(source))
    return isFixed(source) ? { kind: 'equals', value: source } : unknown('a list is one literal; nothing in it can be {} or a $ keyword');
  if (!isObject(source)) return { kind: 'equals', value: source };
  const keys = Object.keys(source);
  if (keys.length === 0) return { kind: 'any' };
  const keywords = keys.filter((key) => key.startsWith('$'));
  if (keywords.length === 0) return { kind: 'keys', keys: source };
  const strange = keywords.find((key) => key !== '$match');
  if (strange !== undefined) return unknown(`the keyword ${strange.slice(0, 100)} is not known; only $match is`);
  if (keys.length > 1) return unknown('$match stands alone in its object');
  const schema = source['$match'] ?? null;
  const refused = refuseSchema(schema, effort);
  return refused === undefined ? { kind: 'match', schema } : unknown(`$match cannot be used: ${refused}`);
}

/** Whether a value leaves nothing open: no `{}` and no `$` keyword anywhere in it. */
export const isFixed = (value: Json): boolean => openPlaces(value).length === 0;

/** The places in a value that an algorithm would still have to fix, as pointers into it. */
export function openPlaces(value: Json, path: readonly (string | number)[] = []): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => openPlaces(item, [...path, i]));
  if (!isObject(value)) return [];
  const keys = Object.keys(value);
  if (keys.length === 0 || keys.some((key) => key.startsWith('$'))) return [pointer(...path)];
  return keys.flatMap((key) => openPlaces((value as JsonObject)[key] ?? null, [...path, key]));
}

/** Everything in a value that nobody understands, each with its place: no level may pass such a thing on. */
export function flawsOf(value: Json, effort: Effort = newEffort(), path: readonly string[] = []): readonly string[] {
  const read = readConstraint(value, effort);
  if (read.kind === 'unknown') return [path.length === 0 ? read.reason : `${pointer(...path)}: ${read.reason}`];
  return read.kind === 'keys' ? Object.entries(read.keys).flatMap(([key, inner]) => flawsOf(inner, effort, [...path, key])) : [];
}

const unknown = (reason: string): Constraint => ({ kind: 'unknown', reason });
