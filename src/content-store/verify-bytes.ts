import { sha256 } from '../documents/canonical.js';
import type { Bytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { cidOf } from './cid.js';

/** What any store keeps and any source may send; documents are far smaller. */
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;

/** @throws DT_DOCUMENT_TAMPERED naming the CID, where the bytes came from (a URL or a file), and what they hash to */
export function verifyBytes<T extends Uint8Array>(digest: Bytes32, bytes: T, source: string): T {
  const actual = sha256(bytes);
  if (actual !== digest) throw new ToolkitError('DT_DOCUMENT_TAMPERED', { cid: cidOf(digest), source, actual });
  return bytes;
}

/** @throws DT_INPUT_TOO_LARGE */
export function limitBytes(bytes: Uint8Array): void {
  if (bytes.length <= MAX_BLOCK_BYTES) return;
  throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'A document', actual: `${bytes.length} bytes`, limit: `${MAX_BLOCK_BYTES} bytes` });
}
