import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { TraceNode } from '../../../src/actions/tracer/trace-lifecycle.js';
import { traceProvenance } from '../../../src/actions/tracer/trace-provenance.js';
import { renderDot, renderMermaid } from '../../../src/cli/render-trace-graph.js';
import { canonicalBytes, digestOf, sha256 } from '../../../src/documents/canonical.js';
import { buildDdo } from '../../../src/documents/ddo/ddo.js';
import { inTotoStatement } from '../../../src/documents/exports/in-toto-statement.js';
import { odrlPolicy } from '../../../src/documents/exports/odrl-policy.js';
import type { SignedReceipt } from '../../../src/documents/receipt/receipt.js';
import { address, tokenId } from './fixtures.js';

/** Written from the specifications: what each of them demands of a document's structure. */
const fits = (schema: object, value: unknown): void => {
  const validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema);
  expect(validate(value) ? [] : validate.errors).toEqual([]);
};

const text = { type: 'string', minLength: 1 } as const;
const iri = { type: 'string', pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*:' } as const;

describe('a policy as ODRL', () => {
  // ODRL Information Model 2.2: 2.1 policy, 2.5 constraint, 2.6 rule; the operators of its common vocabulary.
  const operator = {
    anyOf: [
      { enum: ['eq', 'gt', 'gteq', 'lt', 'lteq', 'neq', 'isA', 'hasPart', 'isPartOf', 'isAllOf', 'isAnyOf', 'isNoneOf'] },
      { type: 'string', pattern: '^ctd:' },
    ],
  };
  const constraints = {
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      required: ['leftOperand', 'operator', 'rightOperand'],
      properties: {
        leftOperand: { anyOf: [{ enum: ['dateTime', 'elapsedTime', 'version'] }, { type: 'string', pattern: '^ctd:' }] },
        operator,
        rightOperand: {},
      },
      additionalProperties: false,
    },
  };
  const action = {
    anyOf: [
      text,
      {
        type: 'object',
        required: ['rdf:value'],
        properties: { 'rdf:value': { type: 'object', required: ['@id'] }, refinement: constraints },
      },
    ],
  };
  const rule = { type: 'object', required: ['target', 'action'], properties: { target: iri, action, constraint: constraints } };
  const duty = { type: 'object', required: ['action'], properties: { action, constraint: constraints } };
  const policy = {
    type: 'object',
    required: ['@type', 'uid', 'profile', 'assigner', 'permission'],
    properties: {
      '@type': { enum: ['Offer', 'Agreement'] },
      uid: iri,
      profile: iri,
      assigner: iri,
      assignee: iri,
      permission: {
        type: 'array',
        minItems: 1,
        items: { ...rule, properties: { ...rule.properties, uid: iri, duty: { type: 'array', minItems: 1, items: duty } } },
      },
      prohibition: { type: 'array', items: rule },
    },
    if: { type: 'object', properties: { '@type': { const: 'Agreement' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { type: 'object', required: ['assignee'] },
  };

  const ddo = buildDdo(
    {
      metadata: { main: { type: 'Dataset', name: 'credit' } },
      services: [
        {
          index: 'train',
          endpoint: '',
          attributes: {},
          descriptor: {
            template: tokenId(9),
            version: 2,
            constraint: {
              epochs: { $match: { type: 'integer', minimum: 1, maximum: 20 } },
              model: 'lr',
              any: {},
              odd: { $match: { pattern: '^a' } },
            },
          },
          outputs: [{ name: 'model.json', mediaType: 'application/json', maxBytes: 1000, hold: { deadlineHours: 24 } }],
          approval: 'manual',
          retentionHours: 12,
        },
      ],
    },
    tokenId(1),
    address(1),
    new Date(0),
  );

  it('is an offer with a permission for each service, its duties, and an agreement for each live grant', () => {
    const grants = [{ child: tokenId(1), composite: tokenId(5), until: 2_000_000_000, assignee: address(2) }];
    const document = odrlPolicy({ chainId: 31337, owner: address(1), ddo, grants });
    const graph = document['@graph'] as readonly object[];
    expect(graph).toHaveLength(2);
    for (const one of graph) fits(policy, one);
    expect(graph[0]).toMatchObject({
      '@type': 'Offer',
      permission: [{ duty: [{ action: 'obtainConsent' }, { action: 'obtainConsent' }, { action: 'delete' }] }],
    });
    const said = JSON.stringify(graph[0]);
    expect(said).toContain('{"leftOperand":"ctd:parameter/epochs","operator":"gteq","rightOperand":1}');
    expect(said).toContain('{"leftOperand":"ctd:parameter/model","operator":"eq","rightOperand":"lr"}');
    expect(said).toContain('"operator":"ctd:matches"');
    expect(said).not.toContain('parameter/any');
    expect(graph[1]).toMatchObject({ '@type': 'Agreement', assignee: `did:pkh:eip155:31337:${address(2)}` });
  });

  it('is one offer without a grant', () => {
    const document = odrlPolicy({ chainId: 1, owner: address(1), ddo, grants: [] });
    fits({ ...policy, required: [...policy.required, '@context'] }, document);
  });
});

describe('a receipt as in-toto', () => {
  const digest = digestOf('x');
  const receipt: SignedReceipt = {
    signature: `0x${'11'.repeat(64)}1b`,
    receipt: {
      kind: 'receipt',
      version: 2,
      chain: { chainId: 31337, market: address(7) },
      job: '3',
      algorithm: tokenId(20),
      path: [tokenId(20), tokenId(1)],
      token: tokenId(1),
      owner: address(1),
      consumer: address(2),
      request: digest,
      spec: digest,
      decision: digest,
      ddo: digest,
      operator: { id: tokenId(9), version: 1, digest },
      outcome: 'succeeded',
      outputs: [{ name: 'model.json', sizeBytes: 3, sha256: digest }],
      finishedAt: '2026-01-02T03:04:05.000Z',
      software: 'x/1',
    },
  };
  // in-toto attestation Statement v1 and ResourceDescriptor v1; SLSA Provenance v1.
  const resource = {
    type: 'object',
    anyOf: [{ required: ['uri'] }, { required: ['digest'] }, { required: ['content'] }],
    properties: {
      name: text,
      uri: iri,
      digest: { type: 'object', minProperties: 1, additionalProperties: { type: 'string', pattern: '^[0-9a-f]+$' } },
      content: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' },
      mediaType: text,
    },
    additionalProperties: false,
  };
  const statement = {
    type: 'object',
    required: ['_type', 'subject', 'predicateType', 'predicate'],
    additionalProperties: false,
    properties: {
      _type: { const: 'https://in-toto.io/Statement/v1' },
      subject: { type: 'array', minItems: 1, items: { ...resource, required: ['name', 'digest'] } },
      predicateType: { const: 'https://slsa.dev/provenance/v1' },
      predicate: {
        type: 'object',
        required: ['buildDefinition', 'runDetails'],
        additionalProperties: false,
        properties: {
          buildDefinition: {
            type: 'object',
            required: ['buildType', 'externalParameters'],
            additionalProperties: false,
            properties: {
              buildType: iri,
              externalParameters: { type: 'object' },
              internalParameters: { type: 'object' },
              resolvedDependencies: { type: 'array', items: resource },
            },
          },
          runDetails: {
            type: 'object',
            required: ['builder'],
            additionalProperties: false,
            properties: {
              builder: {
                type: 'object',
                required: ['id'],
                properties: { id: iri, version: { type: 'object', additionalProperties: text } },
              },
              metadata: {
                type: 'object',
                properties: { invocationId: text, startedOn: text, finishedOn: text },
                additionalProperties: false,
              },
              byproducts: { type: 'array', items: resource },
            },
          },
        },
      },
    },
  };

  it('has what left as its subject, and the signed receipt itself inside', () => {
    const made = inTotoStatement(receipt);
    fits(statement, made);
    expect(made['subject']).toEqual([{ name: 'model.json', digest: { sha256: digest.slice(2) } }]);
    const { byproducts } = (made['predicate'] as { runDetails: { byproducts: { name: string; content?: string }[] } }).runDetails;
    const inside = Buffer.from(byproducts.find(({ name }) => name === 'receipt')?.content ?? '', 'base64');
    expect(inside).toEqual(Buffer.from(canonicalBytes(receipt)));
    expect(sha256(inside)).toBe(digestOf(receipt));
  });

  it('has its receipt as subject when nothing left', () => {
    const refused: SignedReceipt = { ...receipt, receipt: { ...receipt.receipt, outcome: 'refused', outputs: [] } };
    const made = inTotoStatement(refused);
    fits(statement, made);
    expect(made['subject']).toEqual([{ name: 'receipt', digest: { sha256: digestOf(refused).slice(2) } }]);
  });
});

const report = {
  token: tokenId(1),
  state: 'succeeded',
  reporterName: 'Bank "A"',
  receipt: digestOf('r'),
  time: '2026-01-02T03:04:06.000Z',
};
const job = {
  job: '3',
  task: '1',
  taskName: 'risk [x] "y"',
  demanderName: 'Fintech',
  addedAt: '2026-01-02T03:04:05.000Z',
  reports: [report],
  missing: [],
};
const leaf = (children: readonly TraceNode[]): TraceNode => ({
  token: tokenId(1),
  name: 'credit\n|pipe|',
  type: 'Dataset',
  ownerName: 'Bank "A"',
  grant: undefined,
  repeated: false,
  children,
  jobs: [],
  receipts: [],
});
const trace = leaf([
  {
    token: tokenId(20),
    name: 'risk',
    type: 'Algorithm',
    ownerName: 'Fintech',
    grant: { state: 'live', until: 0 },
    repeated: false,
    children: [],
    jobs: [job],
    receipts: [],
  },
]);

describe('a trace as PROV-JSON', () => {
  const relation = (...keys: readonly string[]) => ({
    type: 'object',
    propertyNames: { pattern: '^_:' },
    additionalProperties: { type: 'object', required: keys },
  });
  const records = { type: 'object', propertyNames: { pattern: '^ctd:[A-Za-z0-9_-]+$' }, additionalProperties: { type: 'object' } };
  // PROV-JSON serialization, sections 2 and 3.
  const schema = {
    type: 'object',
    required: ['prefix', 'entity'],
    additionalProperties: false,
    properties: {
      prefix: { type: 'object', additionalProperties: iri },
      entity: records,
      activity: records,
      agent: records,
      wasAttributedTo: relation('prov:entity', 'prov:agent'),
      wasDerivedFrom: relation('prov:generatedEntity', 'prov:usedEntity'),
      wasAssociatedWith: relation('prov:activity', 'prov:agent'),
      wasInformedBy: relation('prov:informed', 'prov:informant'),
      used: relation('prov:activity', 'prov:entity'),
      wasGeneratedBy: relation('prov:entity', 'prov:activity'),
    },
  };

  it('names tokens, jobs, shares and receipts, and how each came of the others', () => {
    const document = traceProvenance(trace, 'composites');
    fits(schema, document);
    const derived = Object.values(document['wasDerivedFrom'] as Record<string, object>);
    expect(derived).toEqual([
      {
        'prov:generatedEntity': `ctd:token_${tokenId(20).slice(-64)}`,
        'prov:usedEntity': `ctd:token_${tokenId(1).slice(-64)}`,
        'ctd:grant': 'live',
      },
    ]);
    // Everything that a relation points at is there.
    const known = new Set(['entity', 'activity', 'agent'].flatMap((kind) => Object.keys(document[kind] as object)));
    for (const [name, all] of Object.entries(document))
      if (/^(was|used)/.test(name))
        for (const one of Object.values(all as Record<string, Record<string, string>>))
          for (const [key, target] of Object.entries(one))
            if (/^prov:(?!time)/.test(key)) expect(known, `${name} ${key}`).toContain(target);
  });
});

describe('a trace as a graph', () => {
  it('is one statement a node and edge for Graphviz, whatever names hold', () => {
    const dot = renderDot(trace);
    expect(dot).toContain('n0 -> n1 [label="granted"];');
    expect(dot).toContain('of Bank \\"A\\"');
    for (const line of dot.split('\n').slice(2, -1)) expect(line).toMatch(/^ {2}n\d+ (\[.*\]|-> n\d+.*);$/);
  });

  it('keeps names from being markup for Mermaid', () => {
    const mermaid = renderMermaid(trace);
    expect(mermaid.split('\n')[0]).toBe('flowchart LR');
    expect(mermaid).not.toContain('|pipe|');
    expect(mermaid).toContain('#124;pipe#124;');
    expect(mermaid).toContain('n0 -->|"granted"| n1');
  });
});
