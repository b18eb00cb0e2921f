import { randomBytes, randomInt } from 'node:crypto';
import { sha256 } from '../../documents/canonical.js';
import type { Bytes32 } from '../../documents/ids.js';

/** 256 bits; `dt_` lets secret scanners find one that went astray. */
export const newSecret = (): string => `dt_${randomBytes(32).toString('base64url')}`;

/** Crockford's base 32: no I, L, O, U, so what is read aloud or typed from paper is not mistaken. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 3;
const GROUP = 4;

/** 60 bits: with minutes to live there is no guessing it over a network. */
export function newCode(): string {
  const group = (): string => Array.from({ length: GROUP }, () => DIGITS[randomInt(DIGITS.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** What is kept of a secret. Codes are read as people type them: any case, with or without dashes, O for 0, I and L for 1. */
export function digestOfSecret(secret: string): Bytes32 {
  const text = secret.trim();
  const code = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const isCode = code.length === GROUPS * GROUP && [...code].every((digit) => DIGITS.includes(digit));
  return sha256(Buffer.from(isCode ? code : text, 'utf8'));
}
