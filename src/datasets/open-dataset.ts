import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileProblem } from '../errors/file-problem.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { CsvDataset } from './csv/csv-dataset.js';
import type { Dataset } from './dataset.js';

const connectors: Readonly<Record<string, (path: string) => Dataset>> = {
  '.csv': (path) => new CsvDataset(path),
};

/**
 * The connector for a file, by its ending. Whether the path may be read at all is for the caller to decide.
 * @throws DT_DATASET_FORMAT when no connector reads that ending; DT_INPUT_FILE when it is not a file that can be read
 */
export async function openDataset(path: string): Promise<Dataset> {
  const connect = connectors[extname(path).toLowerCase()];
  if (connect === undefined)
    throw new ToolkitError('DT_DATASET_FORMAT', { name: basename(path), formats: Object.keys(connectors).join(', ') });
  // Asked before anything is opened: opening a named pipe would wait for a writer.
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: fileProblem(error) }, error);
  });
  if (!facts.isFile()) throw new ToolkitError('DT_INPUT_FILE', { path, reason: 'it is not a regular file' });
  return connect(path);
}
