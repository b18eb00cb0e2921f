import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDataset } from '../datasets/open-dataset.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** Of scripts/generate-credit.mjs, which also runs by itself. */
type GenerateCredit = (options: { rows: number; seed: number; folder: string }) => unknown;

export interface DemoFiles {
  readonly bankA: string;
  readonly bankB: string;
  /** Attribute files, adapted to the columns of the data. */
  readonly attributes: { readonly bankA: string; readonly bankB: string; readonly algorithm: string };
}

/**
 * The data and attribute files of the demo: generated ones, or `bank_a.csv` (id, y, features) and `bank_b.csv` (id, features) of a folder.
 * @throws DT_INPUT_FILE, DT_INPUT_INVALID
 */
export async function prepareDemo(samples: string, folder: string, own: string | undefined): Promise<DemoFiles> {
  const bankA = join(folder, 'bank-a', 'data', 'bank_a.csv');
  const bankB = join(folder, 'bank-b', 'data', 'bank_b.csv');
  for (const file of [bankA, bankB]) await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  if (own === undefined) {
    const made = join(folder, 'generated');
    const { generateCredit } = (await import(pathToFileURL(join(samples, 'generate-credit.mjs')).href)) as {
      generateCredit: GenerateCredit;
    };
    await generateCredit({ rows: 10_000, seed: 20, folder: made });
    await take(join(made, 'bank_a.csv'), bankA);
    await take(join(made, 'bank_b.csv'), bankB);
  } else {
    await take(join(own, 'bank_a.csv'), bankA);
    await take(join(own, 'bank_b.csv'), bankB);
  }
  const attributes = join(folder, 'attributes');
  await mkdir(attributes, { recursive: true });
  const features = own === undefined ? undefined : await featuresOf(bankA);
  const adapt = async (name: string): Promise<string> => {
    const file = join(attributes, name);
    const text = await readFile(join(samples, 'ddo', name), 'utf8');
    await writeFile(file, features === undefined ? text : withFeatures(text, features));
    return file;
  };
  return {
    bankA,
    bankB,
    attributes: {
      bankA: await adapt('bank_a_attr.json'),
      bankB: await adapt('bank_b_attr.json'),
      algorithm: await adapt('algorithm_attr.json'),
    },
  };
}

async function take(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_INPUT_FILE', { path: from, reason: error.message }, error);
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
