import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProgram } from '../../../src/cli/child-program.js';
import { takeDemoFolder } from '../../../src/cli/demo-folder.js';
import { runDt } from '../commands/dt-program.js';

describe('the folder of the demo', () => {
  let home: string;
  let folder: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dt-demo-folder-'));
    folder = join(home, 'demo');
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('of a running demo is refused to a second one before anything is removed', async () => {
    const release = await takeDemoFolder(folder);
    await writeFile(join(folder, 'bank-a.log'), 'x');
    const second = await runDt(['demo'], { home });
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain(`A demo runs already in ${folder} (process ${process.pid}). DT_DEMO_BUSY`);
    expect(second.stderr).toContain('npm start -- --home <folder>');
    expect(existsSync(join(folder, 'bank-a.log'))).toBe(true);
    release();
  });

  it('of a demo that is gone is emptied, whatever process its note names', async () => {
    await mkdir(join(folder, 'bank-a'), { recursive: true });
    await writeFile(join(folder, 'bank-a', 'daemon.yaml'), 'x');
    await writeFile(join(folder, 'holder.txt'), `process ${process.pid}`);
    const release = await takeDemoFolder(folder);
    expect((await readdir(folder)).filter((name) => !/^(lock\.db.*|holder\.txt)$/.test(name))).toEqual([]);
    release();
  });

  it('a program that ends before it is ready is told with its cause', async () => {
    const script = join(home, 'program.mjs');
    await writeFile(script, "console.error('starting\\n✗ Port 1 is in use.\\n  → Choose another.'); process.exit(3);");
    await expect(startProgram(script, ['daemon'], /ready/, join(home, 'log'), {})).rejects.toMatchObject({
      code: 'DT_DEMO_CHILD',
      message: '`dt daemon` ended with 3 before it was ready: Port 1 is in use.',
    });
  });
});
