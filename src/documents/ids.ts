import { ToolkitError } from '../errors/toolkit-error.js';

/** A token's name in documents and on the command line: `dt:ownership:` and the 32-byte ERC-721 id in lower-case hex. */
export type TokenId = string & { readonly __brand: 'TokenId' };
/** 32 bytes in lower-case hex with 0x: a sha2-256 digest of a document's canonical bytes, or any other bytes32. */
export type Bytes32 = `0x${string}` & { readonly __brand: 'Bytes32' };
/** A chain address in lower-case hex with 0x. EIP-55 spellings are for people; comparisons use this form. */
export type Address = `0x${string}` & { readonly __brand: 'Address' };

const PREFIX = 'dt:ownership:';

/** @throws DT_INPUT_INVALID naming `what` */
export function parseTokenId(text: unknown, what = 'The token id'): TokenId {
  if (typeof text === 'string' && /^dt:ownership:[0-9a-f]{64}$/.test(text)) return text as TokenId;
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `expected dt:ownership: and 64 hex digits, got ${show(text)}` });
}

/** @throws DT_INPUT_INVALID naming `what` */
export function parseBytes32(text: unknown, what = 'The digest'): Bytes32 {
  if (typeof text === 'string' && /^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Bytes32;
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `expected 0x and 64 hex digits, got ${show(text)}` });
}

/** @throws DT_INPUT_INVALID naming `what` */
export function parseAddress(text: unknown, what = 'The address'): Address {
  if (typeof text === 'string' && /^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Address;
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `expected 0x and 40 hex digits, got ${show(text)}` });
}

/** Task and job ids count from 1. @throws DT_INPUT_INVALID naming `what` */
export function parseCounter(text: unknown, what: string): bigint {
  if (typeof text === 'bigint' && text > 0n) return text;
  if (typeof text === 'number' && Number.isSafeInteger(text) && text > 0) return BigInt(text);
  if (typeof text === 'string' && /^[1-9][0-9]{0,18}$/.test(text)) return BigInt(text);
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `expected a number from 1, got ${show(text)}` });
}

export const tokenIdOf = (word: string): TokenId => parseTokenId(PREFIX + word.replace(/^0x/, '').toLowerCase());
export const bytes32OfToken = (id: TokenId): Bytes32 => `0x${id.slice(PREFIX.length)}` as Bytes32;

const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : typeof value);
