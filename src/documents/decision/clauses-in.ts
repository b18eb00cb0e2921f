import type { Clause } from './decision.js';

/** The clauses in the details of a refusal. These may come from a daemon of somebody else, in whatever shape. */
export function clausesIn(value: unknown): readonly Clause[] {
  if (!Array.isArray(value)) return [];
  const isText = (text: unknown): boolean => typeof text === 'string';
  return value.filter((clause): clause is Clause => [clause?.of, clause?.pointer, clause?.rule].every(isText));
}
