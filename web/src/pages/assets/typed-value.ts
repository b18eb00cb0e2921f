import type { Json } from '../../../../src/documents/canonical.js';

/** What a person types: JSON where it is JSON, else the text itself. */
export function typedValue(typed: string): Json {
  try {
    return JSON.parse(typed) as Json;
  } catch {
    return typed;
  }
}

/** What to type for a value. */
export const typedAs = (value: Json): string => (typeof value === 'string' && typedValue(value) === value ? value : JSON.stringify(value));
