import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutputRule } from '../../../src/documents/ddo/release-terms.js';
import { type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import type { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { releasable } from '../../../src/tracer-daemon/pipeline/release.js';
import type { LeafTerms } from '../../../src/tracer-daemon/pipeline/stages.js';

const token = (n: number): TokenId => tokenIdOf(n.toString(16).padStart(64, '0'));
const leaf = (outputs: readonly OutputRule[] | undefined, n = 1): LeafTerms => ({
  token: token(n),
  service: 0,
  ...(outputs !== undefined && { outputs }),
});
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(4), Buffer.from('0000000049454e44ae426082', 'hex')]);

describe('the release gate', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-gate-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
    await mkdir(join(folder, 'outputs'), { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, 'outputs', name)), { recursive: true });
      await writeFile(join(folder, 'outputs', name), content);
    }
  };
  const pass = async (files: Readonly<Record<string, string | Uint8Array>>, ...terms: readonly LeafTerms[]) => {
    await write(files);
    const { leaving, ...rest } = await releasable(folder, terms);
    return { leaving: leaving.map(({ name, recipient }) => (recipient === undefined ? name : `${name} ${recipient}`)), ...rest };
  };
  /** Why one file may not leave by one rule; undefined when it may. */
  const whyNot = (content: string | Uint8Array, rule: Omit<OutputRule, 'name'>): Promise<string | undefined> =>
    pass({ f: content }, leaf([{ name: 'f', ...rule }])).then(
      () => undefined,
      (error: ToolkitError) => {
        expect(error.code).toBe('DT_POLICY_OUTPUT');
        expect(error.details).toMatchObject({ name: 'f', pointer: '/services/0/outputs/0', id: token(1) });
        return String(error.details['reason']);
      },
    );

  it('lets out what the operator wrote where nothing is declared, and says nothing of what stays', async () => {
    expect(await pass({ a: '1', 'b/c': '2' }, leaf(undefined))).toEqual({ leaving: ['a', 'b/c'] });
    expect(await pass({ a: '1' })).toEqual({ leaving: ['a', 'b/c'] });
  });

  it('lets out nothing where nothing may leave', async () => {
    expect(await pass({ a: '1', 'b/c': '2' }, leaf([]))).toEqual({ leaving: [], withheld: 2 });
  });

  it('keeps back what is not declared, by name and place', async () => {
    expect(
      await pass({ 'a.csv': '', 'b.csv': '', 't/a.csv': '', 't/u/a.csv': '' }, leaf([{ name: 'a.csv' }, { name: 't/*.csv' }])),
    ).toEqual({
      leaving: ['a.csv', 't/a.csv'],
      withheld: 2,
    });
  });

  it('lets out what every leaf lets out, by the rules of all', async () => {
    const files = { 'a.json': '{}', 'b.json': '{}', 'c.json': '{}' };
    const one = leaf([{ name: '*.json', recipient: 'owner' }], 1);
    const two = leaf([{ name: 'a.json' }, { name: 'b.json', hold: { deadlineHours: 2 } }], 2);
    expect(await pass(files, one, two, leaf(undefined, 3))).toEqual({
      leaving: ['a.json owner', 'b.json owner'],
      withheld: 1,
      holdMs: 7_200_000,
    });
    const strict = leaf([{ name: 'b.json', maxBytes: 1 }], 2);
    await expect(pass(files, one, strict)).rejects.toMatchObject({ code: 'DT_POLICY_OUTPUT', details: { id: token(2), name: 'b.json' } });
  });

  it('asks for the shortest look at anything that is held', async () => {
    const rules: readonly OutputRule[] = [
      { name: '*', hold: true },
      { name: 'a', hold: { deadlineHours: 1 } },
      { name: 'x', hold: { deadlineHours: 0.1 } },
    ];
    expect(await pass({ a: '', b: '' }, leaf(rules))).toMatchObject({ leaving: ['a', 'b'], holdMs: 3_600_000 });
  });

  it.each<[string, string | Uint8Array, Omit<OutputRule, 'name'>, string | undefined]>([
    ['as large as allowed', '12345', { maxBytes: 5 }, undefined],
    ['larger', '123456', { maxBytes: 5 }, 'it is larger than 5 bytes'],
    ['JSON', '{"a": [1]}', { mediaType: 'application/json' }, undefined],
    ['no JSON', '{"a": [1}', { mediaType: 'application/json' }, 'it is not application/json'],
    ['JSON of bytes that are no text', Buffer.from([0x22, 0xff, 0x22]), { mediaType: 'application/json' }, 'it is not application/json'],
    [
      'JSON too deep to be checked',
      '['.repeat(80) + ']'.repeat(80),
      { mediaType: 'application/json' },
      'it is not application/json that can be checked',
    ],
    ['of the schema', '{"auc": 0.7}', { schema: { required: ['auc'] } }, undefined],
    ['not of the schema', '{"rows": [17]}', { schema: { required: ['auc'] } }, 'its content does not fit the schema'],
    ['of a schema that nobody understands', '{}', { schema: { $ref: '#' } }, 'its content does not fit the schema'],
    ['lines of the schema', '{"a":1}\n\n{"a":2}\n', { mediaType: 'application/jsonl', schema: { required: ['a'] } }, undefined],
    [
      'a line not of the schema',
      '{"a":1}\n{"b":2}\n',
      { mediaType: 'application/jsonl', schema: { required: ['a'] } },
      'its content does not fit the schema',
    ],
    ['a table', 'a,b\n1,2\n', { mediaType: 'text/csv' }, undefined],
    ['a table with a broken row', 'a,b\n1,2,3\n', { mediaType: 'text/csv' }, 'it is not text/csv'],
    ['groups that are large enough', 'g,n\nx,10\ny,12\n', { minGroupSize: { column: 'n', size: 10 } }, undefined],
    ['no groups at all', 'g,n\n', { minGroupSize: { column: 'n', size: 10 } }, undefined],
    [
      'a small group',
      'g,n\nx,10\ny,9\n',
      { minGroupSize: { column: 'n', size: 10 } },
      'a group is smaller than 10, or of a size that cannot be read',
    ],
    [
      'a group of unknown size',
      'g,n\nx,\n',
      { minGroupSize: { column: 'n', size: 10 } },
      'a group is smaller than 10, or of a size that cannot be read',
    ],
    [
      'a group of a size in disguise',
      'g,n\nx,1e9\n',
      { minGroupSize: { column: 'n', size: 10 } },
      'a group is smaller than 10, or of a size that cannot be read',
    ],
    [
      'groups without sizes',
      'g,m\nx,10\n',
      { minGroupSize: { column: 'n', size: 10 } },
      'it has no column n that tells the sizes of its groups',
    ],
    ['two columns of sizes', 'n,n\n10,1\n', { minGroupSize: { column: 'n', size: 10 } }, 'it is not text/csv'],
    ['an empty table', '', { minGroupSize: { column: 'n', size: 10 } }, 'it is not text/csv'],
    ['text', 'grüße\n', { mediaType: 'text/plain' }, undefined],
    ['text that hides bytes', 'a\0b', { mediaType: 'text/plain' }, 'it is not text/plain'],
    ['a picture', PNG, { mediaType: 'image/png' }, undefined],
    ['a picture with more behind it', Buffer.concat([PNG, Buffer.from('x')]), { mediaType: 'image/png' }, 'it is not image/png'],
    ['a name of a picture', 'png', { mediaType: 'image/png' }, 'it is not image/png'],
    ['any bytes', Buffer.from([0xff]), { mediaType: 'application/octet-stream' }, undefined],
  ])('a file that is %s', async (_, content, rule, expected) => {
    expect(await whyNot(content, rule)).toBe(expected);
  });

  it('finds in JSON what a reader would pass over', async () => {
    const schema = { type: 'object', additionalProperties: false, properties: { mean: { type: 'number' } } };
    const twice = '{"mean":"every row of the table","mean":1}';
    expect(await whyNot('{"mean":1,"of":1}', { schema })).toBe('its content does not fit the schema');
    expect(await whyNot(twice, { schema })).toBe('an object in it names the same key twice');
    expect(await whyNot(`{"mean":1}\n${twice}\n`, { mediaType: 'application/jsonl', schema })).toMatch(/same key twice/);
    expect(await whyNot('{"mean":1}\n\u2003\u2002\u00a0\n', { mediaType: 'application/jsonl', schema })).toBe(
      'it is not application/jsonl',
    );
    expect(await whyNot('{"mean":1}\r\n\r\n{"mean":2}\n\n', { mediaType: 'application/jsonl', schema })).toBeUndefined();
  });
});
