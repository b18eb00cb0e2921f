/**
 * Cuts bank_a.csv (id, y, features) and bank_b.csv (id, features) into the three files of a joint risk model, as the original project had them:
 * bank_a_features.csv, bank_a_label.csv and bank_b_features.csv. The rows stay in their order; the id and columns that are not all
 * numbers are left out.
 *
 *   node samples/split-for-joint.mjs [--folder samples/data]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const NUMBER = /^[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t]*$/;
const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|\r?$)/y;

/** The fields of a CSV file with a header, as they stand in it, quotes included. */
function readFields(path) {
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  const records = [];
  FIELD.lastIndex = 0;
  let record = [];
  while (FIELD.lastIndex < text.length) {
    const at = FIELD.lastIndex;
    const found = FIELD.exec(text);
    if (found === null) throw new Error(`${path} is no CSV file at character ${at}`);
    record.push(found[1]);
    if (found[2] === ',') continue;
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  }
  // The file ends with a comma: an empty field and no line end.
  if (record.length > 0) records.push([...record, '']);
  const [names = [], ...rows] = records;
  const odd = rows.findIndex((row) => row.length !== names.length);
  if (odd >= 0) throw new Error(`row ${odd + 1} of ${path} has ${rows[odd].length} fields, the header has ${names.length}`);
  return { names, rows };
}

function write(path, { names, rows }, columns) {
  const lines = [names, ...rows].map((row) => columns.map((j) => row[j]).join(','));
  writeFileSync(path, `${lines.join('\n')}\n`);
}

const featuresOf = ({ names, rows }) =>
  names.flatMap((name, j) => (name !== 'id' && name !== 'y' && rows.every((row) => NUMBER.test(row[j])) ? [j] : []));

/** Reads both files of `folder`, writes the three into `target` (the same folder if left out), and says what is in them. */
export function splitForJoint({ folder, target = folder }) {
  const [a, b] = [readFields(join(folder, 'bank_a.csv')), readFields(join(folder, 'bank_b.csv'))];
  if (a.rows.length !== b.rows.length) throw new Error(`bank_a.csv has ${a.rows.length} rows and bank_b.csv has ${b.rows.length}`);
  if (!a.names.includes('y')) throw new Error('bank_a.csv has no column y');
  const columns = { a: featuresOf(a), b: featuresOf(b) };
  const paths = {
    featuresA: join(target, 'bank_a_features.csv'),
    labelA: join(target, 'bank_a_label.csv'),
    featuresB: join(target, 'bank_b_features.csv'),
  };
  write(paths.featuresA, a, columns.a);
  write(paths.labelA, a, [a.names.indexOf('y')]);
  write(paths.featuresB, b, columns.b);
  const names = ({ names: all }, kept) => kept.map((j) => all[j]);
  return { ...paths, rows: a.rows.length, columnsA: names(a, columns.a), columnsB: names(b, columns.b) };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { folder: { type: 'string', default: 'samples/data' } } });
  const { featuresA, labelA, featuresB, rows, columnsA, columnsB } = splitForJoint({ folder: values.folder });
  console.log(`wrote ${featuresA} (${columnsA.length} columns), ${labelA} and ${featuresB} (${columnsB.length} columns), ${rows} rows`);
}
