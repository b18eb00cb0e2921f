import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ModelColumn, ModelPart } from '../regression/model-part.js';
import { isRecord } from './arguments.js';

/** A joint model, or one owner's part of it, as the fit writes it and the prediction reads it. */
export interface ModelFile {
  readonly format: 'compute-to-data/joint-model';
  readonly version: 1;
  readonly kind: 'logistic' | 'linear';
  /** The job that made it: all parts of one model have the same. */
  readonly fit: string;
  readonly parts: readonly ModelPart[];
}

export function modelFile(kind: ModelFile['kind'], fit: string, parts: readonly ModelPart[]): ModelFile {
  return { format: 'compute-to-data/joint-model', version: 1, kind, fit, parts };
}

/** From the text of a file. Errors: DT_INPUT_JSON, DT_INPUT_INVALID. */
export function parseModelFile(text: string, what: string): ModelFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'it cannot be parsed' }, error);
  }
  const invalid = (reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what, reason });
  if (!isRecord(value) || value['format'] !== 'compute-to-data/joint-model') throw invalid('it is no model of a joint fit');
  const { version, kind, fit, parts } = value;
  if (version !== 1) throw invalid(`its version ${JSON.stringify(version)?.slice(0, 20)} is not known; 1 is`);
  if (kind !== 'logistic' && kind !== 'linear') throw invalid('its kind is neither logistic nor linear');
  if (typeof fit !== 'string' || fit === '' || fit.length > 200) throw invalid('it does not name the fit that made it');
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > 2 || !parts.every(isPart)) throw invalid('its parts are not readable');
  return modelFile(kind, fit, parts);
}

/**
 * The part for a table: the only one, or of a whole model the one whose columns the table has.
 * Errors: DT_INPUT_INVALID when that is none or both.
 */
export function partFor(file: ModelFile, names: readonly string[], what: string): ModelPart {
  const [only] = file.parts;
  if (only !== undefined && file.parts.length === 1) return only;
  const fitting = file.parts.filter(({ columns }) => columns.every(({ name }) => names.includes(name)));
  const [part] = fitting;
  if (part === undefined || fitting.length > 1)
    throw new ToolkitError('DT_INPUT_INVALID', {
      what,
      reason: `${fitting.length} of its ${file.parts.length} parts fit the columns of the table`,
    });
  return part;
}

function isPart(value: unknown): value is ModelPart {
  if (!isRecord(value)) return false;
  const { owner, intercept, clip, columns } = value;
  if ((owner !== 'bank0' && owner !== 'bank1') || !isNumber(intercept) || !isNumber(clip) || clip <= 0) return false;
  return Array.isArray(columns) && columns.length > 0 && columns.every(isColumn);
}

function isColumn(value: unknown): value is ModelColumn {
  if (!isRecord(value)) return false;
  const { name, weight, mean, deviation } = value;
  return typeof name === 'string' && isNumber(weight) && isNumber(mean) && isNumber(deviation) && deviation > 0;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
