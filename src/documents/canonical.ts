import { createHash } from 'node:crypto';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Bytes32 } from './ids.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** How large a document may be before it is parsed any further: a bound on what a stranger can make us do. */
export const documentLimits = { bytes: 8 * 1024 * 1024, depth: 64, nodes: 8_000 } as const;

/** RFC 8785 (JCS) bytes, UTF-8. @throws DT_DOCUMENT_INVALID on what JSON cannot carry: NaN, lone surrogates, undefined, bigint */
export function canonicalBytes(value: unknown): Uint8Array {
  return Buffer.from(canonicalText(value, 0), 'utf8');
}

function canonicalText(value: unknown, depth: number): string {
  if (depth > CANONICAL_DEPTH) throw uncarried(`it is nested deeper than ${CANONICAL_DEPTH} levels`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && !LONE_SURROGATE.test(value)) return JSON.stringify(value);
  // Array.from shows the holes of a sparse list, which `map` would skip.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalText(item, depth + 1)).join(',')}]`;
  if (isPlain(value)) {
    // The default sort compares UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
    const members = Object.keys(value).sort();
    return `{${members.map((key) => `${canonicalText(key, depth)}:${canonicalText(value[key], depth + 1)}`).join(',')}}`;
  }
  throw uncarried(`it holds a value that JSON cannot carry (${typeof value})`);
}

/** Room for documents inside of others (decisions, job specs), far from the end of the stack. */
const CANONICAL_DEPTH = 4 * documentLimits.depth;

const uncarried = (reason: string): ToolkitError => new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'JSON', pointer: '/', reason });

/** Dates, maps and buffers would all become `{}`, and documents that differ would share a digest. */
function isPlain(value: unknown): value is JsonObject {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

export function sha256(bytes: Uint8Array): Bytes32 {
  return `0x${createHash('sha256').update(bytes).digest('hex')}` as Bytes32;
}

export const digestOf = (value: unknown): Bytes32 => sha256(canonicalBytes(value));

/**
 * Text from outside into JSON within the limits above.
 * Duplicate keys are refused, since two readers could take different ones for the truth; so is what canonical bytes cannot carry.
 * @throws DT_INPUT_JSON, DT_INPUT_TOO_LARGE naming `what`
 */
export function parseJson(text: string | Uint8Array, what: string): Json {
  const size = typeof text === 'string' ? Buffer.byteLength(text) : text.byteLength;
  if (size > documentLimits.bytes)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `${size} bytes`, limit: `${documentLimits.bytes} bytes` });
  const source = typeof text === 'string' ? text : decodeUtf8(text, what);
  if (source.startsWith('\ufeff'))
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'it starts with a byte order mark; save it as UTF-8 without' });
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch (error) {
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: (error as Error).message });
  }
  const { nodes, keys, tooDeep, flaw } = inspectJson(value);
  if (tooDeep)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `more than ${documentLimits.depth} levels`, limit: documentLimits.depth });
  if (nodes > documentLimits.nodes)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `${nodes} values`, limit: documentLimits.nodes });
  if (flaw !== undefined) throw new ToolkitError('DT_INPUT_JSON', { what, reason: flaw });
  if (countKeys(source) !== keys) throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'an object names the same key twice' });
  return value;
}

/** A byte order mark is refused, not skipped: RFC 8259 forbids to send it, and bytes that differ would read the same. */
function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ToolkitError('DT_INPUT_JSON', { what, reason: 'it is not UTF-8' });
  }
}

export interface JsonInspection {
  readonly nodes: number;
  readonly keys: number;
  readonly tooDeep: boolean;
  /** One thing that I-JSON (RFC 7493) cannot carry. */
  readonly flaw?: string;
}

/** Counts a value and finds what canonical bytes cannot be made of. Without recursion, so that no depth can exhaust the stack. */
export function inspectJson(root: unknown): JsonInspection {
  let nodes = 0;
  let keys = 0;
  let tooDeep = false;
  let flaw: string | undefined;
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    nodes += 1;
    if (depth > documentLimits.depth) {
      tooDeep = true;
    } else if (Array.isArray(value)) {
      for (const item of value as readonly unknown[]) open.push({ value: item, depth: depth + 1 });
    } else if (isPlain(value)) {
      for (const [key, item] of Object.entries(value)) {
        keys += 1;
        flaw ??= key === '__proto__' ? 'an object has the key __proto__' : flawOfText(key);
        open.push({ value: item, depth: depth + 1 });
      }
    } else flaw ??= flawOfScalar(value);
  }
  return { nodes, keys, tooDeep, ...(flaw === undefined ? {} : { flaw }) };
}

const flawOfText = (text: string): string | undefined =>
  LONE_SURROGATE.test(text) ? 'a text has half of a surrogate pair, which UTF-8 cannot carry' : undefined;

function flawOfScalar(value: unknown): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return flawOfText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'a number is larger than a double can hold';
  return `a value is not JSON (${typeof value})`;
}

/** Keys written in valid JSON text: the colons outside of strings. JSON.parse keeps one of two equal keys, so the counts tell. */
export function countKeys(source: string): number {
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
