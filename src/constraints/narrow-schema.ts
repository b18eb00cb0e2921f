import { isObject, type Json, type JsonObject } from '../documents/canonical.js';
import { type Effort, newEffort, spend } from './effort.js';
import { refuseSchema } from './refuse-schema.js';
import { sameValue } from './same-value.js';
import { mismatchOf } from './schema-match.js';

/**
 * Whether every value that `upper` accepts is accepted by `lower` too. Containment of schemas is hard in general; this answers yes only
 * where it can show it (equal schemas, finite lists of values, tighter bounds keyword by keyword), and no otherwise: fail closed.
 */
export function narrowsSchema(lower: Json, upper: Json, effort: Effort = newEffort()): boolean {
  if (refuseSchema(lower, effort) !== undefined || refuseSchema(upper, effort) !== undefined) return false;
  return isWithin(lower, upper, effort);
}

/** The same for schemas that are known to be well formed. */
export const isWithin = (lower: Json, upper: Json, effort: Effort): boolean => within(lower, upper, effort) && effort.left >= 0;

/** Once the effort has run out, the answer means nothing. */
function within(lower: Json, upper: Json, effort: Effort): boolean {
  if (!spend(effort, 1)) return false;
  if (lower === true || upper === false || sameValue(lower, upper)) return true;
  if (!isObject(lower) || !isObject(upper)) return false;
  const listed = Object.hasOwn(upper, 'const') ? [upper['const'] ?? null] : upper['enum'];
  if (Array.isArray(listed))
    return listed.every((value: Json) => mismatchOf(upper, value, effort) !== undefined || mismatchOf(lower, value, effort) === undefined);
  return Object.entries(lower).every(([keyword, bound]) => boundHolds(keyword, bound, lower, upper, effort));
}

const numberAt = (schema: JsonObject, key: string): number | undefined => (typeof schema[key] === 'number' ? schema[key] : undefined);
const mapAt = (schema: JsonObject, key: string): JsonObject => (isObject(schema[key]) ? schema[key] : {});

function boundHolds(keyword: string, bound: Json, lower: JsonObject, upper: JsonObject, effort: Effort): boolean {
  const offered = upper[keyword];
  switch (keyword) {
    case 'title':
    case 'description':
      return true;
    case 'type':
      return typesWithin(bound, offered);
    case 'minimum':
    case 'exclusiveMinimum':
      return lowEnough(Number(bound), keyword === 'exclusiveMinimum', numberAt(upper, 'minimum'), numberAt(upper, 'exclusiveMinimum'));
    case 'maximum':
    case 'exclusiveMaximum':
      return highEnough(Number(bound), keyword === 'exclusiveMaximum', numberAt(upper, 'maximum'), numberAt(upper, 'exclusiveMaximum'));
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return typeof offered === 'number' && offered >= Number(bound);
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return typeof offered === 'number' && offered <= Number(bound);
    case 'required':
      return Array.isArray(bound) && Array.isArray(offered) && bound.every((key: Json) => offered.includes(key));
    case 'properties':
      return Object.entries(mapAt(lower, keyword)).every(([key, inner]) => within(inner, schemaOfKey(upper, key), effort));
    case 'additionalProperties':
      return othersWithin(bound, lower, upper, effort);
    case 'items':
      // What `items` speaks of depends on how many prefixItems stand before it.
      return (
        offered !== undefined && sameValue(lower['prefixItems'] ?? null, upper['prefixItems'] ?? null) && within(bound, offered, effort)
      );
    default:
      return offered !== undefined && sameValue(bound, offered);
  }
}

/** The schema that a key's value has to meet, when the key is there. */
function schemaOfKey(schema: JsonObject, key: string): Json {
  const properties = mapAt(schema, 'properties');
  return Object.hasOwn(properties, key) ? (properties[key] ?? true) : (schema['additionalProperties'] ?? true);
}

/** Every key that the lower schema does not name, whether the upper one names it or not, has to meet the lower's additionalProperties. */
function othersWithin(bound: Json, lower: JsonObject, upper: JsonObject, effort: Effort): boolean {
  const known = mapAt(lower, 'properties');
  const named = Object.entries(mapAt(upper, 'properties')).filter(([key]) => !Object.hasOwn(known, key));
  return [...named.map(([, inner]) => inner), upper['additionalProperties'] ?? true].every((inner) => within(bound, inner, effort));
}

function lowEnough(bound: number, strict: boolean, inclusive: number | undefined, exclusive: number | undefined): boolean {
  if (exclusive !== undefined && exclusive >= bound) return true;
  return inclusive !== undefined && (strict ? inclusive > bound : inclusive >= bound);
}

function highEnough(bound: number, strict: boolean, inclusive: number | undefined, exclusive: number | undefined): boolean {
  if (exclusive !== undefined && exclusive <= bound) return true;
  return inclusive !== undefined && (strict ? inclusive < bound : inclusive <= bound);
}

/** Every type that the upper schema names is among the lower's; integer counts as number. An upper without a type could be anything. */
function typesWithin(lower: Json, upper: Json | undefined): boolean {
  if (upper === undefined) return false;
  const allowed = new Set<Json>(Array.isArray(lower) ? lower : [lower]);
  if (allowed.has('number')) allowed.add('integer');
  return (Array.isArray(upper) ? upper : [upper]).every((type: Json) => allowed.has(type));
}
