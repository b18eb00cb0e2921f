import { writeFile } from 'node:fs/promises';
import { canonicalBytes } from '../documents/canonical.js';
import type { InputOpening } from '../documents/receipt/evidence.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** For its owner's eyes, until it gives it away. Nothing is overwritten. @throws DT_INPUT_FILE */
export async function saveOpening(path: string, opening: InputOpening): Promise<void> {
  await writeFile(path, canonicalBytes(opening), { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: error.code === 'EEXIST' ? 'it is there already' : error.message }, error);
  });
}
