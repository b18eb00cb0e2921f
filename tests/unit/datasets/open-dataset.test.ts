import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CsvSplitter } from '../../../src/datasets/csv/csv-splitter.js';
import { openDataset } from '../../../src/datasets/open-dataset.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-datasets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
async function file(content: string | Uint8Array, ending = 'csv'): Promise<string> {
  count += 1;
  const path = join(folder, `data-${count}.${ending}`);
  await writeFile(path, content);
  return path;
}

const describeText = async (content: string | Uint8Array) => (await openDataset(await file(content))).describe();
const refusal = (content: string | Uint8Array) =>
  describeText(content).then(
    () => 'accepted',
    (error: Error) => error,
  );

describe('describe', () => {
  it('tells columns with types, rows and size', async () => {
    const text = 'id,age,score,city,note\n1,30,0.5,Bern,\n2,NA,-1e3,"Zug, old town",\n003,41,7,4,\n';
    expect(await describeText(text)).toEqual({
      format: 'csv',
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'age', type: 'integer' },
        { name: 'score', type: 'number' },
        { name: 'city', type: 'text' },
        { name: 'note', type: 'empty' },
      ],
      rows: 3,
      sizeBytes: Buffer.byteLength(text),
    });
  });

  it('reads a byte order mark, CRLF, blank lines and a last line without a line break', async () => {
    const described = await describeText('\ufeffa,b\r\n1,x\r\n\r\n2,y');
    expect(described.columns).toEqual([
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'text' },
    ]);
    expect(described.rows).toBe(2);
  });

  it('takes a header alone as a table of no rows', async () => {
    expect(await describeText('a,b\n')).toMatchObject({ rows: 0, columns: [{ type: 'empty' }, { type: 'empty' }] });
  });

  it('holds a block of a long file in memory, not the file', async () => {
    const path = await file(`a,b\n${'123456789,some text of a row\n'.repeat(2_000_000)}`);
    const dataset = await openDataset(path);
    const before = process.memoryUsage.rss();
    let most = 0;
    const rows = dataset.rows();
    let seen = 0;
    for await (const _ of rows) {
      seen += 1;
      if (seen % 100_000 === 0) most = Math.max(most, process.memoryUsage.rss() - before);
    }
    expect(seen).toBe(2_000_000);
    // The file is 58 MB of text, some 600 MB as arrays of cells.
    expect(most).toBeLessThan(300 * 1024 * 1024);
  }, 120_000);
});

describe('rows', () => {
  it('gives the cells as they were written, however they were quoted and wherever the pieces were cut', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '😀', '1'), maxLength: 6 });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(table, fc.boolean(), fc.integer({ min: 1, max: 7 }), (rows, crlf, size) => {
        const text = rows.map((row) => row.map(quoted).join(',')).join(crlf ? '\r\n' : '\n');
        const splitter = new CsvSplitter((line, reason) => {
          throw new Error(`${line}: ${reason}`);
        });
        const out = [];
        for (let at = 0; at < text.length; at += size) out.push(...splitter.push(text.slice(at, at + size)));
        out.push(...splitter.end(''));
        expect(out.map(({ fields }) => fields)).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves out the header and counts lines inside of quotes', async () => {
    const dataset = await openDataset(await file('a,b\n"1\n2",x\n3,"say ""hi"""\n'));
    const rows = [];
    for await (const row of dataset.rows()) rows.push(row);
    expect(rows).toEqual([
      ['1\n2', 'x'],
      ['3', 'say "hi"'],
    ]);
    expect(await refusal('a,b\n"1\n2",x\n3\n')).toMatchObject({ code: 'DT_DATASET_INVALID', details: { line: 4 } });
  });

  it('can be read twice, and stopped early', async () => {
    const dataset = await openDataset(await file('a\n1\n2\n3\n'));
    for await (const row of dataset.rows()) {
      expect(row).toEqual(['1']);
      break;
    }
    expect((await dataset.describe()).rows).toBe(3);
  });

  it('stops with the reason of an abort', async () => {
    const dataset = await openDataset(await file('a\n1\n'));
    const reason = new Error('the daemon stops');
    await expect(dataset.describe(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

// Always quoted, so that a lone empty cell is no blank line.
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;

describe('refusals', () => {
  it.each([
    ['nothing at all', '', 1, 'it is empty'],
    ['blank lines only', '\n\r\n', 1, 'it is empty'],
    ['a short row', 'a,b\n1\n', 2, 'it has 1 fields, the header has 2'],
    ['a long row', 'a,b\n1,2\n1,2,3\n', 3, 'it has 3 fields, the header has 2'],
    ['a column twice', 'a,b,a\n', 1, 'two columns are called a'],
    ['a column without a name', 'a,,b\n', 1, 'column 2 has no name'],
    ['a control character in a name', 'a,b\u001b[31m\n', 1, 'the name of column 2 holds a control character'],
    ['an open quote', 'a\n1\n"secret\n2\n', 3, 'a quote is not closed'],
    ['a quote in a field', 'a,b\nsecret"x"y,1\n', 2, 'a quote in the middle of a field'],
    ['text after a quote', 'a,b\n"x"secret,1\n', 2, 'a quote in the middle of a field'],
    ['a lone carriage return', 'a,b\n1,se\rcret\n', 2, 'a carriage return without a line feed'],
    [
      'a record without an end',
      `a\n"${'secret,'.repeat(300_000)}`,
      2,
      'the record is longer than 1048576 characters, or a quote is not closed',
    ],
  ])('%s', async (_, text, line, reason) => {
    const error = await refusal(text);
    expect(error).toMatchObject({ code: 'DT_DATASET_INVALID', details: { line, reason } });
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(String(error)).not.toContain(folder);
  });

  it('what is not UTF-8', async () => {
    expect(await refusal(Buffer.from('a\ncaf\xe9\n', 'latin1'))).toMatchObject({ code: 'DT_DATASET_INVALID' });
    expect(await refusal(Buffer.from([0x61, 0x0a, 0xe2, 0x82]))).toMatchObject({ code: 'DT_DATASET_INVALID' });
  });

  it('a cell of a million characters is read, and takes no deep recursion', async () => {
    expect(await describeText(`a\n"${'""x'.repeat(300_000)}"\n`)).toMatchObject({ rows: 1 });
  });

  it('a format without a connector, named with those that there are', async () => {
    const error = await openDataset(await file('PAR1', 'parquet')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DT_DATASET_FORMAT', details: { formats: '.csv' } });
  });

  it('what is no file: absent, a folder, a named pipe', async () => {
    await expect(openDataset(join(folder, 'absent.csv'))).rejects.toMatchObject({
      code: 'DT_INPUT_FILE',
      details: { reason: 'there is no such file' },
    });
    const pipe = join(folder, 'pipe.csv');
    execFileSync('mkfifo', [pipe]);
    await expect(openDataset(pipe)).rejects.toMatchObject({ code: 'DT_INPUT_FILE', details: { reason: 'it is not a regular file' } });
  });

  it('a file that is gone when it is read', async () => {
    const path = await file('a\n1\n');
    const dataset = await openDataset(path);
    await rm(path);
    await expect(dataset.describe()).rejects.toMatchObject({ code: 'DT_INPUT_FILE', details: { reason: 'there is no such file' } });
    const next = dataset.rows()[Symbol.asyncIterator]();
    await expect(next.next()).rejects.toMatchObject({ code: 'DT_INPUT_FILE' });
  });
});
