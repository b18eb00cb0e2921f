import { type PsiProtocol, psiProtocols } from '../psi/choose-protocol.js';
import type { PsiOwnOptions } from '../psi/psi-options.js';
import type { Arguments } from './arguments.js';

/** How the owners of a vertical job find their common rows: public, part of the arguments. */
export interface JoinChoice {
  /** The id columns of each input by its number; or of all that have them. */
  readonly columns: ReadonlyMap<string, readonly string[]> | readonly string[];
  /** One rule for each id column. */
  readonly normalize: readonly string[];
  readonly duplicates: NonNullable<PsiOwnOptions['duplicates']>;
  readonly minIntersection: number;
  readonly protocol: PsiProtocol | 'auto';
}

/** Reads join_on, join_normalize, join_duplicates, join_protocol and min_intersection; undefined without join_on. Errors: DT_INPUT_INVALID. */
export function readJoinChoice(args: Arguments): JoinChoice | undefined {
  const columns = args.namesOrNamesByInput('join_on');
  const more = ['join_normalize', 'join_duplicates', 'join_protocol', 'min_intersection'];
  if (columns === undefined) {
    for (const key of more) args.none(key, 'there is no join_on: rows are aligned by their order');
    return undefined;
  }
  const lists = columns instanceof Map ? [...columns.values()] : [columns];
  const widths = new Set(lists.map((list) => list.length));
  const [width] = widths;
  if (width === undefined || width === 0 || widths.size !== 1)
    throw args.refusal('join_on', 'every input must have equally many id columns');
  return {
    columns,
    normalize: normalizationOf(args, 'join_normalize', width),
    duplicates: args.oneOf('join_duplicates', ['refuse', 'keep-first']) ?? 'refuse',
    minIntersection: args.whole('min_intersection') ?? 0,
    protocol: args.oneOf('join_protocol', ['auto', ...psiProtocols]) ?? 'auto',
  };
}

/** One rule for each of `width` columns: given as one for all, or as a list. */
export function normalizationOf(args: Arguments, key: string, width: number): readonly string[] {
  const rules = args.names(key) ?? ['none'];
  const [only] = rules;
  if (rules.length === 1 && only !== undefined) return Array.from({ length: width }, () => only);
  if (rules.length !== width) throw args.refusal(key, `it has ${rules.length} rules for ${width} id columns`);
  return rules;
}

/** The id columns of one input; undefined where it has none. `header`: all its columns. */
export function idColumnsOf({ columns }: JoinChoice, input: string, header: readonly string[]): readonly string[] | undefined {
  if (columns instanceof Map) return columns.get(input);
  const names = columns as readonly string[];
  return names.every((name) => header.includes(name)) ? names : undefined;
}
