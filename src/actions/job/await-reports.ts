import type { TokenId } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

/**
 * Waits until the chain holds a report of a job for each of these data tokens: owners put them there after the end of their shares.
 * @returns false when some are missing after `timeoutMs`
 */
export async function awaitReports(
  { ledger }: Pick<ReaderContext, 'ledger'>,
  job: bigint,
  tokens: readonly TokenId[],
  timeoutMs: number,
): Promise<boolean> {
  const missing = new Set(tokens);
  if (missing.size === 0) return true;
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), timeoutMs);
  try {
    await ledger.watch(
      (event) => {
        if (event.kind !== 'job-reported' || event.job !== job) return;
        missing.delete(event.token);
        if (missing.size === 0) done.abort();
      },
      { fromBlock: 0, signal: done.signal },
    );
  } finally {
    clearTimeout(timer);
  }
  return missing.size === 0;
}
