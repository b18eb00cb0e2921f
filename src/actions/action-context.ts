import type { IndexSource } from '../catalog/ledger-index.js';
import type { ContentStore } from '../content-store/content-store.js';
import type { Address } from '../documents/ids.js';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import { DaemonClient } from '../peers/daemon-client.js';
import type { TypedDataSigner } from '../peers/signer.js';

/** What an action of a reader needs: a ledger and the documents. */
export interface ReaderContext {
  readonly ledger: LedgerReader;
  readonly content: ContentStore;
  /** What the chain says, without asking it again for what is known. */
  readonly index: IndexSource;
}

/** What an action of an organization needs: the same, and its key. */
export interface ActionContext {
  readonly ledger: Ledger;
  readonly content: ContentStore;
  readonly index: IndexSource;
  readonly signer: TypedDataSigner;
  readonly now: () => Date;
  /** Told as things happen, for whoever shows progress. */
  readonly onProgress: (step: Progress) => void;
}

export interface Progress {
  readonly step: string;
  readonly state: 'started' | 'done' | 'failed' | 'skipped';
  readonly detail?: string;
}

/** The daemon of an organization, spoken to with the caller's key. */
export function daemonOf(context: Pick<ActionContext, 'ledger' | 'signer'>, organization: Address, url: URL): DaemonClient {
  return new DaemonClient({ url, organization, signer: context.signer, domain: context.ledger.ref });
}

/** Reports start and end of one step around its work. */
export async function step<T>(
  context: Pick<ActionContext, 'onProgress'>,
  name: string,
  work: () => Promise<T>,
  detail?: (result: T) => string,
): Promise<T> {
  context.onProgress({ step: name, state: 'started' });
  try {
    const result = await work();
    context.onProgress({ step: name, state: 'done', ...(detail && { detail: detail(result) }) });
    return result;
  } catch (error) {
    context.onProgress({ step: name, state: 'failed', detail: (error as Error).message });
    throw error;
  }
}
