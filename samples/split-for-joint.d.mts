export interface SplitOptions {
  /** Holds bank_a.csv (id, y, features) and bank_b.csv (id, features). */
  readonly folder: string;
  /** Where the three files go; `folder` if left out. */
  readonly target?: string;
}

export interface JointFiles {
  readonly featuresA: string;
  readonly labelA: string;
  readonly featuresB: string;
  readonly rows: number;
  readonly columnsA: readonly string[];
  readonly columnsB: readonly string[];
}

export interface JoinFiles extends Omit<JointFiles, 'rows'> {
  readonly rowsA: number;
  readonly rowsB: number;
  /** Customers in both. */
  readonly common: number;
}

/** Writes bank_a_customers.csv, bank_a_defaults.csv and bank_b_customers.csv: with ids, each in an order of its own. `share`: of each bank's rows, 0.9. */
export function splitForJoin(options: SplitOptions & { readonly share?: number; readonly seed?: number }): JoinFiles;

/** Writes bank_a_features.csv, bank_a_label.csv and bank_b_features.csv: numbers only, rows in their order. */
export function splitForJoint(options: SplitOptions): JointFiles;
