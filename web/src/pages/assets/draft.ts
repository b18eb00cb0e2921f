import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import type { Description, Operator } from './answers.js';
import { inputPath } from './input-path.js';
import { constraintOf, isObject, type Rule } from './rules.js';
import { type TermsDraft, termsOf } from './terms.js';

export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  readonly operator: Operator | undefined;
  readonly rules: readonly Rule[];
  readonly tellsColumns: boolean;
  readonly terms: TermsDraft;
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
        ...termsOf(draft.terms),
      },
    ],
  };
}

/** A parameter may be called as what objects have by themselves. */
const put = (place: Record<string, Json>, key: string, value: Json): void => {
  Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
};
