/**
 * Data profile: what each column of a CSV file looks like, in figures that tell about many rows and about no single one.
 *
 *   node profile.mjs --config args.json          exit 0 done, 2 bad data or parameters, 1 a bug of this file
 *
 * Parameters (all required): see profile_params.json.
 *   inputs.data          ./inputs/<file>.csv: a header, one row a person or case
 *   columns.id           column of identifiers, of which nothing but counts is told, or null
 *   columns.include      list of columns, or "all"
 *   privacy.min_rows     fewer rows than this: refused
 *   privacy.min_group    k: each figure below is of at least k rows
 *
 * What leaves (outputs/profile.json, profile.txt), for each column:
 * - count, missing: null where one of them is under k. distinct: up to 1000, then distinct_capped is true.
 * - mean, standard deviation (n - 1): null where one row makes up more than half of the sum behind it, since they would tell that row.
 *   The mean is rounded to less than 1/10000 of that range: so many digits of a mean near 0 would give the sum to the last cent.
 * - No minimum and no maximum: each is the value of one row, often the one that everybody knows. Instead quantiles p1 to p99, each the
 *   mean of the k sorted values around its rank, only where at least k values lie on either side of that rank, and rounded to a power of
 *   ten between a thousandth and a hundredth of the range from p1 to p99, so that runs with k and k + 1 do not tell the value between.
 * - Groups: the values of a text column, or of a column of at most 20 numbers, with their counts. Other numbers: a histogram of ten (of
 *   few rows fewer) equal bins from p1 to p99, or between the outermost quantiles that are told. Values or bins under k are not listed
 *   but counted in `other`, together with missing cells that are too few to be told. If `other` would then be under k, or would be of
 *   one kind only, the smallest one listed joins it, for else it would follow from the totals.
 * Columns are judged one by one: two that say nearly the same (age, year of birth) can be compared, and an owner may leave one out.
 * Whoever may choose min_group freely can compare runs; an owner who minds fixes it in the constraint.
 *
 * Memory: text is counted in a first pass; columns of numbers are then read in as many passes as it takes to hold a few of them at a
 * time, 8 bytes a value, so that quantiles are exact. profile.py writes the same bytes: sums are exact (Shewchuk 1997) before they are
 * rounded, so that their order does not matter, and each decision is made on numbers that both languages compute alike.
 */
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

// ---- operator kit: an operator is one file, so this part stands word for word in scorecard.mjs and profile.mjs; a test compares them ----

/** The data or the parameters are not what they must be: exit 2. Messages name columns and line numbers, never the content of a cell. */
class BadInput extends Error {}

function main(work) {
  try {
    work();
  } catch (error) {
    const known = error instanceof BadInput;
    process.stderr.write(known ? `bad input: ${error.message}\n` : `${error.stack}\ninternal error: ${error.message}\n`);
    process.exitCode = known ? 2 : 1;
  }
}

/** The parameters: exactly the keys of `shape`, nested alike, each accepted by its function, which says what it wants when it is not. */
function readParameters(shape) {
  const path = process.argv[process.argv.indexOf('--config') + 1];
  let given;
  try {
    given = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BadInput(`the parameters (--config args.json) cannot be read: ${error.code ?? error.name}`);
  }
  const check = (wanted, value, name) => {
    if (typeof wanted === 'function') {
      const complaint = wanted(value);
      if (complaint !== undefined) throw new BadInput(`parameter ${name} must be ${complaint}`);
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new BadInput(`${name === '' ? 'the parameters' : `parameter ${name.slice(0, -1)}`} must be an object`);
    for (const key of Object.keys(value)) if (!Object.hasOwn(wanted, key)) throw new BadInput(`there is no parameter ${name}${key}`);
    for (const key of Object.keys(wanted)) {
      if (!Object.hasOwn(value, key)) throw new BadInput(`parameter ${name}${key} is missing`);
      check(wanted[key], value[key], typeof wanted[key] === 'function' ? name + key : `${name}${key}.`);
    }
  };
  check(shape, given, '');
  return given;
}

const isName = (value) => typeof value === 'string' && value !== '';
const a = {
  inputPath: (value) => (typeof value === 'string' && /^\.\/inputs\/[^/\\]+$/.test(value) ? undefined : 'a path like ./inputs/data.csv'),
  name: (value) => (isName(value) ? undefined : 'the name of a column'),
  nameOrNull: (value) => (isName(value) || value === null ? undefined : 'the name of a column, or null'),
  namesOrAll: (value) =>
    value === 'all' || (Array.isArray(value) && value.length > 0 && value.every(isName) && new Set(value).size === value.length)
      ? undefined
      : '"all", or a list of different column names',
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  integer: (low, high) => (value) =>
    Number.isSafeInteger(value) && value >= low && value <= high ? undefined : `a whole number from ${low} to ${high}`,
  number: (low, high) => (value) =>
    typeof value === 'number' && value >= low && value <= high ? undefined : `a number from ${low} to ${high}`,
  choice:
    (...values) =>
    (value) =>
      values.includes(value) ? undefined : `one of ${values.join(', ')}`,
};

const ROW_LIMIT = 1 << 20;
const COLUMN_LIMIT = 1000;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const MISSING = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None']);
/** Beyond this the sums of squares would not be finite. */
const LARGEST = 1e150;

/** Spaces and tabs around a value do not count. */
function cellOf(text) {
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  return first === 32 || first === 9 || last === 32 || last === 9 ? text.replace(/^[ \t]+|[ \t]+$/g, '') : text;
}

/**
 * Opens a CSV file (RFC 4180, UTF-8, a header, LF or CRLF; a byte order mark and blank lines are skipped) and returns its column names and
 * `rows`, which yields the fields of each row with the line it starts on, one block of the file in memory at a time.
 */
function openCsv(path) {
  const records = readRecords(path);
  const header = records.next();
  if (header.done) throw new BadInput(`${path} is empty`);
  const names = header.value.fields.map(cellOf);
  if (names.length > COLUMN_LIMIT) throw new BadInput(`${path} has ${names.length} columns, more than ${COLUMN_LIMIT}`);
  names.forEach((name, i) => {
    if (name === '') throw new BadInput(`column ${i + 1} has no name in the header`);
    if (/\p{Cc}/u.test(name)) throw new BadInput(`the name of column ${i + 1} holds a control character`);
    if (names.indexOf(name) !== i) throw new BadInput(`two columns are called ${name}`);
  });
  const rows = function* () {
    for (const record of records) {
      if (record.fields.length !== names.length)
        throw new BadInput(`line ${record.line} has ${record.fields.length} fields, the header has ${names.length}`);
      yield record;
    }
  };
  return { names, rows };
}

function columnIndex(names, name) {
  const at = names.indexOf(name);
  if (at < 0) throw new BadInput(`there is no column ${name}; the file has ${names.join(', ')}`);
  return at;
}

function* readRecords(path) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const block = Buffer.allocUnsafe(1 << 20);
  let file;
  let text = '';
  let at = 0;
  let ended = false;
  let line = 1;
  const readMore = () => {
    try {
      const size = readSync(file, block);
      ended = size === 0;
      text = text.slice(at) + decoder.decode(block.subarray(0, size), { stream: !ended });
      at = 0;
    } catch (error) {
      throw new BadInput(error instanceof TypeError ? `${path} is not UTF-8 text` : `${path} cannot be read: ${error.code}`);
    }
  };
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new BadInput(`${path} cannot be read: ${error.code}`);
  }
  try {
    for (;;) {
      const start = line;
      let from = at;
      let quotes = 0;
      let end = -1;
      // A record ends at the first line break with an even number of quotes before it.
      while (end < 0) {
        const found = text.indexOf('\n', from);
        const stop = found < 0 ? text.length : found;
        if (stop - at > ROW_LIMIT) throw new BadInput(`line ${start} is longer than ${ROW_LIMIT} characters, or a quote is not closed`);
        if (found < 0 && !ended) {
          // The start of the record moves to 0, so what was scanned of it is scanned again; the limit above bounds that.
          readMore();
          from = 0;
          quotes = 0;
          line = start;
          continue;
        }
        const piece = text.slice(from, stop);
        for (let q = piece.indexOf('"'); q >= 0; q = piece.indexOf('"', q + 1)) quotes += 1;
        if (found < 0 && quotes % 2 === 1) throw new BadInput(`line ${start}: a quote is not closed`);
        from = stop + 1;
        line += 1;
        if (quotes % 2 === 0) end = stop;
      }
      if (end === text.length && at >= end) return;
      const record = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end);
      at = end + 1;
      if (record !== '') yield { line: start, fields: quotes === 0 ? plainFields(record, start) : quotedFields(record, start) };
      if (at > text.length) return;
    }
  } finally {
    closeSync(file);
  }
}

function plainFields(record, line) {
  if (record.includes('\r')) throw new BadInput(`line ${line}: a carriage return without a line feed`);
  return record.split(',');
}

function quotedFields(record, line) {
  const fields = [];
  for (let at = 0; ; at += 1) {
    if (record[at] !== '"') {
      const comma = record.indexOf(',', at);
      const stop = comma < 0 ? record.length : comma;
      const plain = record.slice(at, stop);
      if (plain.includes('"')) throw new BadInput(`line ${line}: a quote inside a field that does not start with one`);
      fields.push(plainFields(plain, line)[0]);
      if (comma < 0) return fields;
      at = stop;
      continue;
    }
    let value = '';
    for (at += 1; ; at += 2) {
      const quote = record.indexOf('"', at);
      value += record.slice(at, quote);
      at = quote;
      if (record[at + 1] !== '"') break;
      value += '"';
    }
    fields.push(value);
    at += 1;
    if (at === record.length) return fields;
    if (record[at] !== ',') throw new BadInput(`line ${line}: text after a closing quote`);
  }
}

/** Rounded to so many significant digits: what is beyond them is noise, and differs between machines. */
const significant = (value, digits) => (Number.isFinite(value) ? Number(value.toPrecision(digits)) : null);

function writeOutputs(name, result, lines) {
  mkdirSync('outputs', { recursive: true });
  writeFileSync(`outputs/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(`outputs/${name}.txt`, `${lines.join('\n')}\n`);
  console.log(`wrote outputs/${name}.json and outputs/${name}.txt`);
}

// ---- end of the operator kit ----

const SHAPE = {
  inputs: { data: a.inputPath },
  columns: { id: a.nameOrNull, include: a.namesOrAll },
  privacy: { min_rows: a.integer(30, 1e9), min_group: a.integer(5, 1e9) },
};
const MEMORY_FOR_VALUES = 192 * 1024 * 1024;
const DISTINCT_LIMIT = 1000;
const GROUP_LIMIT = 20;
/** Longer text is no name of a group. */
const NAME_LIMIT = 100;
const MOST_BINS = 10;
const PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 99];

/** First pass: for each column how many cells are numbers, text, missing, and how often each value occurs until there are too many. */
function scan(path, id, include) {
  const { names, rows } = openCsv(path);
  const chosen = include === 'all' ? names.map((_, i) => i) : include.map((name) => columnIndex(names, name));
  if (id !== null) columnIndex(names, id);
  const columns = chosen.map((at) => ({ name: names[at], at, id: names[at] === id, numbers: 0, texts: 0, infinite: 0, counts: new Map() }));
  let count = 0;
  for (const { fields, line } of rows()) {
    count += 1;
    for (const column of columns) {
      const cell = cellOf(fields[column.at]);
      if (NUMBER.test(cell)) column.numbers += 1;
      else if (MISSING.has(cell)) continue;
      else if (INFINITE.test(cell)) column.infinite ||= line;
      else column.texts += 1;
      if (column.counts !== null) countValue(column, cell);
    }
  }
  return { count, columns };
}

function countValue(column, cell) {
  const seen = column.counts.get(cell);
  if (seen !== undefined) seen.count += 1;
  else if (column.counts.size === DISTINCT_LIMIT) column.counts = null;
  // A field is a slice that would keep its whole block of the file in memory: what stays is a copy.
  else column.counts.set(Buffer.from(cell).toString(), { count: 1 });
}

function profileOf(rows, column, k, sorted) {
  const base = { name: column.name, type: typeOf(column, sorted) };
  const count = sorted?.length ?? filledCells(column);
  const missing = rows - count;
  const tells = (n) => n === 0 || n >= k;
  const told = tells(count) && tells(missing);
  const facts = {
    ...base,
    count: told ? count : null,
    missing: told ? missing : null,
    distinct: null,
    distinct_capped: null,
    mean: null,
    sd: null,
    quantiles: null,
    histogram: null,
    groups: null,
    other: null,
  };
  if (count < k) return facts;
  const distinct = sorted === undefined ? (column.counts?.size ?? DISTINCT_LIMIT + 1) : distinctOf(sorted);
  facts.distinct = Math.min(distinct, DISTINCT_LIMIT);
  facts.distinct_capped = distinct > DISTINCT_LIMIT;
  if (column.id) return facts;
  const untold = told ? 0 : missing;
  if (sorted !== undefined) Object.assign(facts, numberFacts(sorted, distinct, untold, k));
  else if (column.counts !== null) {
    const groups = [...column.counts].map(([value, seen]) => ({ value, count: seen.count }));
    if (groups.every(({ value }) => value.length <= NAME_LIMIT)) Object.assign(facts, groupFacts(groups, untold, k));
  }
  return facts;
}

const filledCells = ({ numbers, texts, infinite }) => numbers + texts + infinite;

function typeOf(column, sorted) {
  if (column.id) return 'identifier';
  if (sorted !== undefined) return sorted.every(Number.isInteger) ? 'integer' : 'number';
  return filledCells(column) === 0 ? 'empty' : 'text';
}

function numberFacts(sorted, distinct, untold, k) {
  const n = sorted.length;
  const mean = exactSum(n, (i) => sorted[i]) / n;
  const squares = exactSum(n, (i) => (sorted[i] - mean) * (sorted[i] - mean));
  const absolute = exactSum(n, (i) => Math.abs(sorted[i]));
  const [low, high] = [sorted[0], sorted[n - 1]];
  const loud = Math.max(Math.abs(low), Math.abs(high)) * 2 > absolute;
  const far = Math.max((low - mean) * (low - mean), (high - mean) * (high - mean)) * 2 > squares;
  const middle = quantilesOf(sorted, k);
  const { smooth, spread } = middle;
  return {
    mean: loud ? null : onGrid(mean, spread, 4),
    sd: n < 2 || (far && squares > 0) ? null : significant(Math.sqrt(squares / (n - 1)), 6),
    quantiles: Object.fromEntries(PERCENTS.map((percent, i) => [`p${percent}`, smooth[i] === null ? null : onGrid(smooth[i], spread, 2)])),
    ...(distinct <= GROUP_LIMIT ? groupFacts(groupsOf(sorted), untold, k) : histogramFacts(sorted, middle, untold, k)),
  };
}

/** The mean of k values around each rank (Hyndman and Fan's rank 7), and how far the outermost two lie apart, to round by. */
function quantilesOf(sorted, k) {
  const n = sorted.length;
  const smooth = PERCENTS.map((percent) => {
    const rank = ((n - 1) * percent) / 100;
    if (rank < k || n - 1 - rank < k) return null;
    const start = Math.floor(rank - (k - 1) / 2 + 0.5);
    return exactSum(k, (i) => sorted[start + i]) / k;
  });
  const outermost = smooth.findIndex((value) => value !== null);
  const spread = outermost < 0 ? 0 : smooth[PERCENTS.length - 1 - outermost] - smooth[outermost];
  return { smooth, outermost, spread };
}

const halfUp = (value) => Math.floor(value + 0.5);

/** Rounded to a power of ten, `digits` places below the first digit of the spread. */
function onGrid(value, spread, digits, round = halfUp) {
  if (!(spread > 0)) return significant(value, 6);
  const exponent = Number(spread.toExponential(16).split('e')[1]) - digits;
  const power = Number(`1e${Math.abs(exponent)}`);
  return significant(exponent < 0 ? round(value * power) / power : round(value / power) * power, 10);
}

function distinctOf(sorted) {
  let distinct = 1;
  for (let i = 1; i < sorted.length && distinct <= DISTINCT_LIMIT; i += 1) if (sorted[i] !== sorted[i - 1]) distinct += 1;
  return distinct;
}

function groupsOf(sorted) {
  const groups = [];
  for (const value of sorted) {
    const last = groups.at(-1);
    if (last?.number === value) last.count += 1;
    else groups.push({ number: value, value: String(value), count: 1 });
  }
  return groups;
}

/** Largest first, then by value; what is under k, or after the twentieth, goes into `other`. */
function groupFacts(all, untold, k) {
  const order = (x, y) => y.count - x.count || (x.number !== undefined ? x.number - y.number : x.value < y.value ? -1 : 1);
  const groups = all.sort(order);
  const hidden = groups.slice(GROUP_LIMIT).map(({ count }) => count);
  const { listed, other } = withhold(groups.slice(0, GROUP_LIMIT), [...hidden, untold], k);
  return { groups: listed.map(({ value, count }) => ({ value, count })), other };
}

function histogramFacts(sorted, { smooth, outermost, spread }, untold, k) {
  if (!(spread > 0)) return {};
  const from = onGrid(smooth[outermost], spread, 2, Math.floor);
  const to = onGrid(smooth[PERCENTS.length - 1 - outermost], spread, 2, Math.ceil);
  // Few rows make few bins, or none would hold k; the edges as they are told are the edges that count.
  const count = Math.min(MOST_BINS, Math.max(1, Math.floor((sorted.length + untold) / (4 * k))));
  const edge = (i) => (i === count ? to : significant(from + ((to - from) * i) / count, 10));
  const below = firstAtLeast(sorted, from);
  const bins = [];
  let start = below;
  for (let i = 0; i < count; i += 1) {
    const end = i === count - 1 ? firstAbove(sorted, to) : firstAtLeast(sorted, edge(i + 1));
    bins.push({ from: edge(i), to: edge(i + 1), count: end - start });
    start = end;
  }
  const { listed, other } = withhold(bins, [below, sorted.length - start, untold], k);
  return { histogram: listed, other };
}

/**
 * Lists the parts that are of at least k rows; the others are told as one number, `other`, with what is hidden already. That number must
 * be of k rows and of two kinds at least, or it tells the one that is hidden: until it is, the smallest part that is listed joins it.
 */
function withhold(parts, hidden, k) {
  let listed = parts.filter(({ count }) => count >= k);
  const away = [...hidden, ...parts.map(({ count }) => count).filter((count) => count < k)].filter((count) => count > 0);
  const total = () => away.reduce((sum, count) => sum + count, 0);
  while (away.length > 0 && listed.length > 0 && (away.length < 2 || total() < k)) {
    const smallest = listed.reduce((least, part) => (part.count <= least.count ? part : least));
    away.push(smallest.count);
    listed = listed.filter((part) => part !== smallest);
  }
  return { listed, other: total() };
}

function firstAtLeast(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAbove(sorted, value) {
  let at = firstAtLeast(sorted, value);
  while (at < sorted.length && sorted[at] === value) at += 1;
  return at;
}

/** The sum of `term(0 … n - 1)`, correctly rounded whatever their order: Shewchuk's partial sums, then one rounding to even. */
function exactSum(n, term) {
  const partials = [];
  for (let i = 0; i < n; i += 1) {
    let x = term(i);
    let used = 0;
    for (let j = 0; j < partials.length; j += 1) {
      let y = partials[j];
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const sum = x + y;
      const rest = y - (sum - x);
      if (rest !== 0) partials[used++] = rest;
      x = sum;
    }
    partials.length = used;
    partials.push(x);
  }
  let at = partials.length - 1;
  let sum = partials[at] ?? 0;
  let rest = 0;
  while (at > 0 && rest === 0) {
    at -= 1;
    const before = sum;
    sum = before + partials[at];
    rest = partials[at] - (sum - before);
  }
  // Exactly between two numbers: what is left below decides, not the rule of halves.
  if (at > 0 && Math.sign(rest) === Math.sign(partials[at - 1])) {
    const twice = rest * 2;
    if (sum + twice - sum === twice) sum += twice;
  }
  return sum;
}

/** Columns of numbers, sorted, as many at a time as fit into memory. */
function* numberColumns(path, columns, rows) {
  const atOnce = Math.max(1, Math.floor(MEMORY_FOR_VALUES / 8 / rows));
  for (let start = 0; start < columns.length; start += atOnce) {
    const batch = columns.slice(start, start + atOnce).map((column) => ({ column, values: new Float64Array(column.numbers), filled: 0 }));
    for (const { fields, line } of openCsv(path).rows())
      for (const one of batch) {
        const cell = cellOf(fields[one.column.at]);
        if (!NUMBER.test(cell)) continue;
        const value = Number(cell);
        if (Math.abs(value) > LARGEST) throw new BadInput(`line ${line}, column ${one.column.name}: a number that is too large`);
        one.values[one.filled++] = value;
      }
    for (const { column, values } of batch) yield [column, values.sort()];
    console.log(`profiled ${Math.min(start + atOnce, columns.length)} of ${columns.length} columns of numbers`);
  }
}

function textOf({ rows, columns, privacy }) {
  const head = ['count', 'missing', 'distinct', 'mean', 'sd', 'p5', 'p50', 'p95'];
  const wide = Math.max(12, ...columns.map(({ name }) => name.length));
  const show = (value) => ` ${(value === null || value === undefined ? '-' : String(value)).padStart(12)}`;
  const line = (c) => {
    const q = c.quantiles ?? {};
    const distinct = c.distinct_capped ? `>${c.distinct}` : c.distinct;
    return `${c.name.padEnd(wide)} ${c.type.padEnd(10)}${[c.count, c.missing, distinct, c.mean, c.sd, q.p5, q.p50, q.p95].map(show).join('')}`;
  };
  const parts = ({ name, groups, histogram, other }) => {
    const listed =
      groups?.map(({ value, count }) => `${JSON.stringify(value)} ${count}`) ?? histogram?.map((b) => `${b.from}..${b.to} ${b.count}`);
    return listed === undefined ? [] : [`${name}: ${[...listed, ...(other > 0 ? [`other ${other}`] : [])].join(', ')}`];
  };
  return [
    `Data profile of ${rows} rows; no figure is of fewer than ${privacy.min_group} rows, - is withheld or does not apply`,
    '',
    `${'column'.padEnd(wide)} ${'type'.padEnd(10)}${head.map(show).join('')}`,
    ...columns.map(line),
    '',
    ...columns.flatMap(parts),
  ];
}

main(() => {
  const { inputs, columns: wanted, privacy } = readParameters(SHAPE);
  const { count, columns } = scan(inputs.data, wanted.id, wanted.include);
  if (count < privacy.min_rows) throw new BadInput(`the data has ${count} rows, fewer than min_rows ${privacy.min_rows}`);
  console.log(`read ${count} rows; ${columns.length} columns`);
  const isNumeric = (column) => column.numbers > 0 && column.texts === 0 && !column.id;
  for (const column of columns)
    if (isNumeric(column) && column.infinite > 0) throw new BadInput(`line ${column.infinite}, column ${column.name}: an infinite value`);
  const facts = new Map();
  for (const [column, sorted] of numberColumns(inputs.data, columns.filter(isNumeric), count))
    facts.set(column, profileOf(count, column, privacy.min_group, sorted));
  const profiles = columns.map((column) => facts.get(column) ?? profileOf(count, column, privacy.min_group));
  const result = { operator: 'profile', version: 1, rows: count, columns: profiles, privacy };
  writeOutputs('profile', result, textOf(result));
});
