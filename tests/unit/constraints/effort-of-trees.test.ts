import { expect, it } from 'vitest';
import { checkTree } from '../../../src/constraints/check-tree.js';
import type { JsonObject } from '../../../src/documents/canonical.js';
import type { Ddo } from '../../../src/documents/ddo/ddo.js';
import type { TokenId } from '../../../src/documents/ids.js';
import type { OperatorDocument } from '../../../src/documents/operator/operator.js';

const id = (n: number): TokenId => `dt:ownership:${n.toString(16).padStart(64, '0')}` as TokenId;
const metadata = { main: { type: 'Dataset', name: 'x' } };

/** Every document is within its limits; only together they would make millions of clauses. */
it('many services over leaves of many keys are denied, not worked through', () => {
  const keys: JsonObject = Object.fromEntries(Array.from({ length: 3500 }, (_, i) => [`k${i}`, {}]));
  const leaves = Array.from({ length: 60 }, (_, i) => ({
    dt: id(100 + i),
    metadata,
    services: [{ index: 'r', endpoint: '', descriptor: { template: id(1), version: 1, constraint: keys }, attributes: {} }],
  }));
  const workflow = Object.fromEntries(leaves.map(({ dt }) => [dt, { service: 'r', constraint: { other: 1 } }]));
  const union = {
    dt: id(3),
    metadata,
    child_dts: leaves.map(({ dt }) => dt),
    services: Array.from({ length: 60 }, (_, i) => ({ index: `s${i}`, endpoint: '', descriptor: { workflow }, attributes: {} })),
  };
  const documents = new Map([union, ...leaves].map((ddo) => [ddo.dt, ddo as object as Ddo]));
  const operators = new Map([[id(1), { tid: id(1), params: keys } as OperatorDocument]]);
  const clauses = checkTree(union.dt, documents, operators);
  expect(clauses.length).toBeLessThan(50_000);
  expect(clauses.some(({ passed, wouldPass }) => !passed && wouldPass?.includes('more work than is allowed'))).toBe(true);
});
