import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Columns, PreparedColumns } from './columns.js';

/** The part of a joint model that belongs to one bank's columns. The logit of a row is the sum of both banks' contributions. */
export interface ModelPart {
  readonly owner: 'bank0' | 'bank1';
  readonly intercept: number;
  readonly clip: number;
  readonly columns: readonly ModelColumn[];
}

/** A row's contribution is weight x clip((raw - mean) / deviation). */
export interface ModelColumn {
  readonly name: string;
  readonly weight: number;
  readonly mean: number;
  readonly deviation: number;
}

/** How a bank prepared its columns, without any weight: what the recipient of a whole model needs to know of it. */
export interface PartFrame {
  readonly owner: 'bank0' | 'bank1';
  readonly intercept: boolean;
  readonly clip: number;
  readonly columns: readonly { readonly name: string; readonly mean: number; readonly deviation: number }[];
  /** Weights of the prepared columns = transform x fitted weights, row by row; absent when they are the same. */
  readonly transform?: readonly number[];
  /** What each prepared column has subtracted before the fit; absent for zero. */
  readonly centers?: readonly number[];
}

export function partFrame(owner: 'bank0' | 'bank1', prepared: PreparedColumns, clip: number, intercept: boolean): PartFrame {
  const columns = prepared.names.map((name, j) => ({
    name,
    mean: prepared.means[j] as number,
    deviation: prepared.deviations[j] as number,
  }));
  return { owner, intercept, clip, columns };
}

/** fitted: one value for the intercept where the frame has one (first), then one for each column. */
export function modelPart(frame: PartFrame, fitted: Float64Array): ModelPart {
  const width = fitted.length;
  const weights =
    frame.transform === undefined ? fitted : fitted.map((_, i) => dot(frame.transform as readonly number[], i * width, fitted));
  const skip = frame.intercept ? 1 : 0;
  let intercept = frame.intercept ? (weights[0] as number) : 0;
  frame.centers?.forEach((center, j) => {
    intercept -= center * (weights[skip + j] as number);
  });
  const columns = frame.columns.map((column, j) => ({ ...column, weight: weights[skip + j] as number }));
  return { owner: frame.owner, intercept, clip: frame.clip, columns };
}

/** The part in units of a target that was standardised before the fit. Its mean goes into the intercept of bank 0. */
export function inTargetUnits(part: ModelPart, mean: number, deviation: number): ModelPart {
  return {
    ...part,
    intercept: part.intercept * deviation + (part.owner === 'bank0' ? mean : 0),
    columns: part.columns.map((column) => ({ ...column, weight: column.weight * deviation })),
  };
}

/** What one bank's columns add to the logit of each row. Errors: DT_INPUT_COLUMN when a column of the part is missing or not finite. */
export function contributions(part: ModelPart, columns: Columns): Float64Array {
  const width = columns.names.length;
  const out = new Float64Array(columns.rows).fill(part.intercept);
  for (const { name, weight, mean, deviation } of part.columns) {
    const j = columns.names.indexOf(name);
    if (j < 0) throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: 'the model has it and the table does not' });
    for (let i = 0; i < columns.rows; i++) {
      const value = columns.values[i * width + j] as number;
      if (!Number.isFinite(value))
        throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `the value in row ${i + 1} is missing, NaN or infinite` });
      out[i] = (out[i] as number) + weight * Math.min(part.clip, Math.max(-part.clip, (value - mean) / deviation));
    }
  }
  return out;
}

function dot(matrix: readonly number[], at: number, vector: Float64Array): number {
  return vector.reduce((sum, value, j) => sum + (matrix[at + j] as number) * value, 0);
}
