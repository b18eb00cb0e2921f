import type { Documents, OperatorDocuments } from '../../../src/constraints/check-tree.js';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import { type AssetAttributes, buildDdo, type CompositeDdo, type Ddo, type LeafDdo, parseDdo } from '../../../src/documents/ddo/ddo.js';
import type { ReleaseTerms } from '../../../src/documents/ddo/release-terms.js';
import { type Address, parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import { buildOperator, type OperatorDocument, parseOperator } from '../../../src/documents/operator/operator.js';

export const tokenId = (n: number): TokenId => tokenIdOf(n.toString(16).padStart(64, '0'));
export const address = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, '0')}`);
export const created = new Date('2026-01-02T03:04:05.000Z');
export const OPERATOR = tokenId(0xabc);

export interface LeafService extends ReleaseTerms {
  readonly index: string;
  readonly constraint: JsonObject;
  readonly template?: TokenId;
}

/** Everything is built and parsed as a published document is. */
export function leaf(n: number, services: readonly LeafService[]): LeafDdo {
  const attributes: AssetAttributes = {
    metadata: { main: { type: 'Dataset', name: `leaf ${n}` } },
    services: services.map(({ index, constraint, template, ...terms }) => ({
      ...terms,
      index,
      endpoint: '',
      descriptor: { template: template ?? OPERATOR, version: 1, constraint },
      attributes: {},
    })),
  };
  return parseDdo(buildDdo(attributes, tokenId(n), address(n), created)) as LeafDdo;
}

export type Workflow = Readonly<Record<number, readonly [service: string, constraint: Json]>>;

function composed(type: string, n: number, services: Readonly<Record<string, Workflow>>): CompositeDdo {
  const children = new Set(Object.values(services).flatMap((workflow) => Object.keys(workflow).map((child) => tokenId(Number(child)))));
  const attributes: AssetAttributes = {
    metadata: { main: { type, name: `${type} ${n}` } },
    child_dts: [...children],
    services: Object.entries(services).map(([index, workflow]) => ({
      index,
      endpoint: '',
      descriptor: {
        workflow: Object.fromEntries(
          Object.entries(workflow).map(([child, [service, constraint]]) => [tokenId(Number(child)), { service, constraint }]),
        ),
      },
      attributes: {},
    })),
  };
  return parseDdo(buildDdo(attributes, tokenId(n), address(n), created)) as CompositeDdo;
}

export const union = (n: number, services: Readonly<Record<string, Workflow>>): CompositeDdo => composed('Union', n, services);
export const algorithm = (n: number, workflow: Workflow): CompositeDdo => composed('Algorithm', n, { only: workflow });

export function operator(params: JsonObject, id: TokenId = OPERATOR): OperatorDocument {
  const metadata = { main: { type: 'Operation', name: 'op' } };
  return parseOperator(buildOperator({ metadata, runtime: 'node', operation: 'export {};', params }, id, address(1), created));
}

export const documentsOf = (...ddos: readonly Ddo[]): Documents => new Map(ddos.map((ddo) => [ddo.dt, ddo]));
export const operatorsOf = (...operators: readonly OperatorDocument[]): OperatorDocuments =>
  new Map(operators.map((one) => [one.tid, one]));
