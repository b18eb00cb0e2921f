import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDataset } from '../datasets/open-dataset.js';
import { fileProblem } from '../errors/file-problem.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** Of samples/generate-credit.mjs, which also runs by itself. */
type GenerateCredit = (options: { rows: number; seed: number; folder: string }) => unknown;

/** Of samples/split-for-joint.mjs, which also runs by itself. */
type SplitForJoin = (options: { folder: string; target: string; share: number }) => {
  readonly featuresA: string;
  readonly labelA: string;
  readonly featuresB: string;
  readonly rowsA: number;
  readonly rowsB: number;
  readonly common: number;
  readonly columnsA: readonly string[];
  readonly columnsB: readonly string[];
};

export interface DemoFiles {
  readonly bankA: string;
  readonly bankB: string;
  /** Attribute files, adapted to the columns of the data. */
  readonly attributes: { readonly bankA: string; readonly bankB: string; readonly algorithm: string };
  /** For the joint model; or why there can be none. */
  readonly joint: JointFiles | { readonly missing: string };
}

/** Three files with ids, each in an order of its own. */
export interface JointFiles {
  readonly featuresA: string;
  readonly labelA: string;
  readonly featuresB: string;
  readonly columns: { readonly a: number; readonly b: number };
  /** Customers of each bank, and of both. */
  readonly customers: { readonly a: number; readonly b: number; readonly common: number };
  /** Writes the attribute files, for daemons at these URLs. */
  attributesFor(urls: DaemonUrls): Promise<JointAttributes>;
}

export interface DaemonUrls {
  readonly bankA: string;
  readonly bankB: string;
  readonly dealer: string;
}

export type JointAttributes = Readonly<Record<'featuresA' | 'labelA' | 'featuresB' | 'alone' | 'algorithm', string>>;

/** What the tokens of the samples demand. */
const LEAST_COMMON = 2000;
/** Of the made-up customers, what each bank knows. Own files are left as they are. */
const SHARE = 0.9;

/**
 * The data and attribute files of the demo: generated ones, or `bank_a.csv` (id, y, features) and `bank_b.csv` (id, features) of a folder.
 * @throws DT_INPUT_FILE, DT_INPUT_INVALID
 */
export async function prepareDemo(samples: string, folder: string, own: string | undefined): Promise<DemoFiles> {
  const bankA = join(folder, 'bank-a', 'data', 'bank_a.csv');
  const bankB = join(folder, 'bank-b', 'data', 'bank_b.csv');
  for (const file of [bankA, bankB]) await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  const source = own ?? join(folder, 'generated');
  if (own === undefined) {
    const { generateCredit } = await sample<{ generateCredit: GenerateCredit }>(samples, 'generate-credit.mjs');
    await generateCredit({ rows: 10_000, seed: 20, folder: source });
  }
  await take(join(source, 'bank_a.csv'), bankA);
  await take(join(source, 'bank_b.csv'), bankB);
  for (const part of ['join', 'joint']) await mkdir(join(folder, 'attributes', part), { recursive: true });
  const features = own === undefined ? undefined : await featuresOf(bankA);
  const adapt = async (name: string): Promise<string> => {
    const text = await readFile(join(samples, 'ddo', name), 'utf8');
    return write(folder, name, features === undefined ? text : withFeatures(text, features));
  };
  return {
    bankA,
    bankB,
    attributes: {
      bankA: await adapt('bank_a_attr.json'),
      bankB: await adapt('bank_b_attr.json'),
      algorithm: await adapt('algorithm_attr.json'),
    },
    joint: await prepareJoint(samples, folder, source, own !== undefined),
  };
}

/** What the joint model takes: it joins the customers of both banks first. */
async function prepareJoint(samples: string, folder: string, source: string, isOwn: boolean): Promise<DemoFiles['joint']> {
  const odd = await oddIds(join(source, 'bank_a.csv'), join(source, 'bank_b.csv'));
  if (odd !== undefined) return { missing: odd };
  const { splitForJoin } = await sample<{ splitForJoin: SplitForJoin }>(samples, 'split-for-joint.mjs');
  const split = splitForJoin({ folder: source, target: folder, share: isOwn ? 1 : SHARE });
  const { columnsA, columnsB, common } = split;
  if (columnsA.length === 0 || columnsB.length === 0)
    return { missing: `bank_${columnsA.length === 0 ? 'a' : 'b'}.csv has no column of numbers only` };
  if (common < LEAST_COMMON) return { missing: `${common} customers are in both files, and its tokens demand ${LEAST_COMMON}` };
  const move = async (file: string, bank: string): Promise<string> => {
    const to = file.replace(folder, join(folder, bank, 'data'));
    await rename(file, to);
    return to;
  };
  const adapt = async (name: string, change: (key: string, value: unknown) => unknown = (_, value) => value): Promise<string> => {
    const text = await readFile(join(samples, 'ddo', name), 'utf8');
    // Where own columns have other names and numbers, nothing is said about them.
    const about = (key: string, value: unknown): unknown =>
      isOwn && (key === 'shape' || (key === 'columns' && Array.isArray(value))) ? undefined : change(key, value);
    return write(folder, name, JSON.stringify(JSON.parse(text, about), null, 2));
  };
  return {
    featuresA: await move(split.featuresA, 'bank-a'),
    labelA: await move(split.labelA, 'bank-a'),
    featuresB: await move(split.featuresB, 'bank-b'),
    columns: { a: columnsA.length, b: columnsB.length },
    customers: { a: split.rowsA, b: split.rowsB, common },
    attributesFor: async (urls) => {
      const values: Readonly<Record<string, unknown>> = {
        in_dim: columnsA.length + columnsB.length,
        exec_endpoints: { '0': urls.bankA, '1': urls.bankB, '2': urls.dealer },
      };
      return {
        featuresA: await adapt('join/bank_a_customers_attr.json'),
        labelA: await adapt('join/bank_a_defaults_attr.json'),
        featuresB: await adapt('join/bank_b_customers_attr.json'),
        alone: await adapt('joint/alone_attr.json', (key, value) => (key === 'features' ? columnsA : value)),
        algorithm: await adapt('join/algorithm_attr.json', (key, value) => values[key] ?? value),
      };
    },
  };
}

/** Why the customers of the files cannot be told by their ids. */
async function oddIds(...files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const data = await openDataset(file);
    const at = (await data.describe()).columns.findIndex(({ name }) => name === 'id');
    if (at < 0) return 'both files need a column id';
    const first = new Map<string, number>();
    let row = 0;
    for await (const cells of data.rows()) {
      row += 1;
      const id = cells[at] ?? '';
      if (id === '') return `row ${row} of ${basename(file)} has no id`;
      const before = first.get(id);
      if (before !== undefined) return `rows ${before} and ${row} of ${basename(file)} have the same id`;
      first.set(id, row);
    }
  }
  return undefined;
}

const sample = async <T>(samples: string, name: string): Promise<T> => (await import(pathToFileURL(join(samples, name)).href)) as T;

async function write(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, 'attributes', name);
  await writeFile(file, text);
  return file;
}

async function take(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: unknown) => {
    throw new ToolkitError('DT_INPUT_FILE', { path: from, reason: fileProblem(error) }, error);
  });
}

async function featuresOf(file: string): Promise<readonly string[]> {
  const { columns } = await (await openDataset(file)).describe();
  const names = columns.map(({ name }) => name);
  if (!names.includes('id') || !names.includes('y'))
    throw new ToolkitError('DT_INPUT_INVALID', { what: file, reason: 'it needs the columns id and y (0 or 1), beside the features' });
  return columns.filter(({ name, type }) => name !== 'id' && name !== 'y' && type !== 'text').map(({ name }) => name);
}

/** The sample files name the columns of the generated data; own data has others. */
function withFeatures(text: string, features: readonly string[]): string {
  const replace = (value: unknown, key = ''): unknown => {
    if (key === 'features') return Array.isArray(value) ? features : { $match: { type: 'array', minItems: 1, items: { enum: features } } };
    if (Array.isArray(value)) return value.map((item) => replace(item));
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(([name, item]) => name !== 'shape' && !(name === 'columns' && Array.isArray(item)));
    return Object.fromEntries(kept.map(([name, item]) => [name, replace(item, name)]));
  };
  return JSON.stringify(replace(JSON.parse(text)), null, 2);
}
