import { RE2JS } from 're2js';
import { inspectJson, isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import { type Effort, newEffort, spend, TOO_MUCH } from './effort.js';
import { refuseSchema } from './refuse-schema.js';
import { sameValue } from './same-value.js';

export type SchemaVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/**
 * Whether a schema accepts a value; a schema that is not understood accepts nothing. It is interpreted, not compiled: a stranger's text
 * becomes no code, inherited properties count for nothing, and the cost is known before it is spent. Patterns run in linear time (RE2).
 * Tests hold it against ajv.
 */
export function matchSchema(schema: Json, value: Json, effort: Effort = newEffort()): SchemaVerdict {
  const refused = refuseSchema(schema, effort);
  if (refused !== undefined) return { accepted: false, reason: `its $match cannot be used: ${refused}` };
  const { tooDeep, flaw } = inspectJson(value);
  if (tooDeep || flaw !== undefined) return { accepted: false, reason: flaw ?? 'the value is nested too deep' };
  const reason = mismatchOf(schema, value, effort);
  return reason === undefined ? { accepted: true } : { accepted: false, reason };
}

/** Why a schema does not accept a value; undefined when it does. Both are known to be well formed. */
export function mismatchOf(schema: Json, value: Json, effort: Effort): string | undefined {
  const reason = mismatch(schema, value, [], { effort, patterns: new Map() });
  return effort.left < 0 ? TOO_MUCH : reason;
}

interface Run {
  readonly effort: Effort;
  readonly patterns: Map<string, RE2JS>;
}
type Path = readonly (string | number)[];

/** The first reason against the value, with its place; undefined when there is none. */
function mismatch(schema: Json, value: Json, path: Path, run: Run): string | undefined {
  if (!spend(run.effort, 1)) return TOO_MUCH;
  if (schema === true) return undefined;
  if (!isObject(schema)) return at(path, 'must not be given');
  for (const [keyword, bound] of Object.entries(schema)) {
    if (!spend(run.effort, 1)) return TOO_MUCH;
    const reason =
      ofAny(keyword, bound, value, path, run) ??
      (typeof value === 'number' ? ofNumber(keyword, bound, value, path) : undefined) ??
      (typeof value === 'string' ? ofText(keyword, bound, value, path, run) : undefined) ??
      (Array.isArray(value) ? ofList(keyword, bound, value, schema, path, run) : undefined) ??
      (isObject(value) ? ofObject(keyword, bound, value, schema, path, run) : undefined);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const at = (path: Path, reason: string): string => (path.length === 0 ? reason : `${pointer(...path)} ${reason}`);
const need = (holds: boolean, path: Path, reason: string): string | undefined => (holds ? undefined : at(path, reason));
const list = (value: Json): readonly Json[] => (Array.isArray(value) ? value : []);
const show = (value: Json): string => {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
};

function ofAny(keyword: string, bound: Json, value: Json, path: Path, run: Run): string | undefined {
  const fits = (schema: Json): boolean => mismatch(schema, value, path, run) === undefined;
  switch (keyword) {
    case 'type':
      return need(
        (Array.isArray(bound) ? bound : [bound]).some((type) => isOfType(type, value)),
        path,
        `must be of type ${show(bound)}`,
      );
    case 'const':
      return need(sameValue(bound, value), path, `must be ${show(bound)}`);
    case 'enum':
      return need(
        list(bound).some((item) => sameValue(item, value)),
        path,
        `must be one of ${show(bound)}`,
      );
    case 'allOf':
      return firstReason(list(bound), (schema) => mismatch(schema, value, path, run));
    case 'anyOf':
      return need(list(bound).some(fits), path, 'must match one of anyOf');
    case 'oneOf':
      return need(list(bound).filter(fits).length === 1, path, 'must match exactly one of oneOf');
    case 'not':
      return need(!fits(bound), path, 'must not match the schema of not');
    default:
      return undefined;
  }
}

function isOfType(type: Json, value: Json): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}

function ofNumber(keyword: string, bound: Json, value: number, path: Path): string | undefined {
  if (typeof bound !== 'number') return undefined;
  if (keyword === 'minimum') return need(value >= bound, path, `must be at least ${bound}`);
  if (keyword === 'maximum') return need(value <= bound, path, `must be at most ${bound}`);
  if (keyword === 'exclusiveMinimum') return need(value > bound, path, `must be above ${bound}`);
  if (keyword === 'exclusiveMaximum') return need(value < bound, path, `must be below ${bound}`);
  return keyword === 'multipleOf' ? need(Number.isInteger(value / bound), path, `must be a multiple of ${bound}`) : undefined;
}

function ofText(keyword: string, bound: Json, value: string, path: Path, run: Run): string | undefined {
  if (keyword === 'pattern' && typeof bound === 'string') {
    const pattern = run.patterns.get(bound) ?? RE2JS.compile(bound);
    run.patterns.set(bound, pattern);
    if (!spend(run.effort, pattern.programSize() * (value.length + 1))) return TOO_MUCH;
    return need(pattern.matcher(value).find(), path, `must match the pattern ${show(bound)}`);
  }
  if (typeof bound !== 'number' || (keyword !== 'minLength' && keyword !== 'maxLength')) return undefined;
  if (!spend(run.effort, value.length)) return TOO_MUCH;
  return size(keyword, bound, codePoints(value), path, 'characters');
}

/** JSON Schema counts characters, not UTF-16 units. */
function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function size(keyword: string, bound: number, actual: number, path: Path, unit: string): string | undefined {
  return keyword.startsWith('min')
    ? need(actual >= bound, path, `must have at least ${bound} ${unit}`)
    : need(actual <= bound, path, `must have at most ${bound} ${unit}`);
}

function ofList(keyword: string, bound: Json, value: readonly Json[], schema: JsonObject, path: Path, run: Run): string | undefined {
  if ((keyword === 'minItems' || keyword === 'maxItems') && typeof bound === 'number')
    return size(keyword, bound, value.length, path, 'items');
  const prefix = list(schema['prefixItems'] ?? null);
  if (keyword === 'prefixItems')
    return firstReason(prefix.slice(0, value.length), (inner, i) => mismatch(inner, value[i] ?? null, [...path, i], run));
  if (keyword !== 'items') return undefined;
  return firstReason(value.slice(prefix.length), (item, i) => mismatch(bound, item, [...path, prefix.length + i], run));
}

function ofObject(keyword: string, bound: Json, value: JsonObject, schema: JsonObject, path: Path, run: Run): string | undefined {
  const into = (key: string, inner: Json): string | undefined => mismatch(inner, value[key] ?? null, [...path, key], run);
  switch (keyword) {
    case 'properties':
      return isObject(bound)
        ? firstReason(Object.entries(bound), ([key, inner]) => (Object.hasOwn(value, key) ? into(key, inner) : undefined))
        : undefined;
    case 'additionalProperties': {
      const known = schema['properties'] ?? {};
      return firstReason(Object.keys(value), (key) => (Object.hasOwn(known as object, key) ? undefined : into(key, bound)));
    }
    case 'required':
      return firstReason(list(bound), (key) => need(Object.hasOwn(value, String(key)), path, `must have the key ${show(key)}`));
    case 'minProperties':
    case 'maxProperties':
      return size(keyword, Number(bound), Object.keys(value).length, path, 'keys');
    default:
      return undefined;
  }
}

function firstReason<T>(items: readonly T[], reasonOf: (item: T, i: number) => string | undefined): string | undefined {
  for (const [i, item] of items.entries()) {
    const reason = reasonOf(item, i);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
