import { canonicalBytes, isObject, type Json, type JsonObject } from '../documents/canonical.js';
import { matchSchema, refuseSchema } from './schema-match.js';

/**
 * Whether every value that `upper` accepts is accepted by `lower` too. Containment of schemas is undecidable in general; this answers
 * yes only where it can show it (equal schemas, finite enumerations, tighter bounds of the same type), and no otherwise: fail closed.
 */
export function narrowsSchema(lower: Json, upper: Json): boolean {
  if (refuseSchema(lower) !== undefined || refuseSchema(upper) !== undefined) return false;
  if (same(lower, upper)) return true;
  if (!isObject(lower) || !isObject(upper)) return false;
  const listed = 'const' in upper ? [upper['const'] ?? null] : upper['enum'];
  if (Array.isArray(listed)) {
    const accepted = listed.filter((value) => matchSchema(upper, value).accepted);
    return accepted.length > 0 && accepted.every((value) => matchSchema(lower, value).accepted);
  }
  return Object.entries(lower).every(([keyword, bound]) => boundHolds(keyword, bound, upper));
}

const same = (a: Json, b: Json): boolean => Buffer.compare(canonicalBytes(a), canonicalBytes(b)) === 0;
const numberAt = (schema: JsonObject, key: string): number | undefined => (typeof schema[key] === 'number' ? schema[key] : undefined);

function boundHolds(keyword: string, bound: Json, upper: JsonObject): boolean {
  const offered = upper[keyword];
  if (keyword === 'title' || keyword === 'description') return true;
  if (keyword === 'type') return typesWithin(bound, offered);
  if (offered !== undefined && same(bound, offered)) return true;
  if (typeof bound !== 'number') return false;
  const low = (inclusive: number | undefined, exclusive: number | undefined, needStrict: boolean): boolean =>
    (inclusive !== undefined && (needStrict ? inclusive > bound : inclusive >= bound)) || (exclusive !== undefined && exclusive >= bound);
  const high = (inclusive: number | undefined, exclusive: number | undefined, needStrict: boolean): boolean =>
    (inclusive !== undefined && (needStrict ? inclusive < bound : inclusive <= bound)) || (exclusive !== undefined && exclusive <= bound);
  switch (keyword) {
    case 'minimum':
    case 'exclusiveMinimum':
      return low(numberAt(upper, 'minimum'), numberAt(upper, 'exclusiveMinimum'), keyword === 'exclusiveMinimum');
    case 'maximum':
    case 'exclusiveMaximum':
      return high(numberAt(upper, 'maximum'), numberAt(upper, 'exclusiveMaximum'), keyword === 'exclusiveMaximum');
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return typeof offered === 'number' && offered >= bound;
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return typeof offered === 'number' && offered <= bound;
    default:
      return false;
  }
}

/** Every type that the upper schema names is among the lower's; integer counts as number. An upper without a type could be anything. */
function typesWithin(lower: Json, upper: Json | undefined): boolean {
  if (upper === undefined) return false;
  const allowed = new Set<Json>(Array.isArray(lower) ? lower : [lower]);
  if (allowed.has('number')) allowed.add('integer');
  return (Array.isArray(upper) ? upper : [upper]).every((type) => allowed.has(type));
}
