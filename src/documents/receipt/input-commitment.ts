import { sha256 } from '../canonical.js';
import type { Bytes32 } from '../ids.js';

/** sha256(salt ‖ digest), both as 32 bytes. Without the salt nobody can try out small files against it. */
export const inputCommitment = (salt: Bytes32, digest: Bytes32): Bytes32 =>
  sha256(Buffer.concat([Buffer.from(salt.slice(2), 'hex'), Buffer.from(digest.slice(2), 'hex')]));
