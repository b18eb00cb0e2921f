import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdFile } from '../../../src/operator-kit/join/id-file.js';
import { writeRows } from '../../../src/operator-kit/join/write-rows.js';
import { readTable } from '../../../src/operator-kit/read-table.js';
import type { PackedIds } from '../../../src/privacy/psi/psi-digest.js';

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-ids-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string | Buffer): string {
  count += 1;
  const path = join(folder, `data-${count}.csv`);
  writeFileSync(path, text);
  return path;
}

async function idsOf(path: string, ...names: string[]): Promise<string[][]> {
  const ids = await IdFile.open(path, names);
  const rows: string[][] = [];
  for await (const batch of ids.batches()) {
    const columns = batch as readonly PackedIds[];
    const length = columns[0]?.ends.length ?? 0;
    for (let row = 0; row < length; row++) {
      rows.push(columns.map(({ bytes, ends }) => Buffer.from(bytes.subarray(row === 0 ? 0 : ends[row - 1], ends[row])).toString('utf8')));
    }
  }
  expect(ids.rows).toBe(rows.length);
  return rows;
}

async function picked(text: string | Buffer, rows: readonly number[]): Promise<string> {
  const to = join(folder, `picked-${count}.csv`);
  await writeRows(file(text), to, Uint32Array.from(rows));
  return readFileSync(to, 'utf8');
}

const quoted = (value: string, always: boolean): string => (always || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

describe('id columns of a file', () => {
  it('are read in the order asked for, whatever else is there', async () => {
    const path = file('\ufeffx,id,name\r\n1,a,"Doe, Jane"\r\n\r\n2,"b ""c""",Zoë\r\n3,,"two\nlines"');
    expect(await idsOf(path, 'id')).toEqual([['a'], ['b "c"'], ['']]);
    expect(await idsOf(path, 'name', 'x')).toEqual([
      ['Doe, Jane', '1'],
      ['Zoë', '2'],
      ['two\nlines', '3'],
    ]);
  });

  it('may be the only ones: an empty line is an empty id then, as in readTable', async () => {
    expect(await idsOf(file('id\na\n\nb\n'), 'id')).toEqual([['a'], [''], ['b']]);
    expect(await idsOf(file('id\n"a"\n\nb'), 'id')).toEqual([['a'], [''], ['b']]);
    expect(await idsOf(file('id\n'), 'id')).toEqual([]);
    expect(await idsOf(file('id'), 'id')).toEqual([]);
  });

  it('survive any text, quoted or not, in files of many blocks', async () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\r', ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, fc.boolean()), { maxLength: 40 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, end) => {
          const full = rows.map(([a, b, all]) => [`k${a}`, b, all] as const);
          const text = `a,b${end}${full.map(([a, b, all]) => `${quoted(a, all)},${quoted(b, all)}${end}`).join('')}`;
          const path = file(text);
          expect(await idsOf(path, 'b', 'a')).toEqual(full.map(([a, b]) => [b, a]));
          const order = full.map((_, i) => i).filter((i) => i % 3 !== 0);
          for (const wanted of [order, [...order].reverse()]) {
            const out = await picked(text, wanted);
            expect(out).toBe(
              `a,b${end}${wanted.map((i) => `${quoted(full[i]?.[0] ?? '', full[i]?.[2] ?? false)},${quoted(full[i]?.[1] ?? '', full[i]?.[2] ?? false)}${end}`).join('')}`,
            );
          }
        },
      ),
      { numRuns: 60 },
    );
    // 3 MB, with a quote in few rows only.
    const large = Array.from({ length: 60_000 }, (_, i) => [`id${i}`, i % 20_000 === 7 ? `"a, ""${i}""\nb"` : `${'x'.repeat(40)}${i}`]);
    const text = `id,rest\n${large.map((row) => row.join(',')).join('\n')}`;
    expect(await idsOf(file(text), 'id')).toEqual(large.map(([id]) => [id]));
    const some = large.map((_, i) => i).filter((i) => i % 7 === 0 || i === 59_999);
    const line = (i: number): string => `${large[i]?.join(',')}\n`;
    expect(await picked(text, some)).toBe(`id,rest\n${some.map(line).join('')}`);
    const shuffled = some.map((i) => (i * 7919) % 60_000);
    expect(await picked(text, shuffled)).toBe(`id,rest\n${shuffled.map(line).join('')}`);
  });

  it('have the rows that readTable has', async () => {
    const text = 'id,v\na,1\n\nb,2\n\r\nc,3';
    const path = file(text);
    expect((await readTable(path, { columns: ['v'] })).values).toEqual(Float64Array.of(1, 2, 3));
    expect(await idsOf(path, 'id')).toEqual([['a'], ['b'], ['c']]);
    expect(await picked(text, [2, 1])).toBe('id,v\nc,3\nb,2\n');
  });

  it.each([
    ['a column that is not there', 'id,v\na,1\n', ['ID'], /^Column ID .*among the 2 columns/],
    ['a column twice', 'id,v\na,1\n', ['id', 'id'], /names one twice/],
    ['a short row', 'id,v\na,1\n\nb\n', ['id'], /line 4.*1 fields, the header has 2/],
    ['a long row among quotes', 'id,v\n"a\nb",1\nb,2,3\n', ['id'], /line 4.*3 fields, the header has 2/],
    ['a quote inside', 'id,v\na"b,1\n', ['id'], /quote/],
    ['an empty file', '', ['id'], /is empty/],
    ['bytes that are no text', Buffer.from('id,v\na,1\n\xff\xfe,2\n', 'latin1'), ['id'], /Column id .*row 2 .*UTF-8/],
    ['the same within quotes', Buffer.from('id,v\n"a",1\n"\xff\xfe",2\n', 'latin1'), ['id'], /Column id .*row 2 .*UTF-8/],
  ] as const)('%s is refused', async (_, text, names, pattern) => {
    await expect(idsOf(file(text as string), ...names)).rejects.toThrow(pattern);
  });

  it('may lie beside columns in another encoding', async () => {
    expect(await idsOf(file(Buffer.from('id,v\na,M\xfcller\nb,"M\xfcller"\n', 'latin1')), 'id')).toEqual([['a'], ['b']]);
    const to = join(folder, 'latin.csv');
    const text = Buffer.from('id,v\na,M\xfcller\nb,"M\xfcller"\n', 'latin1');
    await writeRows(file(text), to, Uint32Array.of(1));
    expect(readFileSync(to)).toEqual(Buffer.from('id,v\nb,"M\xfcller"\n', 'latin1'));
  });

  it('are gone when the file has changed', async () => {
    await expect(writeRows(file('id\na\n'), join(folder, 'x.csv'), Uint32Array.of(3))).rejects.toThrow(/changed/);
    await expect(writeRows(file('id\na\n'), join(folder, 'x.csv'), Uint32Array.of(3, 0))).rejects.toThrow(/changed/);
  });
});
