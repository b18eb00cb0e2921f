import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import type { Description, Operator } from './answers.js';

export const modes = ['any', 'exact', 'oneOf', 'range', 'json'] as const;
export type Mode = (typeof modes)[number];

/** What the owner allows for one parameter, as it stands in the form. */
export interface Rule {
  readonly path: readonly string[];
  readonly mode: Mode;
  readonly value: string;
  readonly most: string;
}

export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  readonly operator: Operator | undefined;
  readonly rules: readonly Rule[];
  readonly tellsColumns: boolean;
  readonly isApproved: boolean;
  readonly isHeld: boolean;
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const isOpen = (value: JsonObject): boolean => Object.keys(value).length === 0 || '$match' in value;
export const fileName = (path: string): string => path.split('/').at(-1) ?? path;
export const inputPath = (path: string): string => `./inputs/${fileName(path)}`;

/** A rule for each parameter of an operator: as wide as the operator has it, but for its input, which is the file. */
export function rulesFor(params: JsonObject, file: string, path: readonly string[] = []): readonly Rule[] {
  return Object.entries(params).flatMap(([key, value]): readonly Rule[] => {
    const at = [...path, key];
    if (isObject(value) && !isOpen(value)) return rulesFor(value, file, at);
    const rule = { path: at, most: '' };
    if (!isObject(value)) return [{ ...rule, mode: 'exact', value: JSON.stringify(value) }];
    if ('$match' in value) return [{ ...rule, mode: 'json', value: JSON.stringify(value) }];
    return at[0] === 'inputs' && file !== '' ? [{ ...rule, mode: 'exact', value: inputPath(file) }] : [{ ...rule, mode: 'any', value: '' }];
  });
}

/** What a person types: JSON where it is JSON, else the text itself. */
export function typedValue(typed: string): Json {
  try {
    return JSON.parse(typed) as Json;
  } catch {
    return typed;
  }
}

export function constraintOf({ mode, value, most }: Rule): Json {
  const typed = value.trim();
  switch (mode) {
    case 'any':
      return {};
    case 'exact':
      return typedValue(typed);
    case 'oneOf':
      return { $match: { enum: typed.split(/[,，]/).map((one) => typedValue(one.trim())) } };
    case 'range': {
      const bound = (key: string, text: string): JsonObject => (text.trim() === '' ? {} : { [key]: typedValue(text.trim()) });
      return { $match: { type: 'number', ...bound('minimum', typed), ...bound('maximum', most) } };
    }
    case 'json':
      return typedValue(typed);
  }
}

/** The attribute file that the form stands for: what `dt asset dt --attr-file` would be given. */
export function attributesOf(draft: Draft, data: Description | undefined): JsonObject {
  const constraint: Record<string, Json> = {};
  for (const rule of draft.rules) {
    let place = constraint;
    for (const key of rule.path.slice(0, -1)) {
      const inner = Object.hasOwn(place, key) ? place[key] : undefined;
      const next: Record<string, Json> = isObject(inner) ? (inner as Record<string, Json>) : {};
      put(place, key, next);
      place = next;
    }
    put(place, rule.path.at(-1) ?? '', constraintOf(rule));
  }
  const columns = data?.columns?.map(({ name, type }) => ({ name, type }));
  return {
    metadata: {
      main: { type: 'Dataset', name: draft.name.trim(), ...(draft.description.trim() !== '' && { desc: draft.description.trim() }) },
    },
    services: [
      {
        index: draft.operator?.name ?? '',
        endpoint: '',
        descriptor: { ...(draft.operator && { template: draft.operator.id }), constraint },
        attributes: {
          ...(draft.file !== '' && { path: inputPath(draft.file) }),
          ...(draft.tellsColumns && columns && { columns, shape: [data?.rows ?? 0, columns.length] }),
        },
        ...(draft.isApproved && { approval: 'manual' }),
        ...(draft.isHeld && { outputs: [{ name: '*', hold: true }] }),
      },
    ],
  };
}

/** A parameter may be called as what objects have by themselves. */
const put = (place: Record<string, Json>, key: string, value: Json): void => {
  Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
};
