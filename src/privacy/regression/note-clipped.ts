import type { PreparedColumns } from './columns.js';
import type { FitHooks } from './held-out.js';

/** Tells people at this bank, and no one else, which of its values were cut. */
export function noteClipped(prepared: PreparedColumns, hooks: FitHooks): void {
  prepared.clipped.forEach((count, j) => {
    if (count > 0) hooks.note?.(`Column ${prepared.names[j]}: ${count} values clipped`);
  });
}
