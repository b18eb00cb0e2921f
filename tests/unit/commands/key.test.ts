import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonDt, runDt } from './dt-program.js';

// The first account of anvil's published mnemonic.
const PRIVATE = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

describe('dt key', () => {
  let home: string;
  const env = { DT_PASSWORD: 'correct horse' };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dt-key-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  it('creates encrypted keys; the first is the default until another is chosen', async () => {
    const first = await jsonDt(['key', 'create', '--name', 'one'], { home, env });
    const second = await jsonDt(['key', 'create', '--name', 'two'], { home, env });
    expect([first['isDefault'], second['isDefault']]).toEqual([true, false]);
    expect((await jsonDt(['key', 'list'], { home }))['keys']).toEqual([
      { name: 'one', address: first['address'], isDefault: true },
      { name: 'two', address: second['address'], isDefault: false },
    ]);
    await jsonDt(['key', 'use', '--name', 'two'], { home });
    const listed = await runDt(['key', 'list'], { home });
    expect(listed.stdout).toMatch(new RegExp(`two +${String(second['address'])} +default`));
    for (const name of await readdir(join(home, 'keystore'))) expect((await stat(join(home, 'keystore', name))).mode & 0o077).toBe(0);
  });

  it('says what may come next, unless it shall not', async () => {
    const said = await runDt(['key', 'create', '--name', 'one'], { home, env });
    const silent = await runDt(['key', 'create', '--name', 'two'], { home, env: { ...env, DT_HINTS: 'off' } });
    expect([said.stdout.includes('Next: '), silent.stdout.includes('Next: ')]).toEqual([true, false]);
    expect(silent.stdout).toContain('Key two created');
  });

  it('imports from the environment, a file and stdin, and writes the key nowhere in the clear', async () => {
    await writeFile(join(home, 'key.hex'), `0x${PRIVATE}\n`);
    const ways = [
      { name: 'env', argv: [], options: { env: { ...env, DT_PRIVATE_KEY: PRIVATE } } },
      { name: 'file', argv: ['--key-file', 'key.hex'], options: { env } },
      { name: 'stdin', argv: ['--key_file', '-'], options: { env, input: PRIVATE } },
    ];
    for (const { name, argv, options } of ways) {
      const key = await jsonDt(['key', 'import', '--name', name, ...argv], { home, ...options });
      expect(key).toMatchObject({ name, address: ADDRESS });
      expect(await readFile(join(home, 'keystore', `${name}.json`), 'utf8')).not.toContain(PRIVATE);
    }
  });

  it('says what was probably meant by a command that is none, and repeats no argument', async () => {
    const misspelt = await runDt(['keys', 'lst'], { home });
    expect(misspelt).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/`dt keys lst`.*\n.*`dt key list`/) });
    const argument = await runDt(['key', 'import', PRIVATE, '--json'], { home, env });
    expect(argument).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(argument.stdout)).toMatchObject({
      error: { code: 'DT_INPUT_ARGUMENT', hint: expect.stringContaining('--key-file') },
    });
    expect(argument.stdout).not.toContain(PRIVATE);
  });

  it('never overwrites a key, and says so before it asks for a password', async () => {
    await jsonDt(['key', 'create', '--name', 'one'], { home, env });
    const again = await runDt(['key', 'create', '--name', 'one'], { home });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('DT_KEY_EXISTS');
  });

  it('says that a key is not there, and where, before it asks for its password', async () => {
    const ended = await runDt(['job', 'init', '--name', 'x', '--key', 'nobody'], { home });
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/nobody in .*keystore\. DT_KEY_UNKNOWN\n/) });
  });

  it('refuses what it cannot use, without repeating it', async () => {
    const missing = await jsonDt(['key', 'create', '--name', 'one'], { home }, 2);
    expect(missing).toMatchObject({ error: { code: 'DT_INPUT_MISSING', message: expect.stringContaining('DT_PASSWORD') } });
    const empty = await jsonDt(['key', 'create', '--name', 'one'], { home, env: { DT_PASSWORD: '' } }, 2);
    expect(empty).toMatchObject({ error: { code: 'DT_INPUT_INVALID' } });
    const odd = await runDt(['key', 'import', '--name', 'odd'], { home, env: { ...env, DT_PRIVATE_KEY: `${PRIVATE}00` } });
    expect(odd.code).toBe(2);
    expect(odd.stdout + odd.stderr).not.toContain(PRIVATE);
    const path = await jsonDt(['key', 'create', '--name', '../up'], { home, env }, 2);
    expect(path).toMatchObject({ error: { code: 'DT_INPUT_INVALID' } });
    expect(await jsonDt(['key', 'use', '--name', 'nobody'], { home }, 2)).toMatchObject({ error: { code: 'DT_KEY_UNKNOWN' } });
    expect(await jsonDt(['key', 'list'], { home })).toEqual({ keys: [] });
  });
});
