import { createHash } from 'node:crypto';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Bytes32 } from './ids.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** How large a document may be before it is parsed any further: a bound on what a stranger can make us do. */
export const documentLimits = { bytes: 8 * 1024 * 1024, depth: 64, nodes: 8_000 } as const;

/** RFC 8785 (JCS) bytes, UTF-8. @throws DT_DOCUMENT_INVALID on what JSON cannot carry: NaN, lone surrogates, undefined, bigint */
export function canonicalBytes(value: unknown): Uint8Array {
  return Buffer.from(canonicalText(value), 'utf8');
}

function canonicalText(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && !LONE_SURROGATE.test(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (isObject(value)) {
    // The default sort compares UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
    const members = Object.keys(value).sort();
    return `{${members.map((key) => `${canonicalText(key)}:${canonicalText(value[key])}`).join(',')}}`;
  }
  throw new ToolkitError('DT_DOCUMENT_INVALID', {
    kind: 'JSON',
    pointer: '/',
    reason: `it holds a value that JSON cannot carry (${typeof value})`,
  });
}

const LONE_SURROGATE = /\p{Surrogate}/u;

export function sha256(bytes: Uint8Array): Bytes32 {
  return `0x${createHash('sha256').update(bytes).digest('hex')}` as Bytes32;
}

export const digestOf = (value: unknown): Bytes32 => sha256(canonicalBytes(value));

/**
 * Text from outside into JSON within the limits above.
 * Duplicate keys are refused, since two readers could take different ones for the truth.
 * @throws DT_INPUT_JSON, DT_INPUT_TOO_LARGE naming `what`
 */
export function parseJson(text: string | Uint8Array, what: string): Json {
  const size = typeof text === 'string' ? Buffer.byteLength(text) : text.byteLength;
  if (size > documentLimits.bytes)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `${size} bytes`, limit: `${documentLimits.bytes} bytes` });
  const source = typeof text === 'string' ? text : decodeUtf8(text, what);
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch (error) {
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: (error as Error).message });
  }
  const { nodes, keys } = measure(value, what);
  if (nodes > documentLimits.nodes)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `${nodes} values`, limit: documentLimits.nodes });
  if (countKeys(source) !== keys) throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'an object names the same key twice' });
  return value;
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'it is not UTF-8' });
  }
}

function measure(root: Json, what: string): { nodes: number; keys: number } {
  let nodes = 0;
  let keys = 0;
  const walk = (value: Json, depth: number): void => {
    nodes += 1;
    if (depth > documentLimits.depth)
      throw new ToolkitError('DT_INPUT_TOO_LARGE', {
        what,
        actual: `more than ${documentLimits.depth} levels`,
        limit: documentLimits.depth,
      });
    if (Array.isArray(value)) for (const item of value) walk(item, depth + 1);
    else if (value !== null && typeof value === 'object')
      for (const [key, item] of Object.entries(value)) {
        if (key === '__proto__') throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'an object has the key __proto__' });
        keys += 1;
        walk(item, depth + 1);
      }
  };
  walk(root, 0);
  return { nodes, keys };
}

/** Keys written in valid JSON text: the colons outside of strings. JSON.parse keeps one of two equal keys, so the counts tell. */
function countKeys(source: string): number {
  let count = 0;
  let inString = false;
  for (let i = 0; i < source.length; i += 1) {
    const code = source.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x3a) count += 1;
  }
  return count;
}

/** RFC 6901 pointer of the keys on the way down. */
export const pointer = (...keys: readonly (string | number)[]): string =>
  keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') || '/';

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
