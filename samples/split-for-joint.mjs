/**
 * Cuts bank_a.csv (id, y, features) and bank_b.csv (id, features) into the three files of a joint risk model, as the original project had them:
 * bank_a_features.csv, bank_a_label.csv and bank_b_features.csv. The rows stay in their order; the id and columns that are not all
 * numbers are left out.
 *
 *   node samples/split-for-joint.mjs [--folder samples/data] [--join]
 *
 * --join: files as two banks really have them, for a model that joins them first (join_on): bank_a_customers.csv (id, features),
 * bank_a_defaults.csv (id, y) and bank_b_customers.csv (id, features). Each bank knows only some of the customers, 9 of 10, and every file has an
 * order of its own. The same files give the same bytes.
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

/** Whole numbers below `limit` (Marsaglia, "Xorshift RNGs", 2003; enough for a sample, not for a secret). */
function draws(seed) {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function shuffled(rows, draw) {
  const order = [...rows];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = draw(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * As splitForJoint, with ids, in three orders, and of each bank's rows only every tenth left out at random (`share`: what is kept). The
 * two files of `folder` may have any rows in any order.
 */
export function splitForJoin({ folder, target = folder, share = 0.9, seed = 7 }) {
  const [a, b] = [readFields(join(folder, 'bank_a.csv')), readFields(join(folder, 'bank_b.csv'))];
  for (const [name, { names }] of [
    ['a', a],
    ['b', b],
  ])
    if (!names.includes('id')) throw new Error(`bank_${name}.csv has no column id`);
  if (!a.names.includes('y')) throw new Error('bank_a.csv has no column y');
  const draw = draws(seed);
  const some = ({ rows }) => rows.filter(() => draw(1_000_000) < share * 1_000_000);
  const [ofA, ofB] = [some(a), some(b)];
  const columns = { a: featuresOf(a), b: featuresOf(b) };
  const paths = {
    featuresA: join(target, 'bank_a_customers.csv'),
    labelA: join(target, 'bank_a_defaults.csv'),
    featuresB: join(target, 'bank_b_customers.csv'),
  };
  const idOf = ({ names }) => names.indexOf('id');
  write(paths.featuresA, { names: a.names, rows: shuffled(ofA, draw) }, [idOf(a), ...columns.a]);
  write(paths.labelA, { names: a.names, rows: shuffled(ofA, draw) }, [idOf(a), a.names.indexOf('y')]);
  write(paths.featuresB, { names: b.names, rows: shuffled(ofB, draw) }, [idOf(b), ...columns.b]);
  const known = new Set(ofB.map((row) => row[idOf(b)]));
  const names = ({ names: all }, kept) => kept.map((j) => all[j]);
  return {
    ...paths,
    rowsA: ofA.length,
    rowsB: ofB.length,
    common: ofA.filter((row) => known.has(row[idOf(a)])).length,
    columnsA: names(a, columns.a),
    columnsB: names(b, columns.b),
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { folder: { type: 'string', default: 'samples/data' }, join: { type: 'boolean', default: false } },
  });
  const made = values.join ? splitForJoin({ folder: values.folder }) : splitForJoint({ folder: values.folder });
  const { featuresA, labelA, featuresB, columnsA, columnsB } = made;
  const rows = values.join ? `${made.rowsA} and ${made.rowsB} rows, ${made.common} of them in common` : `${made.rows} rows`;
  console.log(`wrote ${featuresA} (${columnsA.length} columns), ${labelA} and ${featuresB} (${columnsB.length} columns), ${rows}`);
}
