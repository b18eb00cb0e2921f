export interface BlockPoint {
  readonly number: number;
  readonly hash: string;
}

export interface JournalHeader {
  readonly format: 1;
  readonly chainId: number;
  /** Version of anvil that wrote it, for the error that a replay by another version may end in. */
  readonly engine: string;
  /** sha2-256 in hex of the checkpoint file that the records start from; null: they start from genesis. */
  readonly checkpoint: string | null;
  readonly head: BlockPoint;
  /** Raw transactions that were acknowledged and still wait in the pool (for a lower nonce), oldest first. */
  readonly waiting: readonly string[];
}

/** One block to be: the transactions are given to the pool in order, then a block is mined. */
export interface JournalRecord {
  /** Hash of the head that it was written on; checked when it is replayed. */
  readonly parent: string;
  /** Block timestamp in seconds. */
  readonly time: number;
  /** Raw signed transactions in hex. Empty: only mine what the block before had no room for. */
  readonly transactions: readonly string[];
}

export function parseHeader(value: unknown): JournalHeader {
  const fields = objectOf(value, 'header');
  const head = objectOf(fields['head'], 'head');
  if (fields['format'] !== 1) throw new Error(`format ${String(fields['format'])} is not known`);
  const checkpoint = fields['checkpoint'];
  return {
    format: 1,
    chainId: numberOf(fields['chainId'], 'chainId'),
    engine: textOf(fields['engine'], /^[\w.+-]{1,64}$/, 'engine'),
    checkpoint: checkpoint === null ? null : textOf(checkpoint, /^[0-9a-f]{64}$/, 'checkpoint'),
    head: { number: numberOf(head['number'], 'head.number'), hash: hashOf(head['hash'], 'head.hash') },
    waiting: transactionsOf(fields['waiting'], 'waiting'),
  };
}

export function parseRecord(value: unknown): JournalRecord {
  const fields = objectOf(value, 'record');
  return {
    parent: hashOf(fields['parent'], 'parent'),
    time: numberOf(fields['time'], 'time'),
    transactions: transactionsOf(fields['transactions'], 'transactions'),
  };
}

export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return { ...value };
}

export function hashOf(value: unknown, what: string): string {
  return textOf(value, /^0x[0-9a-f]{64}$/, what);
}

function textOf(value: unknown, pattern: RegExp, what: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Error(`${what} is not of its form`);
  return value;
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${what} is not a number`);
  return value;
}

function transactionsOf(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value.map((item: unknown) => textOf(item, /^0x(?:[0-9a-f]{2})+$/, what));
}
