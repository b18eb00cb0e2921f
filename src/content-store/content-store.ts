import type { Bytes32 } from '../documents/ids.js';

/** Where documents lie under the sha2-256 digest of their bytes. Whatever an implementation returns has been verified. */
export interface ContentStore {
  /** Durable when it returns. The same bytes twice is no error. */
  put(bytes: Uint8Array): Promise<Bytes32>;
  /** undefined: not here. @throws DT_DOCUMENT_TAMPERED when the bytes under that digest are others */
  get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
