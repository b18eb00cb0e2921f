import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RELEASED, recallOutputs, releasable } from '../../../src/tracer-daemon/pipeline/release.js';

describe('a release that was broken off', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-recall-'));
    await mkdir(join(folder, 'outputs', 'models'), { recursive: true });
    await writeFile(join(folder, 'outputs', 'models', 'b.json'), 'b');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is begun again with all files, whether they had been moved or not', async () => {
    await mkdir(join(folder, RELEASED, 'models', 'deep'), { recursive: true });
    await writeFile(join(folder, RELEASED, 'a.json'), 'a');
    await writeFile(join(folder, RELEASED, 'models', 'deep', 'c.json'), 'c');
    await recallOutputs(folder);
    expect((await releasable(folder, [])).leaving.map(({ name }) => name).sort()).toEqual([
      'a.json',
      'models/b.json',
      'models/deep/c.json',
    ]);
    expect(await readFile(join(folder, 'outputs', 'models', 'deep', 'c.json'), 'utf8')).toBe('c');
    // Once more finds nothing to do.
    await recallOutputs(folder);
    expect((await releasable(folder, [])).leaving).toHaveLength(3);
  });

  it('leaves outputs as they are where nothing was moved', async () => {
    await recallOutputs(folder);
    expect((await releasable(folder, [])).leaving.map(({ name }) => name)).toEqual(['models/b.json']);
  });
});
