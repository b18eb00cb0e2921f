import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../../src/documents/canonical.js';

/** Small domains on purpose: two values that are drawn apart should often be equal, or differ in one thing. */
const smallNumber = fc.constantFrom<Json>(-2, -1, -0, 0, 0.5, 1, 2, 3, 10, 1e21);
const smallText = fc.constantFrom<Json>('', 'a', 'b', 'ab', 'aab', 'ä', '😀', '0', 'null');
const smallKey = fc.constantFrom('a', 'b', 'c', '', '/', '~', 'constructor', 'toString', 'hasOwnProperty', '0');

export const scalar: fc.Arbitrary<Json> = fc.oneof(smallNumber, smallText, fc.boolean(), fc.constant(null));

function objectOf(value: fc.Arbitrary<Json>, minKeys: number): fc.Arbitrary<Json> {
  return fc.dictionary(smallKey, value, { minKeys, maxKeys: 3, noNullPrototype: true });
}

/** JSON without anything open in it: what an algorithm passes. */
export const fixed: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, objectOf(tie('value'), 1), fc.array(tie('value'), { maxLength: 3 })),
})).value;

/** Any JSON, with `{}` and `$` keys anywhere. */
export const anything: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.constant({}),
    fc.dictionary(fc.oneof(smallKey, fc.constantFrom('$match', '$in', '$', '__proto__', 'valueOf')), tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json),
  ),
})).value;

const bound = fc.integer({ min: -2, max: 3 });
const size = fc.integer({ min: 0, max: 3 });
const typeName = fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object');

/** Schemas that a `$match` may hold. May be empty, as an inner schema may be. */
export const innerSchema: fc.Arbitrary<Json> = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 1, arbitrary: fc.boolean() },
    {
      weight: 6,
      arbitrary: fc
        .record<Record<string, Json>, never>(
          {
            type: fc.oneof(typeName, fc.uniqueArray(typeName, { minLength: 1, maxLength: 3 })),
            const: fixed,
            enum: fc.array(fixed, { minLength: 1, maxLength: 3 }),
            minimum: bound,
            maximum: bound,
            exclusiveMinimum: bound,
            exclusiveMaximum: bound,
            multipleOf: fc.constantFrom(1, 2, 0.5),
            minLength: size,
            maxLength: size,
            pattern: fc.constantFrom('^a', 'b$', '^[ab]*$', 'ä'),
            items: tie('schema'),
            prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
            minItems: size,
            maxItems: size,
            properties: fc.dictionary(smallKey, tie('schema'), { maxKeys: 2, noNullPrototype: true }),
            required: fc.uniqueArray(smallKey, { maxLength: 2 }),
            additionalProperties: tie('schema'),
            minProperties: size,
            maxProperties: size,
            allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
            anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
            oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
            not: tie('schema'),
          },
          { requiredKeys: [] },
        )
        .chain((full) => fc.subarray(Object.keys(full), { maxLength: 3 }).map((keys) => pick(full as JsonObject, keys))),
    },
  ),
})).schema;

export const schema: fc.Arbitrary<Json> = innerSchema.filter((one) => !isObject(one) || Object.keys(one).length > 0);

const pick = (from: Readonly<Record<string, Json>>, keys: readonly string[]): JsonObject =>
  Object.fromEntries(keys.map((key) => [key, from[key] ?? null]));

/** A schema near another one: the same, some keywords dropped, replaced or added, at the top or one level down. */
export function near(source: Json): fc.Arbitrary<Json> {
  if (!isObject(source)) return fc.oneof(fc.constant(source), schema);
  const keys = Object.keys(source);
  return fc.tuple(fc.subarray(keys), innerSchema, fc.integer({ min: -1, max: 1 }), fc.nat(3)).map(([kept, other, shift, how]): Json => {
    const shifted = Object.fromEntries(
      Object.entries(source).map(([key, value]) => [
        key,
        typeof value === 'number' && key !== 'multipleOf' ? Math.max(value + shift, 0) : value,
      ]),
    );
    const added = isObject(other) ? other : {};
    const candidates: readonly Json[] = [source, pick(source, kept), { ...shifted, ...added }, shifted];
    const chosen = candidates[how] ?? source;
    return isObject(chosen) && Object.keys(chosen).length === 0 ? source : chosen;
  });
}

/** Well-formed constraints that a given value mostly meets: parts of it opened, or put under a schema. */
export function opened(value: Json): fc.Arbitrary<Json> {
  const matching: Json[] = [
    { const: value },
    { enum: [value, 0, 'a'] },
    { type: typeOf(value) },
    { not: { const: '\u0000' } },
    true,
    ...(typeof value === 'number' ? [{ minimum: value }, { maximum: value + 1, type: 'number' }, { exclusiveMinimum: value - 1 }] : []),
    ...(typeof value === 'string'
      ? [
          { minLength: 0, maxLength: 5 },
          { type: 'string', pattern: '^[ab]*$' },
        ]
      : []),
  ];
  const whole = fc.oneof(
    { weight: 5, arbitrary: fc.constant(value) },
    { weight: 2, arbitrary: fc.constant<Json>({}) },
    { weight: 2, arbitrary: fc.constantFrom(...matching).map((one): Json => ({ $match: one })) },
    { weight: 1, arbitrary: schema.map((one): Json => ({ $match: one })) },
  );
  if (!isObject(value) || Object.keys(value).length === 0 || Object.hasOwn(value, '$match')) return whole;
  const parts = fc.record(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)])), { noNullPrototype: true });
  return fc.oneof({ weight: 1, arbitrary: whole }, { weight: 4, arbitrary: parts.map((one): Json => one) });
}

/** A constraint one level down: what stands open may be opened further. */
export function loosened(constraint: Json): fc.Arbitrary<Json> {
  if (isObject(constraint) && Object.hasOwn(constraint, '$match')) {
    const matched = constraint['$match'] ?? null;
    return fc.oneof(
      fc.constant(constraint),
      fc.constant<Json>({}),
      near(matched).map((one): Json => ({ $match: one })),
    );
  }
  if (!isObject(constraint) || Object.keys(constraint).length === 0) return opened(constraint);
  const parts = fc.record(Object.fromEntries(Object.entries(constraint).map(([key, inner]) => [key, loosened(inner)])), {
    noNullPrototype: true,
  });
  return fc.oneof({ weight: 1, arbitrary: fc.constant<Json>({}) }, { weight: 6, arbitrary: parts.map((one): Json => one) });
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** The same value with one thing changed, somewhere. */
export function mutated(value: Json): fc.Arbitrary<Json> {
  const elsewhere = fixed;
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const grown = fc.tuple(fc.nat(list.length), fixed).map(([i, item]): Json => [...list.slice(0, i), item, ...list.slice(i)]);
    if (list.length === 0) return fc.oneof(elsewhere, grown);
    const at = fc.nat(list.length - 1);
    const cut = at.map((i): Json => list.filter((_, k) => k !== i));
    const deep = at.chain((i) => mutated(list[i] ?? null).map((item): Json => list.map((old, k) => (k === i ? item : old))));
    return fc.oneof(elsewhere, grown, cut, deep);
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    const key = fc.constantFrom(...Object.keys(value));
    const cut = key.map((gone): Json => Object.fromEntries(Object.entries(value).filter(([name]) => name !== gone)));
    const grown = fc.tuple(smallKey, fixed).map(([name, item]): Json => ({ ...value, [name]: item }));
    const deep = key.chain((name) => mutated(value[name] ?? null).map((item): Json => ({ ...value, [name]: item })));
    return fc.oneof(elsewhere, cut, grown, deep);
  }
  return elsewhere;
}
