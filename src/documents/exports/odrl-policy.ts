import { canonicalBytes, isObject, type Json, type JsonObject, pointer } from '../canonical.js';
import type { Ddo, Service } from '../ddo/ddo.js';
import { deadlineMs, type OutputRule } from '../ddo/release-terms.js';
import type { Address, TokenId } from '../ids.js';

/** What a policy is made from: a token as the chain has it, and its document. */
export interface PolicySubject {
  readonly chainId: number;
  readonly owner: Address;
  readonly ddo: Ddo;
  /** What it was granted by its children, and to which of its parents it is granted. `until` 0: without an end. */
  readonly grants: readonly {
    readonly child: TokenId;
    readonly composite: TokenId;
    readonly until: number;
    readonly assignee: Address | undefined;
  }[];
}

export const ODRL_CONTEXT = 'http://www.w3.org/ns/odrl.jsonld';
/** The terms that ODRL has no word for. */
export const ODRL_PROFILE = 'https://compute-to-data.invalid/odrl';

/** An organization as a CAIP-10 account in a DID. */
export const partyOf = (chainId: number, address: Address): string => `did:pkh:eip155:${chainId}:${address}`;

/**
 * The policy of an asset as an ODRL Offer (W3C ODRL Information Model 2.2, JSON-LD): for each service one permission to compute with one
 * operator, refined by its parameters; what may leave and for how long as constraints and duties; everything else that moves data as
 * prohibitions. Live grants are Agreements beside it. What only this toolkit can say is in a profile.
 */
export function odrlPolicy(subject: PolicySubject): JsonObject {
  const { chainId, owner, ddo, grants } = subject;
  const assigner = partyOf(chainId, owner);
  const offer: JsonObject = {
    '@type': 'Offer',
    uid: `urn:${ddo.dt}:policy`,
    profile: ODRL_PROFILE,
    assigner,
    permission: ddo.services.map((service) => permissionOf(ddo, service)),
    prohibition: ['read', 'reproduce', 'distribute'].map((action) => ({ target: `urn:${ddo.dt}`, action })),
  };
  const agreements = grants
    .filter(({ child, assignee }) => child === ddo.dt && assignee !== undefined)
    .map(({ composite, until, assignee }) => ({
      '@type': 'Agreement',
      uid: `urn:${ddo.dt}:grant:${composite}`,
      profile: ODRL_PROFILE,
      assigner,
      assignee: partyOf(chainId, assignee as Address),
      permission: [
        {
          target: `urn:${ddo.dt}`,
          action: 'ctd:compose',
          constraint: [
            { leftOperand: 'ctd:composite', operator: 'eq', rightOperand: { '@id': `urn:${composite}` } },
            ...(until === 0 ? [] : [{ leftOperand: 'dateTime', operator: 'lt', rightOperand: timeOf(until) }]),
          ],
        },
      ],
    }));
  const context: Json = [ODRL_CONTEXT, { ctd: `${ODRL_PROFILE}#` }];
  return agreements.length === 0 ? { '@context': context, ...offer } : { '@context': context, '@graph': [offer, ...agreements] };
}

function permissionOf(ddo: Ddo, service: Service): JsonObject {
  const { descriptor, index, outputs, approval, retentionHours } = service;
  const duties: Json[] = [
    ...(approval === undefined ? [] : [review('ctd:request', hoursOf(deadlineMs(approval)))]),
    ...(outputs ?? []).flatMap(({ name, hold }) => (hold === undefined ? [] : [review(name, hoursOf(deadlineMs(hold)))])),
    ...(retentionHours === undefined
      ? []
      : [
          {
            action: 'delete',
            constraint: [{ leftOperand: 'elapsedTime', operator: 'lteq', rightOperand: duration(hoursOf(retentionHours * 3_600_000)) }],
          },
        ]),
  ];
  const refinement: readonly Json[] =
    'template' in descriptor
      ? [
          { leftOperand: 'ctd:operator', operator: 'eq', rightOperand: { '@id': `urn:${descriptor.template}` } },
          ...(typeof descriptor.version === 'number'
            ? [{ leftOperand: 'version', operator: 'eq', rightOperand: integer(descriptor.version) }]
            : []),
          ...parameters(descriptor.constraint, []),
        ]
      : Object.entries(descriptor.workflow).flatMap(([child, step]) => [
          { leftOperand: 'ctd:child', operator: 'eq', rightOperand: { '@id': `urn:${child}` } },
          ...parameters(step.constraint, [child]),
        ]);
  return {
    uid: `urn:${ddo.dt}:service:${encodeURIComponent(index)}`,
    target: `urn:${ddo.dt}`,
    action: { 'rdf:value': { '@id': 'ctd:compute' }, ...(refinement.length > 0 && { refinement }) },
    ...(outputs !== undefined && {
      constraint: [{ leftOperand: 'ctd:output', operator: 'isAnyOf', rightOperand: outputs.map(outputText) }],
    }),
    ...(duties.length > 0 && { duty: duties }),
  };
}

const review = (what: string, hours: number): Json => ({
  action: 'obtainConsent',
  constraint: [
    { leftOperand: 'ctd:subject', operator: 'eq', rightOperand: what },
    { leftOperand: 'elapsedTime', operator: 'lteq', rightOperand: duration(hours) },
  ],
});

/** A rule for what leaves, whole: name, form and sizes belong together. */
const outputText = (rule: OutputRule): Json => json(rule);

const hoursOf = (ms: number): number => ms / 3_600_000;
const duration = (hours: number): Json => ({
  '@value': `PT${Number.isInteger(hours) ? `${hours}H` : `${Math.round(hours * 3600)}S`}`,
  '@type': 'xsd:duration',
});
const integer = (value: number): Json => ({ '@value': String(value), '@type': 'xsd:integer' });
const timeOf = (seconds: number): Json => ({ '@value': new Date(seconds * 1000).toISOString(), '@type': 'xsd:dateTime' });
/** A JSON literal (JSON-LD 1.1, type @json), in its canonical text. */
const json = (value: unknown): Json => ({ '@value': Buffer.from(canonicalBytes(value)).toString('utf8'), '@type': 'rdf:JSON' });

/** A constraint of parameters, key by key. `{}` is any value and so no constraint. */
function parameters(constraint: Json, keys: readonly string[]): readonly Json[] {
  const leftOperand = `ctd:parameter${pointer(...keys)}`;
  if (!isObject(constraint)) return [{ leftOperand, operator: 'eq', rightOperand: literal(constraint) }];
  const schema = constraint['$match'];
  if (schema === undefined) return Object.entries(constraint).flatMap(([key, inner]) => parameters(inner, [...keys, key]));
  return isObject(schema) ? matches(leftOperand, schema) : [{ leftOperand, operator: 'ctd:matches', rightOperand: json(schema) }];
}

/** JSON Schema keywords that ODRL has an operator for; a schema with any other is given whole. */
const operators: Readonly<Record<string, string>> = {
  const: 'eq',
  enum: 'isAnyOf',
  minimum: 'gteq',
  exclusiveMinimum: 'gt',
  maximum: 'lteq',
  exclusiveMaximum: 'lt',
};

function matches(leftOperand: string, schema: JsonObject): readonly Json[] {
  const keywords = Object.keys(schema).filter((key) => key !== 'type');
  if (keywords.length === 0 || keywords.some((key) => operators[key] === undefined))
    return [{ leftOperand, operator: 'ctd:matches', rightOperand: json(schema) }];
  return keywords.map((key) => {
    const value = schema[key] as Json;
    return { leftOperand, operator: operators[key] as string, rightOperand: Array.isArray(value) ? value.map(literal) : literal(value) };
  });
}

const literal = (value: Json): Json =>
  typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? value : json(value);
