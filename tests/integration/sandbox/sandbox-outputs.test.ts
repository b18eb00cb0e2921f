import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { collectOutputs, openOutput } from '../../../src/sandbox/outputs.js';
import { probeSandbox } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { isolatingLevels, JobShelf } from './support/sandbox-jobs.js';

const run = promisify(execFile);
const refusal = (name: string, reason: RegExp | string): unknown => ({
  code: 'DT_JOB_OUTPUT_REFUSED',
  details: { name, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) },
});

describe('collecting outputs from a folder', () => {
  let folder: string;
  let outputs: string;
  let outside: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'dt-outputs-')));
    outputs = join(folder, 'outputs');
    outside = join(folder, 'secret');
    await mkdir(outputs);
    await mkdir(outside);
    await writeFile(join(outside, 'key'), 'secret');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lists plain files by name, with length and digest, in every depth', async () => {
    await mkdir(join(outputs, 'sub', 'deeper'), { recursive: true });
    await writeFile(join(outputs, 'b.csv'), 'abc');
    await writeFile(join(outputs, 'sub', 'deeper', 'Größe 1.json'), '');
    await writeFile(join(outputs, 'a'), Buffer.alloc((3 << 20) + 1));
    expect(await collectOutputs(folder)).toEqual([
      { name: 'a', sizeBytes: 3145729, sha256: '0x5983281b51c767c831104f52c95e4075f27e6f4fa8dd0526e3929f79176a1217' },
      { name: 'b.csv', sizeBytes: 3, sha256: '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
      { name: 'sub/deeper/Größe 1.json', sizeBytes: 0, sha256: '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
    ]);
    const file = await openOutput(folder, 'sub/deeper/Größe 1.json');
    expect(await file.readFile('utf8')).toBe('');
    await file.close();
  });

  it.each([
    ['a symbolic link to a file', () => symlink(join(outside, 'key'), join(outputs, 'x'))],
    ['a symbolic link to a folder', () => symlink(outside, join(outputs, 'x'))],
    ['a symbolic link to nothing', () => symlink('nowhere', join(outputs, 'x'))],
    ['a symbolic link to another output', () => writeFile(join(outputs, 'w'), '').then(() => symlink('w', join(outputs, 'x')))],
    ['a hard link to the outside', () => link(join(outside, 'key'), join(outputs, 'x'))],
    ['a pipe', () => run('/usr/bin/mkfifo', [join(outputs, 'x')])],
  ])('refuses %s', async (_, make) => {
    await make();
    await expect(collectOutputs(folder)).rejects.toMatchObject(refusal('x', /link|plain file/) as object);
    await expect(openOutput(folder, 'x')).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
  });

  it('refuses a socket', async () => {
    const server = createServer();
    server.listen(join(outputs, 'x'));
    await once(server, 'listening');
    await expect(collectOutputs(folder)).rejects.toMatchObject(refusal('x', /plain file/) as object);
    server.close();
  });

  it('refuses when outputs itself, or a folder on the way, is a link', async () => {
    await rm(outputs, { recursive: true });
    await symlink(outside, outputs);
    await expect(collectOutputs(folder)).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
    await rm(outputs);
    await mkdir(outputs);
    await symlink(outside, join(outputs, 'sub'));
    await expect(openOutput(folder, 'sub/key')).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
  });

  it.each(['../secret/key', '/etc/passwd', 'a/../../secret/key', '', '.', 'a//b', 'a\0b'])(
    'opens nothing for the name %j',
    async (name) => {
      await expect(openOutput(folder, name)).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
    },
  );

  it.each([
    ['a line break', 'a\nb'],
    ['an escape sequence', 'a\u001b[2Jb'],
    ['a reversed reading order', 'a\u202egnp.exe'],
    ['a separator of other systems', '..\\x'],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from('a'), Buffer.from([0xff, 0xfe])])],
  ])('refuses a name with %s', async (_, name) => {
    await writeFile(Buffer.concat([Buffer.from(`${outputs}/`), Buffer.from(name)]), 'x');
    const failed = await collectOutputs(folder).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
    expect(String((failed as Error).message)).not.toMatch(/\p{C}/u);
  });

  it('bounds number, length and depth', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(outputs, name), 'xxxx');
    await expect(collectOutputs(folder, { maxEntries: 2 })).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
    await expect(collectOutputs(folder, { maxBytes: 11 })).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
    expect(await collectOutputs(folder, { maxEntries: 3, maxBytes: 12 })).toHaveLength(3);
    await mkdir(join(outputs, ...'abcdefghijklmnopqrst'.split('').map((name) => `${name}${name}`)), { recursive: true });
    await expect(collectOutputs(folder)).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED' });
  });
});

const probe = await probeSandbox();
const shelf = new JobShelf();
afterAll(() => shelf.clear());

for (const { level, available } of isolatingLevels(probe)) {
  describe.skipIf(!available)(`outputs of jobs at level ${level}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe });
    });

    it('come out byte for byte, with their folders', async () => {
      const code = `import os
os.makedirs('outputs/sub/deeper')
open('outputs/sub/deeper/x', 'wb').write(bytes(range(256)) * 9000)
open('outputs/sparse', 'wb').truncate(3 << 20)
os.chmod('outputs/sparse', 0o444)`;
      const { exit, folder } = await shelf.runCode(sandbox, 'python3', code);
      expect([exit.exitCode, exit.limitHit]).toEqual([0, undefined]);
      expect(await collectOutputs(folder)).toEqual([
        { name: 'sparse', sizeBytes: 3145728, sha256: '0xbbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5' },
        { name: 'sub/deeper/x', sizeBytes: 2304000, sha256: '0x62bf4dac314280c65bfec2a49872d67974db10af14c8a4b84c70166fb11252b9' },
      ]);
    });

    it.each([
      ['a symbolic link', "os.symlink('/etc/passwd', 'outputs/x')", 'x'],
      ['a symbolic link to a folder', "os.symlink('/job/inputs', 'outputs/x')", 'x'],
      ['a hard link', "open('outputs/y', 'w'); os.link('outputs/y', 'outputs/x')", 'x'],
      ['a pipe', "os.mkfifo('outputs/x')", 'x'],
      ['a socket', "os.mknod('outputs/x', 0o140600)", 'x'],
      ['a deceiving name', "open('outputs/x\\x1b[2J', 'w')", 'x\\u001b[2J'],
      [
        'a file that nobody may read, for a daemon that is not root',
        "open('outputs/x', 'w'); os.symlink('x', 'outputs/z'); os.chmod('outputs/x', 0)",
        '',
      ],
    ])('are refused for %s, and no link reaches the host', async (_, harm, name) => {
      const { exit, folder } = await shelf.runCode(sandbox, 'python3', `import os\nopen('outputs/good', 'w').write('1')\n${harm}`);
      expect([exit.exitCode, exit.limitHit]).toEqual([0, undefined]);
      await expect(collectOutputs(folder)).rejects.toMatchObject({
        code: 'DT_JOB_OUTPUT_REFUSED',
        details: { name: name === '' ? expect.any(String) : name },
      });
      const listing = await run('/usr/bin/find', [folder, '-not', '-type', 'f', '-not', '-type', 'd']);
      expect(listing.stdout).toBe('');
    });

    it('do not come out of a run that a limit or an abort ended', async () => {
      const code = "import time; open('outputs/x', 'w').write('half'); print('written', flush=True); time.sleep(600)";
      const timed = await shelf.runCode(sandbox, 'python3', code, { wallMs: 500 });
      expect(timed.exit.limitHit).toBe('wall');
      expect(await readdir(join(timed.folder, 'outputs'))).toEqual([]);
    });

    it('are not reached by names that lead out of the folder', async () => {
      const { stdout, folder } = await shelf.runCode(
        sandbox,
        'python3',
        "for name in ['outputs/../x', 'outputs/../../x', '../x', '/job/x']:\n    try: open(name, 'w'); print('written', name)\n    except OSError as e: print(e.errno)",
      );
      expect(stdout).toBe('30\n30\n30\n30\n');
      expect((await readdir(folder)).sort()).toEqual(['args.json', 'inputs', 'logs', 'operator', 'outputs']);
    });
  });
}
