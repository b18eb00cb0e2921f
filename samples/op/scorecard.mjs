/**
 * Credit scorecard: logistic regression of a 0/1 label on numeric columns, its standard errors, and how well it ranks held-out rows.
 *
 *   node scorecard.mjs --config args.json        exit 0 done, 2 bad data or parameters, 1 a bug of this file
 *
 * Parameters (all required): see scorecard_params.json.
 *   inputs.data            ./inputs/<file>.csv: a header, one row a customer
 *   columns.id             column that is never used as a feature, or null
 *   columns.label          column that holds 0 (good) or 1 (bad)
 *   columns.features       list of columns, or "all": every column of numbers but id and label; columns of text are skipped and named
 *   model.l2               weight of the penalty l2/2 * sum of squared coefficients (not of the intercept); 0 is maximum likelihood
 *   model.standardize      true: coefficients (and penalty) per standard deviation of a column; false: per unit of the column
 *   split.method           "random": test rows drawn by `seed`; "order": the last rows are the test rows
 *   split.test_fraction    0 to 0.9; round(rows * fraction) rows are held out; 0: all rows train, and figures are of the training rows
 *   split.seed             whole number, 32 bits, of the draw below
 *   privacy.min_rows       fewer rows than this: refused
 *   privacy.min_group      each count that is released is of at least this many rows
 *
 * Fit: Newton's method (IRLS) with step halving, on columns standardised for conditioning whatever `standardize` says.
 * Errors: inverse of the information; with l2 > 0 the ridge sandwich of le Cessie and van Houwelingen (1992), blind to the bias.
 * Draw: mulberry32 (Tommy Ettinger, public domain) seeded with `seed`; Fisher-Yates from the last row down, index floor(u * (i + 1));
 * the first round(rows * fraction) entries of the shuffled list are the test rows.
 *
 * What leaves (outputs/scorecard.json, scorecard.txt): figures over all train or test rows, coefficients, and counts by score band.
 * - A model with a coefficient for every few rows is a copy of them: at least ROWS_PER_COEFFICIENT rows are needed for each.
 * - A coefficient of a column in which few rows differ from the others tells about those few: such a column is refused.
 * - Score bands that hold fewer than min_group good or bad rows are merged with a neighbour. Blanking them would not do: the blank
 *   follows from the totals. The ROC curve is given at the ends of these bands only, since a full one holds each row's label in order.
 * Whoever may choose seed, features and min_group freely can compare runs; an owner who minds fixes them in the constraint.
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
  columns: { id: a.nameOrNull, label: a.name, features: a.namesOrAll },
  model: { l2: a.number(0, 1e9), standardize: a.boolean },
  split: { method: a.choice('random', 'order'), test_fraction: a.number(0, 0.9), seed: a.integer(0, 2 ** 32 - 1) },
  privacy: { min_rows: a.integer(30, 1e9), min_group: a.integer(5, 1e9) },
};
const MEMORY_FOR_ROWS = 320 * 1024 * 1024;
const ROWS_PER_COEFFICIENT = 5;
const BANDS = 10;
const THRESHOLD = 0.5;
const MAX_STEPS = 60;
/** The scale of a printed scorecard: 600 points at odds of 50 good to 1 bad, 20 points double the odds. */
const SCALE = { points: 600, odds: 50, points_to_double_odds: 20 };

/** First pass: which columns are features, how many rows there are, and that every cell that will be used is a number. */
function scan({ inputs, columns, privacy }) {
  const { names, rows } = openCsv(inputs.data);
  const label = columnIndex(names, columns.label);
  const id = columns.id === null ? -1 : columnIndex(names, columns.id);
  const all = columns.features === 'all';
  const wanted = all
    ? names.map((_, i) => i).filter((i) => i !== label && i !== id)
    : columns.features.map((name) => columnIndex(names, name));
  if (wanted.includes(label) || wanted.includes(id)) throw new BadInput('the label and the id cannot be features');
  const numbers = new Map(wanted.map((i) => [i, 0]));
  const problems = new Map();
  let count = 0;
  for (const { fields, line } of rows()) {
    count += 1;
    if (labelOf(fields[label]) === undefined) throw new BadInput(`line ${line}: the label ${columns.label} is not 0 or 1`);
    for (const i of wanted) {
      const problem = problemOf(fields[i]);
      if (problem === undefined) numbers.set(i, numbers.get(i) + 1);
      else if (!all) throw new BadInput(`line ${line}, column ${names[i]}: ${problem}`);
      else if (!problems.has(i)) problems.set(i, { line, problem });
    }
  }
  if (count < privacy.min_rows) throw new BadInput(`the data has ${count} rows, fewer than min_rows ${privacy.min_rows}`);
  // Text is no feature and may be passed over; a column of numbers with holes in it must not vanish unnoticed.
  const torn = wanted.find((i) => problems.has(i) && numbers.get(i) > 0);
  if (torn !== undefined) {
    const { line, problem } = problems.get(torn);
    throw new BadInput(`line ${line}, column ${names[torn]}: ${problem}; name the features to use, or complete the column`);
  }
  const features = wanted.filter((i) => !problems.has(i));
  if (features.length === 0) throw new BadInput('no column of numbers is left as a feature');
  const bytes = count * (features.length + 2) * 8;
  if (bytes > MEMORY_FOR_ROWS)
    throw new BadInput(
      `${count} rows of ${features.length} features need ${bytes >> 20} MiB, more than ${MEMORY_FOR_ROWS >> 20}; use fewer features`,
    );
  const skipped = wanted.filter((i) => problems.has(i)).map((i) => names[i]);
  return { rows: count, label, columns: features, features: features.map((i) => names[i]), skipped };
}

function labelOf(text) {
  const cell = cellOf(text);
  return NUMBER.test(cell) && (Number(cell) === 0 || Number(cell) === 1) ? Number(cell) : undefined;
}

function problemOf(text) {
  const cell = cellOf(text);
  if (NUMBER.test(cell)) return Math.abs(Number(cell)) <= LARGEST ? undefined : 'a number that is too large';
  if (MISSING.has(cell)) return 'a value is missing';
  return INFINITE.test(cell) ? 'an infinite value' : 'not a number';
}

/** Second pass: the features row by row in one array of the right size, each row led by a 1 for the intercept. */
function load({ inputs }, { rows: count, label, columns }) {
  const width = columns.length + 1;
  const x = new Float64Array(count * width);
  const y = new Uint8Array(count);
  let row = 0;
  for (const { fields } of openCsv(inputs.data).rows()) {
    if (row === count) throw new BadInput('the data grew while it was read');
    y[row] = labelOf(fields[label]);
    x[row * width] = 1;
    for (let j = 1; j < width; j += 1) x[row * width + j] = Number(fields[columns[j - 1]]);
    row += 1;
  }
  return { x, y, width };
}

function split(count, { method, test_fraction: fraction, seed }) {
  const held = Math.round(count * fraction);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (method === 'order') return { train: order.subarray(0, count - held), test: order.subarray(count - held) };
  const next = mulberry32(seed);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  // In row order again: sums over the rows then read memory forwards.
  return { test: order.subarray(0, held).sort(), train: order.subarray(held).sort() };
}

function mulberry32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function checkGroups({ y, width }, { features }, rows, what, minGroup) {
  const bad = badsOf(y, rows);
  for (const [count, name] of [
    [bad, 1],
    [rows.length - bad, 0],
  ]) {
    if (count === 0) throw new BadInput(`all ${what} rows have the label ${1 - name}; both are needed`);
    if (count < minGroup) throw new BadInput(`fewer than min_group ${minGroup} ${what} rows have the label ${name}`);
  }
  if (what === 'training' && rows.length < ROWS_PER_COEFFICIENT * width)
    throw new BadInput(
      `${rows.length} training rows are too few for ${features.length} features: ${ROWS_PER_COEFFICIENT} are needed for each coefficient`,
    );
}

const badsOf = (y, rows) => rows.reduce((sum, row) => sum + y[row], 0);

/** Shifts and scales the columns in place by mean and deviation of the training rows; refuses those that tell nothing or too much. */
function standardise({ x, width }, { features, rows: count }, train, minGroup) {
  return features.map((name, f) => {
    const j = f + 1;
    // Boyer and Moore's vote: the only value that can be in more than half of the rows.
    let usual = 0;
    let votes = 0;
    let mean = 0;
    train.forEach((row, i) => {
      const value = x[row * width + j];
      if (votes === 0) usual = value;
      votes += value === usual ? 1 : -1;
      mean += (value - mean) / (i + 1);
    });
    let others = 0;
    let squares = 0;
    for (const row of train) {
      const value = x[row * width + j];
      if (value !== usual) others += 1;
      squares += (value - mean) ** 2;
    }
    if (others === 0) throw new BadInput(`column ${name} is constant in the training rows`);
    if (others < minGroup) throw new BadInput(`column ${name} is nearly constant: fewer than min_group ${minGroup} training rows differ`);
    const sd = Math.sqrt(squares / (train.length - 1));
    for (let row = 0; row < count; row += 1) x[row * width + j] = (x[row * width + j] - mean) / sd;
    return { name, mean, sd };
  });
}

function fitModel(table, { features }, train, scaling, { l2, standardize }) {
  // The penalty is on coefficients as they are reported: per standard deviation, or per unit, which is gamma / sd.
  const penalty = [0, ...scaling.map(({ sd }) => (standardize ? l2 : l2 / sd ** 2))];
  const correlated = cholesky(gram(table, train), 1e-9);
  if (correlated.failed > 0)
    throw new BadInput(`column ${features[correlated.failed - 1]} is collinear: a linear combination of the features before it`);
  const base = badsOf(table.y, train) / train.length;
  let now = objective(table, train, Float64Array.of(Math.log(base / (1 - base)), ...features.map(() => 0)), penalty);
  const nullLikelihood = now.likelihood;
  for (let step = 1; step <= MAX_STEPS; step += 1) {
    const factor = cholesky(now.information, 1e-11);
    if (factor.failed >= 0) break;
    const direction = solve(factor.lower, now.gradient);
    let next;
    let length = 1;
    do {
      next = objective(
        table,
        train,
        now.gamma.map((g, j) => g + length * direction[j]),
        penalty,
      );
      length /= 2;
    } while (!(next.value >= now.value - 1e-10 * Math.abs(now.value)) && length > 1e-6);
    now = next;
    console.log(`step ${step}`);
    // The error left after a step is of the order of its square; a smaller bound would be lost in rounding when columns are nearly collinear.
    if (direction.every((d) => Math.abs(d) < 1e-6)) return { ...now, nullLikelihood, penalty, steps: step };
  }
  // With a proper maximum Newton arrives within a few steps; coefficients that go on growing have none to arrive at.
  const largest = now.gamma.reduce((best, g, j) => (j > 0 && Math.abs(g) > Math.abs(now.gamma[best]) ? j : best), 1);
  throw new BadInput(
    `the label is (nearly) separated by the features, most by column ${features[largest - 1]}: its coefficient grows without bound; leave it out or set model.l2 above 0`,
  );
}

/** Cross products of the standardised columns over the number of rows: a correlation matrix bordered by the intercept. */
function gram({ x, width }, rows) {
  const sums = new Float64Array(width * width);
  for (const row of rows) addOuter(sums, x, row * width, width, 1 / rows.length);
  return sums;
}

function addOuter(sums, x, at, width, weight) {
  for (let j = 0; j < width; j += 1) {
    const scaled = weight * x[at + j];
    for (let k = 0; k <= j; k += 1) sums[j * width + k] += scaled * x[at + k];
  }
}

/** Log-likelihood, the penalised value that is maximised, its gradient, and the (penalised) information matrix, lower half. */
function objective({ x, y, width }, rows, gamma, penalty) {
  const gradient = new Float64Array(width);
  const likelihoodInformation = new Float64Array(width * width);
  let likelihood = 0;
  for (const row of rows) {
    const at = row * width;
    const eta = dot(x, at, gamma);
    const p = sigmoid(eta);
    likelihood -= softplus(y[row] === 1 ? -eta : eta);
    const residual = y[row] - p;
    for (let j = 0; j < width; j += 1) gradient[j] += residual * x[at + j];
    addOuter(likelihoodInformation, x, at, width, p * (1 - p));
  }
  const information = likelihoodInformation.slice();
  let value = likelihood;
  for (let j = 0; j < width; j += 1) {
    value -= (penalty[j] * gamma[j] ** 2) / 2;
    gradient[j] -= penalty[j] * gamma[j];
    information[j * width + j] += penalty[j];
  }
  return { gamma, likelihood, value, gradient, information, likelihoodInformation };
}

function dot(x, at, gamma) {
  let sum = 0;
  for (let j = 0; j < gamma.length; j += 1) sum += x[at + j] * gamma[j];
  return sum;
}

const sigmoid = (eta) => 1 / (1 + Math.exp(-eta));
/** log(1 + e^v) without overflow. */
const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

/** Lower factor of a symmetric matrix, of which the lower half is read; `failed`: the first pivot not above `tolerance` times its diagonal. */
function cholesky(matrix, tolerance) {
  const width = Math.sqrt(matrix.length);
  const lower = new Float64Array(matrix.length);
  for (let j = 0; j < width; j += 1) {
    for (let i = j; i < width; i += 1) {
      let sum = matrix[i * width + j];
      for (let k = 0; k < j; k += 1) sum -= lower[i * width + k] * lower[j * width + k];
      if (i > j) lower[i * width + j] = sum / lower[j * width + j];
      else if (sum > tolerance * matrix[j * width + j] && sum > Number.MIN_VALUE) lower[j * width + j] = Math.sqrt(sum);
      else return { lower, failed: j };
    }
  }
  return { lower, failed: -1 };
}

function solve(lower, right) {
  const width = right.length;
  const out = Float64Array.from(right);
  for (let i = 0; i < width; i += 1) {
    for (let k = 0; k < i; k += 1) out[i] -= lower[i * width + k] * out[k];
    out[i] /= lower[i * width + i];
  }
  for (let i = width - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < width; k += 1) out[i] -= lower[k * width + i] * out[k];
    out[i] /= lower[i * width + i];
  }
  return out;
}

/** Coefficients as they are reported, each a linear combination of gamma, with their standard errors. */
function coefficientsOf({ gamma, information, likelihoodInformation, penalty }, scaling, standardize) {
  const width = gamma.length;
  const { lower } = cholesky(information, 0);
  const ridge = penalty.some((one) => one > 0);
  const unit = (j) => Float64Array.from({ length: width }, (_, k) => (k === j ? 1 / (standardize || j === 0 ? 1 : scaling[j - 1].sd) : 0));
  const intercept = Float64Array.from({ length: width }, (_, k) =>
    k === 0 ? 1 : standardize ? 0 : -scaling[k - 1].mean / scaling[k - 1].sd,
  );
  return gamma.reduce((list, _, j) => {
    const weights = j === 0 ? intercept : unit(j);
    const estimate = dot(weights, 0, gamma);
    const half = solve(lower, weights);
    const variance = ridge ? quadratic(likelihoodInformation, half) : dot(weights, 0, half);
    const se = Math.sqrt(variance);
    list.push({ name: j === 0 ? '(intercept)' : scaling[j - 1].name, estimate, se });
    return list;
  }, []);
}

function quadratic(matrix, v) {
  const width = v.length;
  let sum = 0;
  for (let j = 0; j < width; j += 1) for (let k = 0; k <= j; k += 1) sum += (j === k ? 1 : 2) * matrix[j * width + k] * v[j] * v[k];
  return sum;
}

/** Two-sided p-value of a standard normal: erfc(|z| / sqrt 2), by its power series near 0 and its continued fraction beyond. */
function pValue(z) {
  const v = Math.abs(z) / Math.SQRT2;
  if (v > 26.5) return 0;
  if (v < 2) {
    let term = v;
    let sum = v;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n += 1) {
      term *= (-v * v) / n;
      sum += term / (2 * n + 1);
      if (term === 0) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let tail = v;
  for (let n = 60; n > 0; n -= 1) tail = v + n / 2 / tail;
  return Math.exp(-v * v) / Math.sqrt(Math.PI) / tail;
}

/** Figures of the given rows. The scores of both classes are sorted apart and walked together from the highest down, ties at once. */
function evaluate({ x, y, width }, rows, gamma, minGroup) {
  const bads = badsOf(y, rows);
  const goods = rows.length - bads;
  const scores = [new Float64Array(goods), new Float64Array(bads)];
  const filled = [0, 0];
  let logLoss = 0;
  let brier = 0;
  let right = 0;
  for (const row of rows) {
    const eta = dot(x, row * width, gamma);
    const p = sigmoid(eta);
    const label = y[row];
    scores[label][filled[label]++] = eta;
    logLoss += softplus(label === 1 ? -eta : eta);
    brier += (label - p) ** 2;
    right += p >= THRESHOLD === (label === 1) ? 1 : 0;
  }
  scores[0].sort();
  scores[1].sort();
  const seen = [0, 0];
  let pairs = 0;
  let ks = 0;
  let tenth = 0;
  const tenths = [];
  let band = { rows: 0, bads: 0, probability: 0 };
  while (seen[0] + seen[1] < rows.length) {
    const top = Math.max(scores[0][goods - 1 - seen[0]] ?? -Infinity, scores[1][bads - 1 - seen[1]] ?? -Infinity);
    const tied = [0, 1].map((label) => {
      const list = scores[label];
      let n = 0;
      while (list[list.length - 1 - seen[label] - n] === top) n += 1;
      return n;
    });
    // Every pair of a bad and a good row counts 1 when the bad one scores higher, and a half when they tie.
    pairs += tied[1] * (goods - seen[0] - tied[0]) + (tied[1] * tied[0]) / 2;
    seen[0] += tied[0];
    seen[1] += tied[1];
    ks = Math.max(ks, Math.abs(seen[1] / bads - seen[0] / goods));
    band.rows += tied[0] + tied[1];
    band.bads += tied[1];
    band.probability += (tied[0] + tied[1]) * sigmoid(top);
    const reached = Math.floor(((seen[0] + seen[1]) * BANDS) / rows.length);
    if (reached > tenth) {
      tenth = reached;
      tenths.push(band);
      band = { rows: 0, bads: 0, probability: 0 };
    }
  }
  const auc = pairs / bads / goods;
  const n = rows.length;
  const majority = Math.max(bads, goods) / n;
  return {
    rows: n,
    bads,
    auc,
    ks,
    accuracy: right / n,
    majority,
    logLoss: logLoss / n,
    brier: brier / n,
    bands: mergeBands(tenths, minGroup),
  };
}

/** Joins neighbours from the top down until each band holds enough rows of both labels; what is left at the end joins the last one. */
function mergeBands(tenths, minGroup) {
  const enough = (band) => Math.min(band.bads, band.rows - band.bads) >= minGroup;
  const join = (one, other) => ({
    rows: one.rows + other.rows,
    bads: one.bads + other.bads,
    probability: one.probability + other.probability,
  });
  const bands = [];
  let open = { rows: 0, bads: 0, probability: 0 };
  for (const tenth of tenths) {
    open = join(open, tenth);
    if (!enough(open)) continue;
    bands.push(open);
    open = { rows: 0, bads: 0, probability: 0 };
  }
  if (open.rows > 0) bands.push(join(bands.pop() ?? { rows: 0, bads: 0, probability: 0 }, open));
  return bands;
}

function report({ model, split: drawn, privacy }, plan, table, { train, test }, scaling, fit, evaluation) {
  const r = (value) => significant(value, 8);
  const factor = SCALE.points_to_double_odds / Math.LN2;
  const offset = SCALE.points - factor * Math.log(SCALE.odds);
  const coefficients = coefficientsOf(fit, scaling, model.standardize).map(({ name, estimate, se }, j) => ({
    name,
    estimate: r(estimate),
    se: r(se),
    z: r(estimate / se),
    p: r(pValue(estimate / se)),
    low95: r(estimate - 1.959963984540054 * se),
    high95: r(estimate + 1.959963984540054 * se),
    points: r(j === 0 ? offset - factor * estimate : -factor * estimate),
    ...(model.standardize && j > 0 ? { mean: r(scaling[j - 1].mean), sd: r(scaling[j - 1].sd) } : {}),
  }));
  const { bands, bads } = evaluation;
  const goods = evaluation.rows - bads;
  const curve = [{ fpr: 0, tpr: 0 }];
  let seen = { rows: 0, bads: 0 };
  for (const band of bands) {
    seen = { rows: seen.rows + band.rows, bads: seen.bads + band.bads };
    curve.push({ fpr: r((seen.rows - seen.bads) / goods), tpr: r(seen.bads / bads) });
  }
  return {
    operator: 'scorecard',
    version: 1,
    rows: { all: plan.rows, train: train.length, test: test.length, train_bad: badsOf(table.y, train), test_bad: badsOf(table.y, test) },
    skipped_columns: plan.skipped,
    model: {
      ...model,
      steps: fit.steps,
      log_likelihood: r(fit.likelihood),
      null_log_likelihood: r(fit.nullLikelihood),
      mcfadden_r2: r(1 - fit.likelihood / fit.nullLikelihood),
      standard_errors: model.l2 > 0 ? 'ridge sandwich' : 'inverse information',
    },
    scale: { ...SCALE, offset: r(offset), factor: r(factor) },
    coefficients,
    evaluation: {
      on: test.length > 0 ? 'test' : 'train',
      rows: evaluation.rows,
      auc: r(evaluation.auc),
      gini: r(2 * evaluation.auc - 1),
      ks: r(evaluation.ks),
      threshold: THRESHOLD,
      accuracy: r(evaluation.accuracy),
      majority_accuracy: r(evaluation.majority),
      log_loss: r(evaluation.logLoss),
      brier: r(evaluation.brier),
      roc: curve,
      bands: bands.map((band, i) => ({
        band: i + 1,
        rows: band.rows,
        bad: band.bads,
        bad_rate: r(band.bads / band.rows),
        mean_probability: r(band.probability / band.rows),
      })),
    },
    split: drawn,
    privacy,
  };
}

function textOf({ rows, model, coefficients, evaluation, skipped_columns: skipped, privacy, scale }) {
  const cell = (value, width) => (typeof value === 'number' ? String(significant(value, 5)) : value).padStart(width);
  const wide = Math.max(12, ...coefficients.map(({ name }) => name.length));
  const e = evaluation;
  return [
    'Credit scorecard (logistic regression)',
    `rows ${rows.all}: train ${rows.train} (${rows.train_bad} bad), test ${rows.test} (${rows.test_bad} bad)`,
    ...(skipped.length > 0 ? [`columns of text, not used: ${skipped.join(', ')}`] : []),
    `l2 ${model.l2}, per ${model.standardize ? 'standard deviation' : 'unit'}, ${model.steps} steps, log-likelihood ${cell(model.log_likelihood, 0)}` +
      ` (without features ${cell(model.null_log_likelihood, 0)}), McFadden R2 ${cell(model.mcfadden_r2, 0)}`,
    '',
    `${'column'.padEnd(wide)}${['estimate', 'se', 'z', 'p', 'low95', 'high95', 'points'].map((head) => head.padStart(13)).join('')}`,
    ...coefficients.map(
      (c) => c.name.padEnd(wide) + [c.estimate, c.se, c.z, c.p, c.low95, c.high95, c.points].map((v) => cell(v, 13)).join(''),
    ),
    `points: ${scale.points} at odds ${scale.odds} to 1, ${scale.points_to_double_odds} double the odds`,
    '',
    `on ${e.rows} ${e.on} rows: AUC ${cell(e.auc, 0)}, Gini ${cell(e.gini, 0)}, KS ${cell(e.ks, 0)}, accuracy ${cell(e.accuracy, 0)}` +
      ` (always the larger class ${cell(e.majority_accuracy, 0)}), log-loss ${cell(e.log_loss, 0)}, Brier ${cell(e.brier, 0)}`,
    '',
    `${'band'.padEnd(6)}${['rows', 'bad', 'bad rate', 'predicted'].map((head) => head.padStart(11)).join('')}`,
    ...e.bands.map((b) => String(b.band).padEnd(6) + [b.rows, b.bad, b.bad_rate, b.mean_probability].map((v) => cell(v, 11)).join('')),
    `riskiest first; neighbours are merged until each band holds ${privacy.min_group} rows of either label`,
  ];
}

main(() => {
  const parameters = readParameters(SHAPE);
  const plan = scan(parameters);
  console.log(`read ${plan.rows} rows; ${plan.features.length} features`);
  const table = load(parameters, plan);
  const { train, test } = split(plan.rows, parameters.split);
  checkGroups(table, plan, train, 'training', parameters.privacy.min_group);
  if (test.length > 0) checkGroups(table, plan, test, 'test', parameters.privacy.min_group);
  const scaling = standardise(table, plan, train, parameters.privacy.min_group);
  const fit = fitModel(table, plan, train, scaling, parameters.model);
  console.log(`fitted on ${train.length} rows in ${fit.steps} steps`);
  const evaluated = test.length > 0 ? test : train;
  const evaluation = evaluate(table, evaluated, fit.gamma, parameters.privacy.min_group);
  const result = report(parameters, plan, table, { train, test }, scaling, fit, evaluation);
  writeOutputs('scorecard', result, textOf(result));
});
