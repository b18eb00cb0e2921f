import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';
import { type Input, python, runOperator, sharedFile } from './run-operator.js';

interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly count: number | null;
  readonly missing: number | null;
  readonly distinct: number | null;
  readonly distinct_capped: boolean | null;
  readonly mean: number | null;
  readonly sd: number | null;
  readonly quantiles: Readonly<Record<string, number | null>> | null;
  readonly histogram: readonly { from: number; to: number; count: number }[] | null;
  readonly groups: readonly { value: string; count: number }[] | null;
  readonly other: number | null;
}
interface Profile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

const args = (minGroup = 10, id: string | null = null, include: string | string[] = 'all') => ({
  inputs: { data: './inputs/data.csv' },
  columns: { id, include },
  privacy: { min_rows: 30, min_group: minGroup },
});

async function profile(data: Input, parameters: object = args()): Promise<Profile> {
  const run = await runOperator('profile.mjs', parameters, { 'data.csv': data });
  expect(run.stderr).toBe('');
  expect(run.exit).toBe(0);
  return JSON.parse(run.outputs['profile.json'] ?? '') as Profile;
}

const column = (result: Profile, name: string): ColumnProfile => {
  const found = result.columns.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
};

/** One CSV of columns of equal length. */
const csv = (columns: Readonly<Record<string, readonly string[]>>): string => {
  const lists = Object.values(columns);
  return `${[Object.keys(columns).join(','), ...(lists[0] ?? []).map((_, i) => lists.map((list) => `"${list[i] ?? ''}"`).join(','))].join('\n')}\n`;
};

const repeat = (...parts: readonly (readonly [string, number])[]): string[] =>
  parts.flatMap(([value, times]) => Array.from({ length: times }, () => value));

let folder: string;
let banks: ReturnType<typeof generateCredit>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-profile-'));
  banks = generateCredit({ folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('against brute force', () => {
  it('every column of bank A', async () => {
    const k = 10;
    const result = await profile({ path: banks.bankA }, args(k, 'id'));
    const [head = '', ...lines] = readFileSync(banks.bankA, 'utf8').trimEnd().split('\n');
    // The only quoted value has one comma.
    const rows = lines.map((line) => line.replace('"islands, coast"', 'islands; coast').split(','));
    expect(result.rows).toBe(rows.length);
    expect(result.columns.map(({ name }) => name)).toEqual(head.split(','));
    for (const [at, found] of result.columns.entries()) {
      const cells = rows.map((row) => row[at] ?? '');
      const filled = cells.filter((cell) => cell !== '');
      expect(found.count).toBe(filled.length);
      expect(found.missing).toBe(cells.length - filled.length);
      expect(found.distinct).toBe(Math.min(1000, new Set(filled).size));
      expect(found.distinct_capped).toBe(new Set(filled).size > 1000);
      if (found.type === 'identifier')
        expect([found.groups, found.quantiles, found.histogram, found.other]).toEqual([null, null, null, null]);
      else if (found.type === 'text') expect(found.groups?.length).toBeGreaterThan(2);
      else checkNumbers(found, filled.map(Number), k);
      for (const { value, count } of found.groups ?? [])
        expect(count).toBe(filled.filter((cell) => cell.replace(';', ',') === value).length);
    }
  });

  function checkNumbers(found: ColumnProfile, numbers: number[], k: number): void {
    const sorted = [...numbers].sort((one, other) => one - other);
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    const sd = Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numbers.length - 1));
    expect(Math.abs((found.mean ?? Number.NaN) - mean)).toBeLessThan(sd * 1e-3);
    expect(Math.abs((found.sd ?? Number.NaN) - sd)).toBeLessThan(sd * 1e-5);
    for (const [name, value] of Object.entries(found.quantiles ?? {})) {
      const rank = (Number(name.slice(1)) / 100) * (sorted.length - 1);
      // Between the values half a group away on either side, but for the rounding.
      const step = sd / 50;
      expect(value).toBeGreaterThanOrEqual((sorted[Math.floor(rank - k / 2)] ?? Number.NaN) - step);
      expect(value).toBeLessThanOrEqual((sorted[Math.ceil(rank + k / 2)] ?? Number.NaN) + step);
    }
    const bins = found.histogram ?? [];
    bins.forEach((bin, i) => {
      const last = bin.to === Math.max(...bins.map(({ to }) => to));
      const inside = numbers.filter((value) => value >= bin.from && (value < bin.to || (last && value === bin.to))).length;
      expect(bin.count, `${found.name} bin ${i}`).toBe(inside);
    });
    const listed = [...bins, ...(found.groups ?? [])].reduce((sum, { count }) => sum + count, 0);
    expect(listed + (found.other ?? Number.NaN)).toBe(numbers.length);
  }

  it('sums are exact: no digit is lost among numbers of very different size', async () => {
    const values = Array.from({ length: 200 }, (_, i) => [`${1e15 + i}`, `${-1e15 - i}`, '0.25']).flat();
    const found = column(await profile(csv({ x: values })), 'x');
    expect(found.sd).toBeCloseTo(8.17e14, -13);
    const third = column(await profile(csv({ x: Array.from({ length: 300 }, (_, i) => String(0.1 + (i % 3) * 1e-9)) })), 'x');
    expect(third.mean).toBeCloseTo(0.1 + 1e-9, 12);
  });

  const credit = sharedFile('data/credit/bank_b.csv');
  it.skipIf(credit === undefined)(
    'real columns that were standardised have mean 0 and deviation 1 (skipped without ../shared/data/credit)',
    async () => {
      const result = await profile({ path: credit ?? '' }, args(20, 'id'));
      expect(result.rows).toBe(30_000);
      for (const { name, mean, sd, count } of result.columns.slice(1)) {
        expect([name, count, mean]).toEqual([name, 30_000, 0]);
        expect(sd).toBeCloseTo(1, 3);
      }
    },
  );
});

describe('what does not leave', () => {
  it('holds for any mix of group sizes: no small count, no small name, and nothing to be found by subtraction', async () => {
    const k = 10;
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 120 })), { minLength: 1, maxLength: 25 });
    const cases = fc.sample(
      fc.record({ sizes, missing: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 14 })), numeric: fc.boolean() }),
      { numRuns: 300, seed: 4 },
    );
    const truth = cases.map(({ sizes: all, missing, numeric }, c) => {
      const groups = all.map((size, i) => [numeric ? String(c + i / 8) : `value ${c}-${i}.`, size] as const);
      return { groups, missing, cells: repeat(...groups, ['', missing]) };
    });
    const longest = Math.max(...truth.map(({ cells }) => cells.length));
    for (const { groups, cells } of truth) {
      // Equal lengths, by more of one value, so that all columns go into one file.
      const [value = '', size = 0] = groups[0] ?? [];
      groups.splice(0, 1, [value, size + longest - cells.length]);
      cells.push(...repeat([value, longest - cells.length]));
    }
    const run = await runOperator('profile.mjs', args(k), {
      'data.csv': csv(Object.fromEntries(truth.map(({ cells }, c) => [`c${c}`, cells]))),
    });
    const result = JSON.parse(run.outputs['profile.json'] ?? '') as Profile;
    const everything = `${run.outputs['profile.json']}${run.outputs['profile.txt']}${run.stdout}`;
    for (const [c, { groups, missing }] of truth.entries()) {
      const found = column(result, `c${c}`);
      const listed = found.groups ?? found.histogram ?? [];
      expect(missing === 0 || missing >= k ? found.missing : null).toBe(found.missing);
      expect(found.count === null).toBe(found.missing === null);
      for (const { count } of listed) expect(count).toBeGreaterThanOrEqual(k);
      const other = found.other ?? 0;
      expect(other === 0 || other >= k).toBe(true);
      expect(listed.reduce((sum, { count }) => sum + count, other)).toBe(longest - (found.missing ?? 0));
      if (found.groups !== null) {
        const names = new Set(found.groups.map(({ value }) => value));
        const hidden = [
          ...groups.filter(([value]) => !names.has(value)).map(([, size]) => size),
          ...(found.missing === null ? [missing] : []),
        ];
        // What is withheld is never one kind alone, so that its size does not follow from the totals.
        expect(hidden.length).not.toBe(1);
        expect(hidden.reduce((sum, size) => sum + size, 0)).toBe(other);
        for (const { value, count } of found.groups) expect(groups).toContainEqual([value, count]);
        for (const [value, size] of groups) if (size < k && value.startsWith('value')) expect(everything).not.toContain(value);
      }
    }
  });

  it('one small group takes the smallest of the others with it', async () => {
    const found = column(await profile(csv({ sex: repeat(['f', 500], ['m', 480], ['x', 4], ['unknown', 16]) })), 'sex');
    expect(found.groups).toEqual([
      { value: 'f', count: 500 },
      { value: 'm', count: 480 },
    ]);
    expect(found.other).toBe(20);
  });

  it('of two groups neither is told when one is small', async () => {
    const found = column(await profile(csv({ y: repeat(['0', 997], ['1', 3]) })), 'y');
    expect([found.groups, found.other]).toEqual([[], 1000]);
  });

  it('a few missing cells are counted with what is withheld, and neither count is told', async () => {
    const found = column(await profile(csv({ a: repeat(['x', 500], ['z', 40], ['', 3]), b: repeat(['1', 543]) })), 'a');
    expect([found.count, found.missing, found.groups, found.other]).toEqual([null, null, [{ value: 'x', count: 500 }], 43]);
  });

  it('a few filled cells: nothing of them', async () => {
    const found = column(await profile(csv({ a: repeat(['', 500], ['secret', 3]), b: repeat(['1', 503]) })), 'a');
    expect(found).toMatchObject({ count: null, missing: null, distinct: null, groups: null, other: null });
  });

  it('no extreme value, whatever column it is in', async () => {
    const numbers = [...Array.from({ length: 498 }, (_, i) => String(1000 + i)), '987654321', '-987654321'];
    const run = await runOperator('profile.mjs', args(10), { 'data.csv': csv({ x: numbers }) });
    const everything = Object.values(run.outputs).join('');
    expect(everything).not.toContain('98765');
    const [found] = (JSON.parse(run.outputs['profile.json'] ?? '') as Profile).columns;
    // One row makes up half of the sums: they would tell it.
    expect(found?.sd).toBeNull();
    expect(found?.mean).not.toBeNull();
    expect(found?.quantiles).toMatchObject({ p1: null, p99: null, p5: 1024, p50: 1249 });
  });

  it('a mean that is one row in all but name', async () => {
    const found = column(await profile(csv({ x: ['5000000', ...Array.from({ length: 499 }, (_, i) => String(i % 40))] })), 'x');
    expect([found.mean, found.sd]).toEqual([null, null]);
  });

  it('no quantile with fewer than min_group values beyond it', async () => {
    const numbers = Array.from({ length: 101 }, (_, i) => String(i * i));
    for (const k of [5, 10, 25, 26]) {
      const { quantiles } = column(await profile(csv({ x: numbers }), args(k)), 'x');
      for (const [name, value] of Object.entries(quantiles ?? {})) {
        const beyond = Math.min(Number(name.slice(1)), 100 - Number(name.slice(1)));
        expect([name, value !== null]).toEqual([name, beyond >= k]);
      }
    }
  });

  it('a run with min_group 11 after one with 10 does not tell the value between', async () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => String(i * 7 + ((i * 37) % 5) / 10));
    const [ten, eleven] = [
      column(await profile(csv({ x: numbers }), args(10)), 'x'),
      column(await profile(csv({ x: numbers }), args(11)), 'x'),
    ];
    // The grid is 10 wide here, so eleven times one less ten times the other is off by up to a hundred; both are the same number.
    expect([ten.quantiles?.['p50'], ten.quantiles?.['p25']]).toEqual([eleven.quantiles?.['p50'], eleven.quantiles?.['p25']]);
    expect((ten.quantiles?.['p50'] ?? 1) % 10).toBe(0);
  });

  it('identifiers and free text', async () => {
    const result = await profile(
      csv({ id: Array.from({ length: 50 }, (_, i) => `secret-${i}`), note: repeat(['secret '.repeat(20), 50]) }),
      args(5, 'id'),
    );
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(column(result, 'id').type).toBe('identifier');
  });
});

describe('types', () => {
  it('are told from all cells, and spaces, signs and zeros make no new values', async () => {
    const result = await profile(
      csv({
        integer: repeat(['1', 50], [' 1.0', 20], ['-0', 15], ['0', 15]),
        number: repeat(['1', 50], ['2.5e0', 50]),
        text: repeat(['1', 50], ['one', 49], ['inf', 1]),
        empty: repeat(['NA', 60], ['', 40]),
      }),
    );
    expect(result.columns.map(({ type }) => type)).toEqual(['integer', 'number', 'text', 'empty']);
    expect(column(result, 'integer').groups).toEqual([
      { value: '1', count: 70 },
      { value: '0', count: 30 },
    ]);
    expect(column(result, 'empty')).toMatchObject({ count: 0, missing: 100, groups: null });
  });

  it('chosen columns only, in the order in which they are asked for', async () => {
    const result = await profile({ path: banks.bankB }, args(10, 'id', ['housing', 'income']));
    expect(result.columns.map(({ name }) => name)).toEqual(['housing', 'income']);
  });
});

/** Files that try both readers, with what is wrong with them or nothing. */
const hard: readonly (readonly [string, string | Uint8Array, string | undefined])[] = [
  ['byte order mark and CRLF', `\ufeffa,b\r\n${'1,x\r\n\r\n2,"y, ""z"" é😀"\r\n'.repeat(20)}`, undefined],
  ['line breaks in quotes', `a,b\n${'1,"x\r\ny"\n'.repeat(40)}`, undefined],
  ['no line break at the end', `a\n${'5\n'.repeat(40)}6`, undefined],
  ['numbers of all sizes', `a,b,c\n${Array.from({ length: 99 }, (_, i) => `${i}e-9,${i * 1e19},${(i - 50) / 3}`).join('\n')}`, undefined],
  ['halves at the last digit', `a\n${Array.from({ length: 60 }, (_, i) => 100000.5 + i).join('\n')}`, undefined],
  ['order of names beyond the basic plane', `a\n${['😀', '\ufb01', 'z', 'é'].map((name) => `${name}\n`.repeat(20)).join('')}`, undefined],
  ['empty', '', './inputs/data.csv is empty'],
  ['header alone', 'a,b\n', 'the data has 0 rows, fewer than min_rows 30'],
  ['few rows', `a\n${'1\n'.repeat(29)}`, 'the data has 29 rows, fewer than min_rows 30'],
  ['short row', 'a,b\n1,2\n1\n', 'line 3 has 1 fields, the header has 2'],
  ['long row after a long field', 'a,b\n"1\n\n",2\n1,2,3\n', 'line 5 has 3 fields, the header has 2'],
  ['open quote', 'a\n1\n"2\n3\n', 'line 3: a quote is not closed'],
  ['quote inside', 'a,b\n1"2"3,4\n', 'line 2: a quote inside a field that does not start with one'],
  ['text after quote', 'a,b\n"1"2,"3"\n', 'line 2: text after a closing quote'],
  ['lone carriage return', 'a,b\n1\r2,3\n', 'line 2: a carriage return without a line feed'],
  ['lone carriage return beside quotes', 'a,b\n1\r2,"3"\n', 'line 2: a carriage return without a line feed'],
  ['infinity among numbers', `a\n${'1\n'.repeat(40)}-inf\n`, 'line 42, column a: an infinite value'],
  ['too large a number', `a\n${'1\n'.repeat(40)}1e200\n`, 'line 42, column a: a number that is too large'],
  ['not UTF-8', Buffer.from(`a\n${'\xe9\n'.repeat(40)}`, 'latin1'), './inputs/data.csv is not UTF-8 text'],
  [
    'cut in a character',
    Buffer.concat([Buffer.from(`a\n${'x\n'.repeat(40)}`), Buffer.from([0xe2, 0x82])]),
    './inputs/data.csv is not UTF-8 text',
  ],
  ['column twice', 'a,b,a\n', 'two columns are called a'],
  ['column without a name', 'a,,b\n', 'column 2 has no name in the header'],
  ['control character in a name', 'a,b\u001b[2J\n', 'the name of column 2 holds a control character'],
  [
    'two thousand columns',
    `${Array.from({ length: 2000 }, (_, i) => `c${i}`).join(',')}\n`,
    './inputs/data.csv has 2000 columns, more than 1000',
  ],
  ['a row without an end', `a\n"${'x'.repeat(3_000_000)}`, 'line 2 is longer than 1048576 characters, or a quote is not closed'],
];

describe('hard files', () => {
  it.each(hard)('%s', async (_, data, complaint) => {
    const run = await runOperator('profile.mjs', args(), { 'data.csv': data });
    expect([run.exit, run.complaint]).toEqual(complaint === undefined ? [0, ''] : [2, `bad input: ${complaint}`]);
  });
});

describe.skipIf(python === undefined)('the Python twin (skipped without python3)', () => {
  async function both(data: Input, parameters: unknown): Promise<void> {
    const [js, py] = await Promise.all(['profile.mjs', 'profile.py'].map((file) => runOperator(file, parameters, { 'data.csv': data })));
    expect(py?.outputs).toEqual(js?.outputs);
    expect([py?.exit, py?.complaint]).toEqual([js?.exit, js?.complaint]);
    expect(py?.stdout).toBe(js?.stdout);
  }

  it.each(hard)('writes the same bytes, or the same complaint: %s', (_, data) => both(data, args()));

  it.each([5, 10, 37])('writes the same bytes for the generated banks, min_group %d', async (k) => {
    await both({ path: banks.bankA }, args(k, 'id'));
    await both({ path: banks.bankB }, args(k, null));
  });

  const credit = sharedFile('data/credit/bank_a.csv');
  it.skipIf(credit === undefined)('writes the same bytes for real columns (skipped without ../shared/data/credit)', () =>
    both({ path: credit ?? '' }, args(20, 'id')),
  );

  it('writes the same bytes for any columns of numbers and text', async () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, min: -1e100, max: 1e100 }).map(String),
      fc.integer({ min: -5, max: 5 }).map(String),
      fc.double({ noNaN: true, min: -3, max: 3 }).map((value) => value.toFixed(3)),
    );
    const word = fc.constantFrom('a', 'b', 'é', '😀', '\ufb01', '', 'NA', ' a ', 'long '.repeat(30), '7');
    const wide = fc.record({
      any: fc.array(cell, { minLength: 120, maxLength: 120 }),
      small: fc.array(fc.integer({ min: 0, max: 30 }).map(String), { minLength: 120, maxLength: 120 }),
      even: fc.array(fc.double({ noNaN: true, min: 0, max: 1 }).map(String), { minLength: 120, maxLength: 120 }),
      word: fc.array(word, { minLength: 120, maxLength: 120 }),
    });
    for (const columns of fc.sample(wide, { numRuns: 12, seed: 11 })) await both(csv(columns), args(5));
  });

  it.each([
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['an extra key', { ...args(), extra: 1 }],
    ['a missing key', { inputs: { data: './inputs/data.csv' }, columns: { id: null, include: 'all' } }],
    ['a group of one', args(1)],
    ['true for a number', { ...args(), privacy: { min_rows: true, min_group: 10 } }],
    ['a path out of the job', { ...args(), inputs: { data: './inputs/../args.json' } }],
    ['an unknown column', args(10, null, ['a', 'z'])],
    ['an unknown id', args(10, 'z')],
    ['a column twice', args(10, null, ['a', 'a'])],
  ])('refuses the same parameters: %s', async (_, parameters) => {
    const data = { 'data.csv': `a\n${'1\n'.repeat(40)}` };
    const [js, py] = await Promise.all(['profile.mjs', 'profile.py'].map((file) => runOperator(file, parameters, data)));
    expect([js?.exit, py?.exit]).toEqual([2, 2]);
    if (typeof parameters !== 'string') expect(py?.complaint).toBe(js?.complaint);
    expect({ ...js?.outputs, ...py?.outputs }).toEqual({});
  });
});
