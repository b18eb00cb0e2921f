import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';

/** Copies of folders below `scratch`, each with one byte that was changed, cut off or added somewhere: `verified` must say no to all of them. */
export async function findsEveryChange(
  sources: readonly string[],
  scratch: string,
  verified: (folder: string) => Promise<boolean>,
  numRuns: number,
): Promise<void> {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('flip', 'truncate', 'delete', 'append', 'add'),
      async (pick, which, where, mask, change) => {
        const source = sources[pick % sources.length] as string;
        count += 1;
        const copy = join(scratch, `copy-${count}`);
        await cp(source, copy, { recursive: true });
        const entries = await readdir(copy, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
        const file = files[which % files.length] as string;
        const bytes = await readFile(file);
        const at = where % Math.max(1, bytes.length);
        if (change === 'add') await writeFile(join(file, '..', `added-${mask}`), '');
        else if (change === 'delete') await rm(file);
        else if (change === 'append') await writeFile(file, Buffer.concat([bytes, Buffer.of(mask)]));
        else if (bytes.length === 0)
          return; // an empty log
        else if (change === 'truncate') await truncate(file, at);
        else {
          bytes[at] = (bytes[at] as number) ^ mask;
          await writeFile(file, bytes);
        }
        expect(await verified(copy), `${change} ${file} at ${at} with ${mask}`).toBe(false);
        await rm(copy, { recursive: true });
      },
    ),
    { numRuns },
  );
}
