import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { canonicalBytes, isObject, type Json } from '../documents/canonical.js';

export type SchemaVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/**
 * The JSON Schema 2020-12 keywords that a `$match` may use. References and formats are left out on purpose: a constraint has to be
 * decidable from its own bytes, in time that its size bounds.
 */
// biome-ignore format: one line a group
const allowedKeywords = new Set([
  'type', 'const', 'enum', 'title', 'description',
  'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
  'minLength', 'maxLength', 'pattern',
  'items', 'prefixItems', 'minItems', 'maxItems',
  'properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties',
  'allOf', 'anyOf', 'oneOf', 'not',
]);
const subschemaMaps = new Set(['properties']);
const subschemaLists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const subschemas = new Set(['items', 'additionalProperties', 'not']);

export const schemaLimits = { bytes: 16_384, depth: 8, patternLength: 500 } as const;

/** Whether a schema accepts a value; a schema that is not understood accepts nothing. Patterns run in linear time (RE2). */
export function matchSchema(schema: Json, value: Json): SchemaVerdict {
  const reason = refuseSchema(schema);
  if (reason !== undefined) return { accepted: false, reason: `its $match cannot be used: ${reason}` };
  if (typeof schema === 'boolean') return schema ? { accepted: true } : { accepted: false, reason: 'its $match accepts nothing' };
  try {
    const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, code: { regExp: linearRegExp } }).compile(
      schema as object,
    );
    if (validate(value)) return { accepted: true };
    const error = validate.errors?.[0];
    return { accepted: false, reason: `${error?.instancePath ?? ''} ${error?.message ?? 'it does not match'}`.trim() };
  } catch (error) {
    return { accepted: false, reason: `its $match cannot be used: ${(error as Error).message}` };
  }
}

/** Why a schema is not one that may stand in a constraint; undefined when it may. */
export function refuseSchema(schema: Json, depth = 0): string | undefined {
  if (depth === 0 && canonicalBytes(schema).byteLength > schemaLimits.bytes) return `it is larger than ${schemaLimits.bytes} bytes`;
  if (depth > schemaLimits.depth) return `it is nested deeper than ${schemaLimits.depth} levels`;
  if (typeof schema === 'boolean') return undefined;
  if (!isObject(schema)) return 'a schema is an object or a boolean';
  if (depth === 0 && Object.keys(schema).length === 0) return 'it is empty; write {} for any value';
  for (const [keyword, value] of Object.entries(schema)) {
    if (!allowedKeywords.has(keyword)) return `the keyword ${keyword} is not allowed here`;
    if (keyword === 'pattern') {
      const reason = refusePattern(value);
      if (reason !== undefined) return reason;
    }
    for (const inner of innerSchemas(keyword, value)) {
      const reason = refuseSchema(inner, depth + 1);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
}

function innerSchemas(keyword: string, value: Json): readonly Json[] {
  if (subschemas.has(keyword)) return [value];
  if (subschemaLists.has(keyword)) return Array.isArray(value) ? value : [null];
  if (subschemaMaps.has(keyword)) return isObject(value) ? Object.values(value) : [null];
  return [];
}

function refusePattern(pattern: Json): string | undefined {
  if (typeof pattern !== 'string') return 'a pattern is a string';
  if (pattern.length > schemaLimits.patternLength) return `a pattern has at most ${schemaLimits.patternLength} characters`;
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `the pattern ${JSON.stringify(pattern)} is not one of RE2: ${(error as Error).message}`;
  }
}

function linearRegExp(pattern: string): { test(text: string): boolean } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find() };
}
linearRegExp.code = 'linearRegExp';
