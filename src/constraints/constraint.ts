import { isObject, type Json, type JsonObject } from '../documents/canonical.js';

/**
 * A constraint, read. `{}` is any value; an object with `$match` is a JSON Schema; any other object is matched key by key; all else is a
 * literal that must be equal. A key that starts with `$` and is not a lone `$match` is unknown, and unknown is denied.
 */
export type Constraint =
  | { readonly kind: 'any' }
  | { readonly kind: 'match'; readonly schema: Json }
  | { readonly kind: 'keys'; readonly keys: Readonly<Record<string, Json>> }
  | { readonly kind: 'equals'; readonly value: Json }
  | { readonly kind: 'unknown'; readonly reason: string };

export function readConstraint(source: Json): Constraint {
  if (!isObject(source)) return hasKeyword(source) ? unknown('a list cannot hold $ keywords') : { kind: 'equals', value: source };
  const keys = Object.keys(source);
  if (keys.length === 0) return { kind: 'any' };
  const keyword = keys.find((key) => key.startsWith('$'));
  if (keyword === undefined) return { kind: 'keys', keys: source };
  if (keyword !== '$match') return unknown(`the keyword ${keyword} is not known; only $match is`);
  if (keys.length > 1) return unknown('$match stands alone in its object');
  return { kind: 'match', schema: source['$match'] ?? null };
}

/** Whether a value leaves nothing open: no `{}` and no `$match` anywhere in it. */
export function isFixed(value: Json): boolean {
  if (Array.isArray(value)) return value.every(isFixed);
  if (!isObject(value)) return true;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => !key.startsWith('$') && isFixed((value as JsonObject)[key] ?? null));
}

const unknown = (reason: string): Constraint => ({ kind: 'unknown', reason });

function hasKeyword(value: Json): boolean {
  if (Array.isArray(value)) return value.some(hasKeyword);
  return isObject(value) && Object.entries(value).some(([key, inner]) => key.startsWith('$') || hasKeyword(inner));
}
