/** Numbers by name, in groups where there are many; milliseconds where the name ends so. */
export type Figures = { readonly [name: string]: number | string | boolean | Figures };

export interface BenchOptions {
  /** How often the measured thing is done; each bench has a number of its own that gives steady figures. */
  readonly rounds?: number;
  /** What else stood on the command line, for benches that have options of their own. */
  readonly rest?: readonly string[];
}

export interface BenchResult {
  readonly figures: Figures;
  /** Against a peer of the same run, or a limit, so that they mean the same on another machine. */
  readonly ratios: Figures;
  /** Promises that did not hold in this run, in words. */
  readonly broken: readonly string[];
}

export interface Bench {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

/** The sentence for a figure beyond its limit, none for one within. */
export function beyond(what: string, value: number, limit: number): readonly string[] {
  return value <= limit ? [] : [`${what} is ${round(value)}, the limit is ${limit}`];
}

/** Three digits that count, which is more than a run on a shared machine knows. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
