import { isObject, type Json, type JsonObject } from '../canonical.js';

/** The first step of a joint computation whose owners find their common rows by id, as its arguments say. */
export interface JoinStep {
  /** A name or names for all inputs, or by input. */
  readonly on: Json;
  /** `none` where the ids are compared as they stand. */
  readonly normalize: Json;
  readonly duplicates: string;
  /** With fewer common ids it ends there. */
  readonly leastCommon: number;
}

/** Of the arguments of a vertical operator: `join_on` and its fellows, in model_args or in its options. undefined: rows are aligned by their order. */
export function joinStepOf(args: JsonObject): JoinStep | undefined {
  const modelArgs = isObject(args['model_args']) ? args['model_args'] : {};
  const options = isObject(modelArgs['options']) ? modelArgs['options'] : {};
  const given = (key: string): Json | undefined => modelArgs[key] ?? options[key] ?? undefined;
  const on = given('join_on');
  if (on === undefined) return undefined;
  const duplicates = given('join_duplicates');
  const least = given('min_intersection');
  return {
    on,
    normalize: given('join_normalize') ?? 'none',
    duplicates: typeof duplicates === 'string' ? duplicates : 'refuse',
    leastCommon: typeof least === 'number' ? least : 0,
  };
}
