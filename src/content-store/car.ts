import type { Bytes32 } from '../documents/ids.js';
import { cidBytes } from './cid.js';

/**
 * One document as a CARv1 file: a header that names it as the root, and one section with it.
 * https://ipld.io/specs/transport/car/carv1/
 */
export function carOf(digest: Bytes32, bytes: Uint8Array): Buffer {
  const cid = cidBytes(digest);
  // DAG-CBOR of {roots: [cid], version: 1}. A link is tag 42 on a byte string that starts with 0.
  const header = Buffer.concat([
    Buffer.of(0xa2, 0x65),
    Buffer.from('roots'),
    Buffer.of(0x81, 0xd8, 0x2a, 0x58, cid.length + 1, 0x00),
    cid,
    Buffer.of(0x67),
    Buffer.from('version'),
    Buffer.of(0x01),
  ]);
  return Buffer.concat([varint(header.length), header, varint(cid.length + bytes.length), cid, bytes]);
}

/** Unsigned LEB128. */
function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) digits.push((rest % 0x80) | 0x80);
  return Buffer.of(...digits, rest);
}
