import type { Address, TokenId } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface Awaited {
  readonly tokens: readonly TokenId[];
  /** Who brings no data, and so anchors without a report; the next anchor of each that comes after the job. */
  readonly helpers?: readonly Address[];
}

/**
 * Waits until the chain holds a report of a job for each of these data tokens, and an anchor of each helper: they put them there after the
 * end of their shares.
 * @returns false when some are missing after `timeoutMs`
 */
export async function awaitReports(
  { ledger }: Pick<ReaderContext, 'ledger'>,
  job: bigint,
  { tokens, helpers = [] }: Awaited,
  timeoutMs: number,
): Promise<boolean> {
  const missing = new Set<TokenId | Address>([...tokens, ...helpers]);
  let isAdded = false;
  if (missing.size === 0) return true;
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), timeoutMs);
  try {
    await ledger.watch(
      (event) => {
        if (event.kind === 'job-added' && event.job === job) isAdded = true;
        if (event.kind === 'job-reported' && event.job === job) missing.delete(event.token);
        if (event.kind === 'receipts-anchored' && isAdded) missing.delete(event.by);
        if (missing.size === 0) done.abort();
      },
      { fromBlock: 0, signal: done.signal },
    );
  } finally {
    clearTimeout(timer);
  }
  return missing.size === 0;
}
