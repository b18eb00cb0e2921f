import { ToolkitError } from '../../errors/toolkit-error.js';
import { digestOf, type Json, type JsonObject, pointer } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import { checkProof, type Proof, proofSchema, withProof } from '../proof.js';
import { documentParser, patterns } from '../schema.js';
import { flawOfTerms, type ReleaseTerms, releaseTermsOf, releaseTermsProperties } from './release-terms.js';

export interface AssetMetadata extends JsonObject {
  readonly main: { readonly type: string; readonly name: string; readonly [key: string]: Json };
}

/** What a composite asks of one child: which of its services, and the constraint that it passes down. */
export interface WorkflowStep {
  readonly service: string;
  readonly constraint: Json;
}

export interface LeafDescriptor {
  /** The operator that may be run on this data. */
  readonly template: TokenId;
  /** The version of its code that the owner agreed to; "any": whatever the administrator publishes. Publishing fills in the version of that day. */
  readonly version?: number | 'any';
  readonly constraint: Json;
}

export interface CompositeDescriptor {
  readonly workflow: Readonly<Record<TokenId, WorkflowStep>>;
}

export interface Service<D = LeafDescriptor | CompositeDescriptor> extends ReleaseTerms {
  readonly index: string;
  /** URL or host:port of the owner's daemon; '' or {}: the URL that its organization published on chain. */
  readonly endpoint: string | Readonly<Record<string, never>>;
  readonly descriptor: D;
  readonly attributes: JsonObject;
}

/** The attribute file that a person writes: everything of a DDO but what publishing adds. */
export interface AssetAttributes<D = LeafDescriptor | CompositeDescriptor> {
  readonly metadata: AssetMetadata;
  readonly child_dts?: readonly TokenId[];
  readonly services: readonly Service<D>[];
}

/** The published document of a data token. */
export interface Ddo<D = LeafDescriptor | CompositeDescriptor> extends AssetAttributes<D> {
  readonly dt: TokenId;
  readonly creator: Address;
  readonly proof: Proof;
}

export type LeafDdo = Ddo<LeafDescriptor>;
export type CompositeDdo = Ddo<CompositeDescriptor> & { readonly child_dts: readonly TokenId[] };

export const ALGORITHM = 'Algorithm';

export const isComposite = (ddo: Ddo): ddo is CompositeDdo => (ddo.child_dts?.length ?? 0) > 0;
export const isLeaf = (ddo: Ddo): ddo is LeafDdo => !isComposite(ddo);
export const isAlgorithm = (ddo: AssetAttributes): boolean => ddo.metadata.main.type === ALGORITHM;

const name = { type: 'string', minLength: 1, maxLength: 200 } as const;
const serviceSchema = {
  type: 'object',
  required: ['index', 'descriptor'],
  additionalProperties: false,
  properties: {
    index: name,
    endpoint: {
      anyOf: [
        { type: 'string', maxLength: 500 },
        { type: 'object', maxProperties: 0 },
      ],
    },
    attributes: { type: 'object' },
    ...releaseTermsProperties,
    descriptor: {
      type: 'object',
      additionalProperties: false,
      properties: {
        template: { type: 'string', pattern: patterns.tokenId },
        version: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'any' }] },
        constraint: {},
        workflow: {
          type: 'object',
          minProperties: 1,
          maxProperties: 64,
          propertyNames: { type: 'string', pattern: patterns.tokenId },
          additionalProperties: {
            type: 'object',
            required: ['service', 'constraint'],
            additionalProperties: false,
            properties: { service: name, constraint: { type: 'object' } },
          },
        },
      },
    },
  },
} as const;

const attributeProperties = {
  metadata: {
    type: 'object',
    required: ['main'],
    properties: { main: { type: 'object', required: ['type', 'name'], properties: { type: name, name } } },
  },
  child_dts: { type: 'array', maxItems: 64, uniqueItems: true, items: { type: 'string', pattern: patterns.tokenId } },
  services: { type: 'array', minItems: 1, maxItems: 64, items: serviceSchema },
} as const;

const parseAttributes = documentParser<AssetAttributes>('asset attributes', {
  type: 'object',
  required: ['metadata', 'services'],
  additionalProperties: false,
  properties: attributeProperties,
});

const parseDocument = documentParser<Ddo>('DDO', {
  type: 'object',
  required: ['dt', 'creator', 'metadata', 'services', 'proof'],
  additionalProperties: false,
  properties: {
    dt: { type: 'string', pattern: patterns.tokenId },
    creator: { type: 'string', pattern: patterns.address },
    proof: proofSchema,
    ...attributeProperties,
  },
});

/** @throws DT_DOCUMENT_INVALID with the pointer of what is wrong */
export function parseAssetAttributes(value: unknown): AssetAttributes {
  const attributes = parseAttributes(value);
  checkShape('asset attributes', attributes);
  return attributes;
}

/** @throws DT_DOCUMENT_INVALID with the pointer of what is wrong */
export function parseDdo(value: unknown): Ddo {
  const ddo = parseDocument(value);
  checkShape('DDO', ddo);
  checkProof('DDO', ddo);
  return ddo;
}

/** What the schema cannot say: leaf or composite through and through, every child used by every service, one service in an algorithm. */
function checkShape(kind: string, asset: AssetAttributes): void {
  const fail = (where: string, reason: string): never => {
    throw new ToolkitError('DT_DOCUMENT_INVALID', { kind, pointer: where, reason });
  };
  const children = asset.child_dts ?? [];
  if (isAlgorithm(asset) && children.length === 0) fail('/child_dts', 'an algorithm is made of other tokens; name at least one');
  if (isAlgorithm(asset) && asset.services.length !== 1)
    fail('/services', `an algorithm has exactly one service, this has ${asset.services.length}`);
  const seen = new Set<string>();
  asset.services.forEach((service, i) => {
    if (seen.has(service.index)) fail(pointer('services', i, 'index'), `two services have the index ${service.index}`);
    seen.add(service.index);
    const at = (...keys: string[]): string => pointer('services', i, 'descriptor', ...keys);
    const { template, version, constraint, workflow } = service.descriptor as Partial<LeafDescriptor & CompositeDescriptor>;
    if (children.length === 0) {
      if (workflow !== undefined) fail(at('workflow'), 'only a composite has a workflow; this asset has no child_dts');
      if (template === undefined) fail(at('template'), 'the operator is missing');
      if (typeof constraint !== 'object' || constraint === null || Array.isArray(constraint))
        fail(at('constraint'), 'it must be an object');
      const flaw = flawOfTerms(service);
      if (flaw !== undefined) fail(pointer('services', i) + flaw.pointer, flaw.reason);
      return;
    }
    for (const key of Object.keys(releaseTermsOf(service)))
      fail(pointer('services', i, key), 'what may leave is said by the owners of the leaves alone; a composite is bound by all of them');
    if (template !== undefined || version !== undefined || constraint !== undefined)
      fail(at(), 'a composite has a workflow, no template and no constraint of its own');
    const used = Object.keys(workflow ?? {}) as TokenId[];
    for (const child of children) if (!used.includes(child)) fail(at('workflow'), `the child ${child} is missing`);
    for (const child of used) if (!children.includes(child)) fail(at('workflow', child), 'it is not among child_dts');
  });
}

/** Leaves out what is empty and fills what may be left out, so that one asset has one spelling. */
function normalize(attributes: AssetAttributes): AssetAttributes {
  return {
    metadata: attributes.metadata,
    ...((attributes.child_dts?.length ?? 0) > 0 ? { child_dts: attributes.child_dts } : {}),
    services: attributes.services.map((service) => ({
      index: service.index,
      endpoint: typeof service.endpoint === 'string' ? service.endpoint : '',
      descriptor: service.descriptor,
      attributes: service.attributes ?? {},
      ...releaseTermsOf(service),
    })),
  } as AssetAttributes;
}

/** The salt of an asset's token id: its content, so that publishing the same file again finds the same token; `extra` tells copies apart. */
export const saltOfAsset = (attributes: AssetAttributes, extra = ''): Bytes32 => digestOf({ ...normalize(attributes), salt: extra });

export function buildDdo(attributes: AssetAttributes, dt: TokenId, creator: Address, created: Date): Ddo {
  return withProof({ dt, creator, ...normalize(attributes) }, created);
}

/** @throws DT_DOCUMENT_INVALID when there is no service of that index */
export function serviceOf<D>(ddo: Ddo<D>, index: string): Service<D> {
  const service = ddo.services.find((candidate) => candidate.index === index);
  if (service !== undefined) return service;
  const known = ddo.services.map((candidate) => candidate.index).join(', ');
  throw new ToolkitError('DT_DOCUMENT_INVALID', {
    kind: 'DDO',
    pointer: '/services',
    reason: `${ddo.dt} has no service ${index}, only ${known}`,
  });
}
