import type { DatasetDescription } from '../datasets/dataset.js';
import { openDataset } from '../datasets/open-dataset.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { DataFile } from './data-file.js';

const KEPT = 200;

/** What the page may tell of a file: its columns and how many rows, or by which code it cannot be read. */
export type FileDescription = DatasetDescription | { readonly unreadable: string; readonly message: string };

/** Reads each state of a file once, however often and by how many at one time it is asked for; counting rows reads all of them. */
export class FileDescriber {
  readonly #known = new Map<string, Promise<FileDescription>>();

  describe({ path, sizeBytes, modifiedAt }: DataFile): Promise<FileDescription> {
    const key = `${modifiedAt} ${sizeBytes} ${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const read = describe(path);
    this.#known.set(key, read);
    // Reading may have failed for now; what cannot be read for its content stays so.
    read.catch(() => this.#known.delete(key));
    for (const oldest of this.#known.keys()) if (this.#known.size > KEPT) this.#known.delete(oldest);
    return read;
  }
}

async function describe(path: string): Promise<FileDescription> {
  try {
    return await (await openDataset(path)).describe();
  } catch (error) {
    if (error instanceof ToolkitError && ['DT_DATASET_FORMAT', 'DT_DATASET_INVALID'].includes(error.code))
      return { unreadable: error.code, message: error.message };
    throw error;
  }
}
