export interface CreditOptions {
  /** Customers; 10,000 if left out. */
  readonly rows?: number;
  /** Whole number of 32 bits; 20 if left out. */
  readonly seed?: number;
  /** Made when it does not exist. */
  readonly folder: string;
}

/** Writes bank_a.csv and bank_b.csv, the same bytes for the same rows and seed. */
export function generateCredit(options: CreditOptions): { readonly bankA: string; readonly bankB: string };
