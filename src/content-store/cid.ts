import { base32 } from 'multiformats/bases/base32';
import type { Bytes32 } from '../documents/ids.js';

export const RAW_CODEC = 0x55;
export const SHA2_256 = 0x12;

/** The content id of a document: CIDv1, raw codec, sha2-256, base32. */
export const cidOf = (digest: Bytes32): string => base32.encode(cidBytes(digest));

/** The CID's 36 bytes: version, codec, hash function, length, digest. */
export function cidBytes(digest: Bytes32): Uint8Array {
  return Buffer.concat([Buffer.of(1, RAW_CODEC, SHA2_256, 32), Buffer.from(digest.slice(2), 'hex')]);
}
