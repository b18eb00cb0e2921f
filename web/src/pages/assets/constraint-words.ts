import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import type { ConstraintText } from './constraint-text.js';

/** What a constraint says of one parameter. */
export interface Demand {
  /** Names of the parameter and those that it lies in, from the outside. */
  readonly path: readonly string[];
  readonly words: string;
  /** `any`: nothing is demanded. `raw`: words are the JSON itself, because this page does not know what it says. */
  readonly kind: 'any' | 'exact' | 'rule' | 'raw';
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: Json | undefined): string => (typeof value === 'string' ? `“${value}”` : (JSON.stringify(value) ?? ''));

/** A constraint in words, parameter by parameter; the daemon decides by the constraint, not by these. */
export function constraintWords(constraint: Json, text: ConstraintText, path: readonly string[] = []): readonly Demand[] {
  if (!isObject(constraint)) return [{ path, words: text.exactly(show(constraint)), kind: 'exact' }];
  const keys = Object.keys(constraint);
  if (keys.length === 0) return [{ path, words: text.any, kind: 'any' }];
  if (keys.length === 1 && keys[0] === '$match') return [{ path, words: schemaWords(constraint['$match'] ?? null, text), kind: 'rule' }];
  if (keys.some((key) => key.startsWith('$'))) return [{ path, words: JSON.stringify(constraint), kind: 'raw' }];
  return keys.flatMap((key) => constraintWords(constraint[key] ?? null, text, [...path, key]));
}

/** Keywords that are told together with another. */
const paired: Readonly<Record<string, string>> = { maximum: 'minimum', maxItems: 'minItems', maxLength: 'minLength' };

export function schemaWords(schema: Json, text: ConstraintText): string {
  if (schema === true) return text.any;
  if (!isObject(schema)) return JSON.stringify(schema);
  const inner = (value: Json | undefined): string => schemaWords(value ?? true, text);
  const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
  // Canonical bytes sort by name; people want to hear first what it is.
  const told = Object.entries(schema).sort(([a], [b]) => Number(b === 'type') - Number(a === 'type'));
  const said = told.flatMap(([key, value]): readonly string[] => {
    if (paired[key] !== undefined && schema[paired[key]] !== undefined) return [];
    const raw = `${key} ${JSON.stringify(value)}`;
    switch (key) {
      case 'type':
        return Array.isArray(value)
          ? [
              list(value)
                .map((one) => text.types[String(one) as keyof typeof text.types] ?? String(one))
                .join(text.or),
            ]
          : [text.types[String(value) as keyof typeof text.types] ?? raw];
      case 'const':
        return [text.exactly(show(value))];
      case 'enum':
        return [text.oneOf(list(value).map(show).join(text.comma))];
      case 'minimum':
        return [schema['maximum'] === undefined ? text.atLeast(show(value)) : text.between(show(value), show(schema['maximum']))];
      case 'maximum':
        return [text.atMost(show(value))];
      case 'exclusiveMinimum':
        return [text.moreThan(show(value))];
      case 'exclusiveMaximum':
        return [text.lessThan(show(value))];
      case 'multipleOf':
        return [text.multipleOf(show(value))];
      case 'minLength':
        return [text.length(show(value), schema['maxLength'] === undefined ? undefined : show(schema['maxLength']))];
      case 'maxLength':
        return [text.length(undefined, show(value))];
      case 'pattern':
        return [text.pattern(String(value))];
      case 'minItems':
        return [text.entries(show(value), schema['maxItems'] === undefined ? undefined : show(schema['maxItems']))];
      case 'maxItems':
        return [text.entries(undefined, show(value))];
      case 'uniqueItems':
        return value === true ? [text.unique] : [];
      case 'items':
        return [text.each(inner(value))];
      case 'anyOf':
      case 'oneOf':
        return [list(value).map(inner).join(text.or)];
      case 'allOf':
        return [list(value).map(inner).join(text.and)];
      case 'not':
        return [text.not(inner(value))];
      case 'required':
        return [text.required(list(value).map(String).join(text.comma))];
      case 'properties':
        return isObject(value) ? Object.entries(value).map(([name, of]) => text.property(name, inner(of))) : [raw];
      case 'additionalProperties':
        return value === false ? [text.noMore] : [raw];
      case 'title':
      case 'description':
      case '$schema':
        return [];
      default:
        return [raw];
    }
  });
  return said.length === 0 ? text.any : said.join(text.comma);
}
