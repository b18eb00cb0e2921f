import { bases, CID } from 'multiformats/basics';
import { type Bytes32, parseBytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { RAW_CODEC, SHA2_256 } from './cid.js';

/** base2 of 36 bytes is the longest spelling. */
const MAX_TEXT = 300;

/** Reads a CIDv1 in any multibase, but only of whole documents: raw and sha2-256. @throws DT_INPUT_INVALID */
export function digestOfCid(text: unknown): Bytes32 {
  const cid = parseCid(text);
  if (cid === undefined) throw invalid(text, 'it cannot be read');
  if (cid.version !== 1) throw invalid(text, 'it is of version 0');
  if (cid.code !== RAW_CODEC) throw invalid(text, `its codec is 0x${cid.code.toString(16)}, not raw`);
  if (cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32) throw invalid(text, 'its hash is not sha2-256');
  return parseBytes32(`0x${Buffer.from(cid.multihash.digest).toString('hex')}`);
}

function parseCid(text: unknown): CID | undefined {
  if (typeof text !== 'string' || text.length > MAX_TEXT) return undefined;
  // CIDv0 is a bare base58 hash: read it as well, so that it is named in the refusal.
  if (/^Qm[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)) return CID.parse(text);
  const base = Object.values(bases).find(({ prefix }) => text.startsWith(prefix));
  try {
    return base === undefined ? undefined : CID.decode(base.decoder.decode(text));
  } catch {
    return undefined;
  }
}

function invalid(text: unknown, reason: string): ToolkitError {
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, 80)) : typeof text;
  return new ToolkitError('DT_INPUT_INVALID', {
    what: `The content id ${shown}`,
    reason: `${reason}; expected CIDv1 with raw codec and sha2-256`,
  });
}
