import { sha256 } from '../documents/canonical.js';
import type { Bytes32 } from '../documents/ids.js';
import type { ContentStore } from './content-store.js';

/** Documents that came with a request in front of a store, in memory: they are kept only when `keep` is called. */
export class OverlayStore implements ContentStore {
  private readonly offered = new Map<Bytes32, Uint8Array>();
  private readonly used = new Set<Bytes32>();

  constructor(
    private readonly under: ContentStore,
    offered: readonly Uint8Array[],
  ) {
    for (const bytes of offered) this.offered.set(sha256(bytes), bytes);
  }

  put(bytes: Uint8Array): Promise<Bytes32> {
    return this.under.put(bytes);
  }

  async get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const bytes = this.offered.get(digest);
    if (bytes === undefined) return this.under.get(digest, signal);
    this.used.add(digest);
    return bytes;
  }

  /** Puts those that were asked for, which are those that the chain anchors, into the store underneath. */
  async keep(): Promise<void> {
    await Promise.all([...this.used].map((digest) => this.under.put(this.offered.get(digest) ?? new Uint8Array())));
  }
}
