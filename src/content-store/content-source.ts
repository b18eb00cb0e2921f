import type { Bytes32 } from '../documents/ids.js';

/** A place to ask for documents. Whatever it returns has been verified. */
export interface ContentSource {
  /** For logs and errors: a URL without secrets. */
  readonly name?: string;
  /** undefined: it answered that it has none. @throws DT_DOCUMENT_TAMPERED, DT_DOCUMENT_SOURCE_FAILED, DT_INPUT_TOO_LARGE, DT_PEER_FORBIDDEN_TARGET */
  get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
