/** The index on disk is not what was written there. It is named, and built again from the chain; nothing of it is believed. */
export class IndexDamage extends Error {}

/** Of SQLite, by the low byte of its code: the file cannot be used here and now, though nothing is wrong with it. */
const UNUSABLE = new Map([
  [3, 'no permission'],
  [5, 'another process holds it'],
  [6, 'another process holds it'],
  [7, 'out of memory'],
  [8, 'it is read-only'],
  [13, 'the disk is full'],
  [14, 'it cannot be opened'],
]);

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;

/** Why the file cannot be used, when that is what the error says. */
export function unusableReason(error: unknown): string | undefined {
  const code = codeOf(error);
  return code === undefined ? undefined : UNUSABLE.get(code);
}

/** Everything else that SQLite finds is damage: a header that is none, a page that leads nowhere, a schema that is another. */
export function damageOf(error: unknown): IndexDamage | undefined {
  if (error instanceof IndexDamage) return error;
  if (codeOf(error) === undefined || unusableReason(error) !== undefined) return undefined;
  return new IndexDamage(error instanceof Error ? error.message : String(error), { cause: error });
}

const CONSTRAINT = 19;

/** A row is there already: what was to be added cannot follow what was added before. */
export const isConstraint = (error: unknown): boolean => codeOf(error) === CONSTRAINT;
