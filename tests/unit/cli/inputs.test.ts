import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Home, parseName } from '../../../src/cli/home.js';
import { readAssetAttributes, readOperatorContent, storePathOf } from '../../../src/cli/input-files.js';
import { namedFlags } from '../../../src/cli/named-flags.js';
import { directKey } from '../../../src/cli/open-signer.js';
import { parsePath } from '../../../src/cli/parse-path.js';
import { parseUntil } from '../../../src/cli/parse-until.js';
import { parseTokenId } from '../../../src/documents/ids.js';

const token = (digit: string) => parseTokenId(`dt:ownership:${digit.repeat(64)}`);

describe('--until', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const seconds = (iso: string): number => Date.parse(iso) / 1000;

  it('is a number of days, a date, a time, or never', () => {
    expect(parseUntil('30', now)).toBe(seconds('2026-03-31T12:00:00Z'));
    expect(parseUntil('1d', now)).toBe(seconds('2026-03-02T12:00:00Z'));
    expect(parseUntil('2026-03-01', now)).toBe(seconds('2026-03-01T23:59:59Z'));
    expect(parseUntil('2026-03-01T13:00Z', now)).toBe(seconds('2026-03-01T13:00:00Z'));
    expect(parseUntil('2026-03-01T13:00:00+02:00', new Date(0))).toBe(seconds('2026-03-01T11:00:00Z'));
    for (const never of [undefined, '', '0', 'never']) expect(parseUntil(never, now)).toBe(0);
  });

  it.each(['yesterday', '2026-02-28', '2026-02-30', '2026-13-01', '-5', '1.5', '1e3', '2026-03-01T13:00', '123456', '12/31/2026'])(
    'is not %s',
    (text) => {
      expect(() => parseUntil(text, now)).toThrow(expect.objectContaining({ code: 'DT_INPUT_INVALID' }));
    },
  );
});

describe('flags', () => {
  it('get their variable and the spelling with underscores, and keep what they had', () => {
    const flags = namedFlags({
      'attr-file': Flags.string({ description: 'd' }),
      dt: Flags.string({ aliases: ['cdt'] }),
      all: Flags.boolean(),
    });
    expect(flags['attr-file']).toMatchObject({ env: 'DT_ATTR_FILE', aliases: ['attr_file'], description: 'd' });
    expect(flags.dt).toMatchObject({ env: 'DT_DT', aliases: ['cdt'] });
    expect(flags.all).toMatchObject({ env: 'DT_ALL', type: 'boolean' });
  });

  it('that were typed are meant more than variables', () => {
    const before = { ...process.env };
    try {
      process.env['DT_PRIVATE_KEY'] = 'of the environment';
      expect(directKey({ 'private-key': 'of the environment' })).toBe('of the environment');
      expect(directKey({ 'private-key': 'of the environment', key: 'bank' })).toBeUndefined();
      expect(directKey({ 'private-key': 'typed', key: 'bank' })).toBe('typed');
      process.env['DT_KEY'] = 'bank';
      expect(directKey({ 'private-key': 'of the environment', key: 'bank' })).toBe('of the environment');
      expect(directKey({ 'private-key': '' })).toBeUndefined();
    } finally {
      process.env = before;
    }
  });
});

describe('files and names', () => {
  let folder: string;
  let home: Home;
  const write = (name: string, value: unknown): Promise<void> =>
    writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  const at = (name: string): string => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-input-'));
    home = new Home(join(folder, 'home'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const operator = (more: object = {}) => ({
    metadata: { main: { type: 'Operation', name: 'x' } },
    operation: at('op.mjs'),
    params: at('params.json'),
    ...more,
  });

  it('an operator is read with its code and its template', async () => {
    await write('op.mjs', '// code\n');
    await write('params.json', { a: {} });
    await write('op.json', operator());
    expect(await readOperatorContent(at('op.json'))).toEqual({
      metadata: { main: { type: 'Operation', name: 'x' } },
      runtime: 'node',
      operation: '// code\n',
      params: { a: {} },
    });
  });

  it('an operator that cannot be read says which file, and where it is looked for', async () => {
    await write('params.json', { a: {} });
    await write('op.json', operator());
    const named = expect.stringMatching(/op\.mjs.*named in .*op\.json/s);
    await expect(readOperatorContent(at('op.json'))).rejects.toMatchObject({ code: 'DT_INPUT_FILE', message: named });
    await writeFile(at('op.mjs'), Buffer.from([0x2f, 0x2f, 0xff]));
    await expect(readOperatorContent(at('op.json'))).rejects.toMatchObject({
      code: 'DT_INPUT_FILE',
      message: expect.stringContaining('UTF-8'),
    });
    await write('op.mjs', '//');
    await write('params.json', '[1]');
    await expect(readOperatorContent(at('op.json'))).rejects.toMatchObject({ code: 'DT_DOCUMENT_INVALID' });
    await write('op.json', operator({ operation: at('op.mjs'), extra: 1 }));
    await expect(readOperatorContent(at('op.json'))).rejects.toMatchObject({ code: 'DT_DOCUMENT_INVALID' });
  });

  it('names stand for tokens in flags, in attribute files and in their keys', async () => {
    await home.saveName('leaf', token('1'));
    expect(await home.tokenId('@leaf', '--dt')).toBe(token('1'));
    await expect(home.tokenId('leaf', '--dt')).rejects.toThrow('did you mean @leaf?');
    await expect(home.tokenId('twig', '--dt')).rejects.toThrow('a name given with --as');
    await write('a.json', {
      metadata: { main: { type: 'Dataset', name: 'union of @leaf' } },
      child_dts: ['@leaf'],
      services: [{ index: 's', descriptor: { workflow: { '@leaf': { service: 'x', constraint: {} } } } }],
    });
    expect(await readAssetAttributes(home, at('a.json'))).toMatchObject({
      metadata: { main: { name: 'union of @leaf' } },
      child_dts: [token('1')],
      services: [{ descriptor: { workflow: { [token('1')]: { service: 'x' } } } }],
    });
    await home.saveName('leaf', token('2'));
    expect(await home.tokenId('@leaf', '--dt')).toBe(token('2'));
    for (const bad of ['', '../x', '@x', 'a b', 'x'.repeat(65)])
      expect(() => parseName(bad)).toThrow(expect.objectContaining({ code: 'DT_INPUT_INVALID' }));
  });

  it('a path is sent absolute, a URL as it is', () => {
    expect(storePathOf('./data/x.csv')).toBe(resolve('data/x.csv'));
    expect(storePathOf('/srv/x.csv')).toBe('/srv/x.csv');
    expect(storePathOf('webhdfs://host/x.csv')).toBe('webhdfs://host/x.csv');
  });

  it('a path is tokens, by name or id', async () => {
    await home.saveName('a', token('a'));
    expect(await parsePath(home, `@a,${token('b')}`)).toEqual({ start: token('a'), below: [token('b')] });
    await expect(parsePath(home, ' , ')).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
  });
});
