import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { documentLimits, isObject, type Json, parseJson } from '../documents/canonical.js';
import { type AssetAttributes, parseAssetAttributes } from '../documents/ddo/ddo.js';
import { type OperatorContent, parseOperatorAttributes, runtimeOf } from '../documents/operator/operator.js';
import { fileProblem } from '../errors/file-problem.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Home } from './home.js';

/** The bytes of a file; `-` is what is piped in. @throws DT_INPUT_FILE, DT_INPUT_TOO_LARGE */
export async function readInput(path: string): Promise<Buffer> {
  if (path === '-') return readStdin();
  try {
    const { size } = await stat(path);
    if (size > documentLimits.bytes)
      throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: path, actual: `${size} bytes`, limit: `${documentLimits.bytes} bytes` });
    return await readFile(path);
  } catch (error) {
    if (error instanceof ToolkitError) throw error;
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: fileProblem(error) }, error);
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length;
    if (size > documentLimits.bytes)
      throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'stdin', actual: `${size} bytes`, limit: `${documentLimits.bytes} bytes` });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** @throws DT_INPUT_FILE, DT_INPUT_JSON, DT_INPUT_TOO_LARGE */
export const readJsonInput = async (path: string): Promise<Json> => parseJson(await readInput(path), path === '-' ? 'stdin' : path);

/** An asset's attribute file, with every `@name` in it replaced. @throws DT_INPUT_*, DT_NAME_UNKNOWN, DT_DOCUMENT_INVALID */
export async function readAssetAttributes(home: Home, path: string): Promise<AssetAttributes> {
  return parseAssetAttributes(await home.withoutNames(await readJsonInput(path), path));
}

/** An operator's attribute file and the two files that it names. @throws DT_INPUT_*, DT_DOCUMENT_INVALID */
export async function readOperatorContent(path: string): Promise<OperatorContent> {
  const attributes = parseOperatorAttributes(await readJsonInput(path));
  const [operation, params] = await Promise.all([
    readInput(attributes.operation).catch((error: ToolkitError) => explainBase(error, path)),
    readJsonInput(attributes.params).catch((error: ToolkitError) => explainBase(error, path)),
  ]);
  if (!isObject(params))
    throw new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'operator parameters', pointer: '/', reason: 'it must be an object' });
  const { metadata, joint } = attributes;
  const text = sourceText(operation, attributes.operation);
  return { metadata, runtime: runtimeOf(attributes), ...(joint !== undefined && { joint }), operation: text, params };
}

/** The bytes run as UTF-8; what is not UTF-8 would be published as something else. */
function sourceText(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: 'it is not UTF-8 text' }, error);
  }
}

/** The usual mistake with the paths of an attribute file. */
function explainBase(error: ToolkitError, file: string): never {
  if (error.code !== 'DT_INPUT_FILE' || dirname(file) === '.') throw error;
  const { path, reason } = error.details;
  throw new ToolkitError(
    'DT_INPUT_FILE',
    { path, reason: `${String(reason)} (named in ${file}, from the current directory)` },
    error.cause,
  );
}

/** A path is made absolute here, since the daemon has another working directory; a URL stays as it is. */
export const storePathOf = (path: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(path) ? path : resolve(path));
