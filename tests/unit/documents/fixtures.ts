import type { JsonObject } from '../../../src/documents/canonical.js';
import { type AssetAttributes, parseAssetAttributes } from '../../../src/documents/ddo/ddo.js';
import { type Address, parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';

export const tokenId = (n: number): TokenId => tokenIdOf(n.toString(16).padStart(64, '0'));
export const address = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, '0')}`);
export const created = new Date('2026-01-02T03:04:05.000Z');

/** The shape of an attribute file of the original project, field by field, with every place that it fills in its own way. */
export const leafFile = {
  metadata: { main: { type: 'Dataset', name: 'features 0-30' } },
  services: [
    {
      index: 'sid_for_org1',
      endpoint: '127.0.0.1:8090',
      descriptor: {
        template: tokenId(0xabc),
        constraint: {
          party_id: 0,
          inputs: { '0': {}, '1': {}, '2': './inputs/label.csv' },
          model_args: { in_dim: {}, lr: {}, epoch: {} },
          outputs: {},
        },
      },
      attributes: { price: 10, shape: [50000, 30], path: './inputs/feature.csv' },
    },
  ],
};

export const algorithmFile = {
  metadata: { main: { type: 'Algorithm', name: 'model' } },
  child_dts: [tokenId(1), tokenId(2)],
  services: [
    {
      index: 'sid_for_3rd',
      endpoint: {},
      attributes: { workflow_name: 'distributed' },
      descriptor: {
        workflow: {
          [tokenId(1)]: { service: 'sid_for_org1', constraint: { party_id: 0, outputs: { '0': './outputs/log.txt' } } },
          [tokenId(2)]: { service: 'sid_for_org2', constraint: { party_id: 1, outputs: { '0': './outputs/log.txt' } } },
        },
      },
    },
  ],
};

export const copy = <T>(value: T): T => structuredClone(value);

export const leafAttributes = (): AssetAttributes => parseAssetAttributes(copy(leafFile));
export const algorithmAttributes = (): AssetAttributes => parseAssetAttributes(copy(algorithmFile));

/** The value with its keys in the opposite order, at every level. */
export function reversed<T>(value: T): T {
  const turn = (inner: unknown): unknown =>
    Array.isArray(inner)
      ? inner.map(turn)
      : typeof inner === 'object' && inner !== null
        ? Object.fromEntries(
            Object.entries(inner)
              .reverse()
              .map(([key, item]) => [key, turn(item)]),
          )
        : inner;
  return turn(value) as T;
}

/** The document with the value at a pointer's keys replaced; `undefined` takes it away. */
export function changed(document: object, keys: readonly (string | number)[], value: unknown): object {
  const result = copy(document);
  const parent = keys.slice(0, -1).reduce<unknown>((at, key) => (at as JsonObject)[key], result) as Record<string | number, unknown>;
  const last = keys.at(-1) ?? '';
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return result;
}
