import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JointFiles, prepareDemo } from '../../../src/cli/demo-data.js';

const samples = resolve(import.meta.dirname, '../../../samples');
const ROWS = 2004;

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-demo-data-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Row = (i: number) => readonly (string | number)[];
const table = (head: string, rows: number, row: Row): string =>
  `${[head, ...Array.from({ length: rows }, (_, i) => row(i).join(','))].join('\n')}\n`;
const bankA = (rows = ROWS): string => table('id,y,age,city,limit', rows, (i) => [`c${i}`, i % 2, 20 + (i % 50), 'X', i]);
const bankB = (rows = ROWS, id = (i: number): string => `c${i}`): string => table('id,income', rows, (i) => [id(i), i * 3]);

async function prepare(a: string, b: string) {
  count += 1;
  const [own, home] = [join(folder, `own-${count}`), join(folder, `home-${count}`)];
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'bank_a.csv'), a);
  await writeFile(join(own, 'bank_b.csv'), b);
  return { home, own, files: await prepareDemo(samples, home, own) };
}

function jointOf(joint: JointFiles | { readonly missing: string }): JointFiles {
  if ('missing' in joint) throw new Error(joint.missing);
  return joint;
}

const find = (value: unknown, key: string): readonly unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...find(inner, key)]);

describe('the data of the demo', () => {
  it('shuffles own files for the joint model, and names their columns and daemons in its attribute files', async () => {
    const { home, own, files } = await prepare(
      bankA(),
      bankB(ROWS, (i) => `c${i + 3}`),
    );
    const joint = jointOf(files.joint);
    expect(joint).toMatchObject({ columns: { a: 2, b: 1 }, customers: { a: ROWS, b: ROWS, common: ROWS - 3 } });
    const lines = (await readFile(joint.featuresA, 'utf8')).trim().split('\n');
    const expected = ['id,age,limit', ...Array.from({ length: ROWS }, (_, i) => `c${i},${20 + (i % 50)},${i}`)];
    expect(lines).not.toEqual(expected);
    expect([...lines].sort()).toEqual(expected.sort());
    expect(await readdir(join(home, 'bank-a', 'data'))).toEqual(expect.arrayContaining(['bank_a_customers.csv', 'bank_a_defaults.csv']));
    expect(await readdir(join(home, 'bank-b', 'data'))).toEqual(expect.arrayContaining(['bank_b_customers.csv']));
    // What is given stays as it is.
    expect((await readdir(own)).sort()).toEqual(['bank_a.csv', 'bank_b.csv']);
    const urls = { bankA: 'http://a:1', bankB: 'http://b:2', dealer: 'http://c:3' };
    const attributes = await joint.attributesFor(urls);
    const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));
    const algorithm = await read(attributes.algorithm);
    expect(find(algorithm, 'in_dim')).toEqual([3, 3, 3]);
    expect(find(algorithm, 'join_on')).toEqual(['id', 'id', 'id']);
    expect(find(algorithm, 'exec_endpoints')).toEqual(Array(3).fill({ '0': 'http://a:1', '1': 'http://b:2', '2': 'http://c:3' }));
    expect(find(await read(attributes.alone), 'features')).toEqual([['age', 'limit']]);
    const features = await read(attributes.featuresA);
    expect([...find(features, 'shape'), ...find(features, 'columns')]).toEqual([]);
    expect(find(features, 'in_dim')).toEqual([{}]);
  });

  it.each([
    ['repeated customers', bankA(), bankB(ROWS, (i) => (i === 7 ? 'c3' : `c${i}`)), 'rows 4 and 8 of bank_b.csv have the same id'],
    ['nameless customers', bankA(), bankB(ROWS, (i) => (i === 7 ? '' : `c${i}`)), 'row 8 of bank_b.csv has no id'],
    ['too few in common', bankA(), bankB(ROWS, (i) => `c${i + 5}`), '1999 customers are in both files, and its tokens demand 2000'],
    ['nothing to compute with', bankA(), table('id,city', ROWS, (i) => [`c${i}`, 'Y']), 'bank_b.csv has no column of numbers only'],
    ['no ids', bankA(), table('name,income', ROWS, (i) => [`c${i}`, i]), 'both files need a column id'],
  ])('says why there is no joint model of %s, and prepares the rest', async (_, a, b, missing) => {
    const { files } = await prepare(a, b);
    expect(files.joint).toEqual({ missing });
    expect(await readFile(files.bankA, 'utf8')).toBe(a);
    expect(await readFile(files.attributes.algorithm, 'utf8')).toContain('age');
  });

  it('says which of own files is missing', async () => {
    const nowhere = join(folder, 'nowhere');
    const path = join(nowhere, 'bank_a.csv');
    await expect(prepareDemo(samples, join(folder, 'unused'), nowhere)).rejects.toMatchObject({
      message: `Cannot read ${path}: there is no such file`,
    });
  });

  it('takes the samples as they are for generated data', async () => {
    const home = join(folder, 'generated');
    const files = await prepareDemo(samples, home, undefined);
    const joint = jointOf(files.joint);
    const attributes = await joint.attributesFor({
      bankA: 'http://127.0.0.1:8090',
      bankB: 'http://127.0.0.1:8091',
      dealer: 'http://127.0.0.1:8092',
    });
    for (const [key, name] of [
      ['featuresA', 'join/bank_a_customers'],
      ['labelA', 'join/bank_a_defaults'],
      ['featuresB', 'join/bank_b_customers'],
      ['alone', 'joint/alone'],
      ['algorithm', 'join/algorithm'],
    ] as const) {
      const sample = await readFile(join(samples, 'ddo', `${name}_attr.json`), 'utf8');
      expect(JSON.parse(await readFile(attributes[key], 'utf8')), name).toEqual(JSON.parse(sample));
    }
  });
});
