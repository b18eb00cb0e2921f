import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNumber } from '../../../src/operator-kit/parse-number.js';
import { readTable } from '../../../src/operator-kit/read-table.js';

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-table-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string | Buffer): string {
  count += 1;
  const path = join(folder, `data-${count}.csv`);
  writeFileSync(path, text);
  return path;
}

const parse = (text: string): number => {
  const bytes = Buffer.from(`x${text}y`);
  return parseNumber(bytes, 1, bytes.length - 1);
};

describe('numbers of cells', () => {
  it('are the nearest doubles, as JavaScript reads them', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => Object.is(parse(String(value)), Number(String(value)))),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), fc.nat(17), (digits, point) => {
        const text = `${digits}`.padStart(18, digits < 0n ? ' ' : '0').replace(/ /g, '');
        const decimal = point === 0 || text.startsWith('-') ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
        expect(Object.is(parse(decimal), Number(decimal))).toBe(true);
      }),
    );
    for (const text of [
      '0',
      '-0',
      '+1',
      '1.',
      '.5',
      '-.5',
      '1e3',
      '1E-3',
      '0.1',
      '123456789012345',
      '9007199254740993',
      ' 7\t',
      '00012.50',
    ])
      expect(parse(text), text).toBe(Number(text));
  });

  it('are nothing else', () => {
    for (const text of ['', ' ', '.', '-', '+', '1,2', '1 2', '0x10', '1_000', 'NaN', 'Infinity', 'e5', '1e', '--1', '1.2.3', '１'])
      expect(parse(text), JSON.stringify(text)).toBeNaN();
  });
});

describe('a table', () => {
  it('is read with its names, row by row', async () => {
    expect(await readTable(file('a,b\n1,2\n-3.5,4e2\n'))).toEqual({ names: ['a', 'b'], rows: 2, values: Float64Array.of(1, 2, -3.5, 400) });
  });

  it('may have CRLF, a byte order mark, quotes, empty lines and no last line end', async () => {
    const text = '\ufeff"a, first",b\r\n"1",2\r\n\r\n3,"4"';
    expect(await readTable(file(text))).toEqual({ names: ['a, first', 'b'], rows: 2, values: Float64Array.of(1, 2, 3, 4) });
  });

  it('is read only where asked for', async () => {
    const path = file('id,a,b,c\n"x ""y""\nz",1,2,3\nw,4,5,6\n');
    expect(await readTable(path, { columns: ['c', 'a'] })).toEqual({ names: ['c', 'a'], rows: 2, values: Float64Array.of(3, 1, 6, 4) });
    expect(await readTable(path, { without: ['id', 'b'] })).toMatchObject({ names: ['a', 'c'], values: Float64Array.of(1, 3, 4, 6) });
  });

  it('of many blocks equals what was written', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => [i, i / 7, (1 - i) * 1e-9, 2 ** (i % 60)]);
    const { values } = await readTable(file(`a,b,c,d\n${rows.map((row) => row.join(',')).join('\n')}\n`));
    expect(values).toEqual(Float64Array.from(rows.flat()));
  });

  it('of one column keeps its rows: an empty line is an empty cell', async () => {
    await expect(readTable(file('y\n1\n\n0\n'))).rejects.toMatchObject({
      code: 'DT_INPUT_COLUMN',
      message: expect.stringContaining('row 2 (line 3'),
    });
  });

  it.each<[string, string, string, RegExp]>([
    ['empty', 'a,b\n1,2\n3,\n', 'b', /row 2 \(line 3 of data-\d+\.csv\) is empty/],
    ['text', 'a,b\n1,abc\n', 'b', /row 1 \(line 2 .*\) is no number/],
    ['NaN', 'a,b\n1,2\nNaN,2\n', 'a', /row 2 .* is NaN/],
    ['Infinity', 'a,b\n-Infinity,2\n', 'a', /row 1 .* is infinite/],
    ['inf', 'a,b\ninf,2\n', 'a', /row 1 .* is infinite/],
    ['beyond a double', 'a,b\n1,1e999\n', 'b', /row 1 .* is infinite/],
    ['quoted text', 'a,b\n1,"oh, no"\n', 'b', /row 1 .* is no number/],
    ['text after a cell of two lines', 'n,a\n"x\ny",1\nz,w\n', 'a', /row 2 \(line 4 .*\) is no number/],
  ])('names column and row of a cell that is %s', async (_, text, column, words) => {
    const options = text.startsWith('n,') ? { without: ['n'] } : {};
    const error = await readTable(file(text), options).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'DT_INPUT_COLUMN', details: { column }, message: expect.stringMatching(words) });
    // It is told to the peers, so it must not say what the cell holds.
    expect(error.message).not.toMatch(/abc|oh, no|999/);
  });

  it.each<[string, string | Buffer, object, RegExp]>([
    ['too few fields', 'a,b\n1\n', { code: 'DT_DATASET_INVALID' }, /line 2: it has 1 fields, the header has 2/],
    ['too many fields', 'a,b\n1,2\n1,2,3\n', { code: 'DT_DATASET_INVALID' }, /line 3: it has 3 fields/],
    ['no content', '', { code: 'DT_DATASET_INVALID' }, /it is empty/],
    ['a column twice', 'a,a\n1,2\n', { code: 'DT_DATASET_INVALID' }, /two columns/],
    ['a column without a name', 'a,\n1,2\n', { code: 'DT_DATASET_INVALID' }, /column 2 has no name/],
    ['a stray quote', 'a,b\n1,2"3"\n', { code: 'DT_DATASET_INVALID' }, /a quote/],
    ['other bytes than UTF-8', Buffer.from([0xff, 0xfe, 0x61, 10]), { code: 'DT_DATASET_INVALID' }, /no name in plain UTF-8/],
  ])('is refused with %s', async (_, text, match, words) => {
    await expect(readTable(file(text))).rejects.toMatchObject({ ...match, message: expect.stringMatching(words) });
  });

  it('says which column is not there, and which file', async () => {
    await expect(readTable(file('a,b\n1,2\n'), { columns: ['c'] })).rejects.toMatchObject({
      code: 'DT_INPUT_COLUMN',
      details: { column: 'c' },
    });
    await expect(readTable(file('a,b\n1,2\n'), { without: ['c'] })).rejects.toMatchObject({
      code: 'DT_INPUT_COLUMN',
      details: { column: 'c' },
    });
    await expect(readTable(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'DT_INPUT_FILE' });
    await expect(readTable(folder)).rejects.toMatchObject({ code: 'DT_INPUT_FILE' });
  });
});
