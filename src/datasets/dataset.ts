/** `integer` and `number`: every cell that is not missing is one. `empty`: every cell is missing. */
export type ColumnType = 'integer' | 'number' | 'text' | 'empty';

export interface DatasetColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** What may be told about data without telling any of it. */
export interface DatasetDescription {
  readonly format: string;
  readonly columns: readonly DatasetColumn[];
  /** Without the header. */
  readonly rows: number;
  readonly sizeBytes: number;
}

/**
 * A connector's view of one set of rows: schema out, rows out. Both read the source from the start each time and keep no more than a
 * block of it in memory. An abort throws the signal's reason.
 */
export interface Dataset {
  readonly format: string;
  /** @throws DT_DATASET_INVALID with line and reason, never with the content of a cell; DT_INPUT_FILE when reading fails */
  describe(signal?: AbortSignal): Promise<DatasetDescription>;
  /** The cells of each row as text, in the order of the columns. Throws like `describe`. */
  rows(signal?: AbortSignal): AsyncIterable<readonly string[]>;
}
