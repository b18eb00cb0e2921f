import { patterns } from '../documents/schema.js';
import { accessPaths } from './openapi-access.js';
import { holdPaths, ownerAnswer } from './openapi-holds.js';
import { pagePaths } from './openapi-pages.js';
import { runStates } from './store/run-state.js';

const tokenId = { type: 'string', pattern: patterns.tokenId, example: `dt:ownership:${'0'.repeat(63)}1` } as const;
const bytes32 = { type: 'string', pattern: '^0x[0-9a-fA-F]{64}$' } as const;
const address = { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' } as const;
const signature = { type: 'string', pattern: '^0x[0-9a-fA-F]{130}$' } as const;
const seconds = { type: 'integer', minimum: 0, maximum: 99_999_999_999, description: 'seconds since 1970' } as const;
const envelope = { daemon: address, nonce: bytes32, expiry: seconds } as const;
const text = { type: 'string' } as const;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const content = (schema: object) => ({ 'application/json': { schema } });
const body = (schema: object) => ({ required: true, content: content(schema) });
const ok = (description: string, schema: object) => ({ description, content: content(schema) });
const problem = { description: 'RFC 9457 problem', content: { 'application/problem+json': { schema: ref('Problem') } } };
const answers = (status: string, answer: object) => ({ [status]: answer, default: problem });
const runPath = { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 36 } } as const;
const proven = { security: [{ signedRequest: [] }, { session: [] }, { token: [] }] };

const run = {
  type: 'object',
  required: ['id', 'job', 'task', 'algorithm', 'token', 'consumer', 'state', 'attempt', 'createdAt', 'outputs', 'settlement'],
  properties: {
    id: text,
    job: text,
    task: text,
    algorithm: tokenId,
    token: tokenId,
    consumer: address,
    state: { enum: runStates },
    attempt: { type: 'integer' },
    createdAt: text,
    startedAt: text,
    finishedAt: text,
    deadlineAt: { ...text, description: 'until when it waits for its owner' },
    approval: ref('OwnerAnswer'),
    hold: ref('OwnerAnswer'),
    failure: { type: 'object', properties: { code: text, message: text, hint: text, details: { type: 'object' } } },
    outputs: { type: 'array', items: ref('Output') },
    receipt: bytes32,
    settlement: { enum: ['none', 'pending', 'anchored'] },
  },
} as const;

/** The API of a tracer daemon. The server validates every request against this very object. */
export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'compute-to-data tracer daemon',
    version: '1',
    description:
      'Runs algorithms next to the data of one organization. Every request that is not open is signed by EIP-712 (docs/API.md, Authentication); ' +
      'each signature is good once, at one daemon, until its expiry.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  paths: {
    '/v1/identity': {
      get: {
        summary: 'The organization behind this daemon, its chain and its sandbox',
        responses: answers('200', ok('identity', ref('Identity'))),
      },
    },
    '/v1/openapi.json': { get: { summary: 'This document', responses: answers('200', ok('OpenAPI 3.1', { type: 'object' })) } },
    '/v1/health': {
      get: {
        summary: 'Chain, store, sandbox and links',
        responses: { ...answers('200', ok('healthy', { type: 'object' })), '503': ok('degraded', { type: 'object' }) },
      },
    },
    '/v1/metrics': {
      get: {
        summary: 'Prometheus metrics',
        responses: answers('200', { description: 'text', content: { 'text/plain': { schema: text } } }),
      },
    },
    '/v1/assets': {
      get: {
        ...proven,
        summary: 'Tokens whose data this daemon holds; paths and sizes for the owner only',
        responses: answers('200', ok('assets', { type: 'object' })),
      },
      post: {
        ...proven,
        summary: 'The owner says where the data of a token lies',
        requestBody: body({
          type: 'object',
          required: ['token', 'path'],
          additionalProperties: false,
          properties: { token: tokenId, path: { type: 'string', minLength: 1, maxLength: 4096 }, document: { type: 'object' } },
        }),
        responses: answers('201', ok('the asset', { type: 'object' })),
      },
    },
    '/v1/assets/{token}': {
      get: {
        ...proven,
        summary: 'One asset of this owner: schema and number of rows, services with their constraints, grants; for the owner',
        parameters: [{ name: 'token', in: 'path', required: true, schema: tokenId }],
        responses: answers('200', ok('the asset', { type: 'object' })),
      },
      delete: {
        ...proven,
        summary: 'The owner takes its data back',
        parameters: [{ name: 'token', in: 'path', required: true, schema: tokenId }],
        responses: answers('204', { description: 'done' }),
      },
    },
    '/v1/documents': {
      post: {
        ...proven,
        summary: 'Leave published documents here; only bytes that the chain anchors are taken',
        requestBody: body({
          type: 'object',
          required: ['documents'],
          additionalProperties: false,
          properties: { documents: { type: 'array', minItems: 1, maxItems: 64, items: { type: 'object' } } },
        }),
        responses: answers('201', ok('digests', { type: 'object' })),
      },
    },
    '/v1/grants': {
      post: {
        summary: "Ask for the owner's grant of one token to one composite",
        requestBody: body(ref('GrantRequest')),
        responses: { ...answers('201', ok('granted now', { type: 'object' })), '200': ok('was granted before', { type: 'object' }) },
      },
    },
    '/v1/jobs': {
      get: {
        ...proven,
        summary: 'Runs of the requester, newest first; all of them for the owner',
        parameters: [
          { name: 'job', in: 'query', schema: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' } },
          { name: 'token', in: 'query', schema: tokenId },
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1000 } },
          { name: 'before', in: 'query', schema: { type: 'integer', minimum: 1 }, description: '`next` of the page before' },
        ],
        responses: answers(
          '200',
          ok('runs', { type: 'object', properties: { jobs: { type: 'array', items: ref('Run') }, next: { type: 'integer' } } }),
        ),
      },
      post: {
        summary: "Compute: run this daemon's share of a job",
        requestBody: body(ref('ComputeRequest')),
        responses: { ...answers('202', ok('accepted into the queue', ref('Run'))), '403': problem, '409': problem, '429': problem },
      },
    },
    '/v1/jobs/{id}': {
      get: { ...proven, summary: 'One run', parameters: [runPath], responses: answers('200', ok('the run', ref('Run'))) },
    },
    '/v1/jobs/{id}/events': {
      get: {
        ...proven,
        summary: 'States and log lines as server-sent events, live until the run has ended; resume with Last-Event-ID',
        parameters: [runPath, { name: 'last-event-id', in: 'header', schema: { type: 'string', pattern: '^[0-9]{1,15}$' } }],
        responses: answers('200', {
          description: 'events state, log, progress, and end',
          content: { 'text/event-stream': { schema: text } },
        }),
      },
    },
    '/v1/jobs/{id}/logs': {
      get: {
        ...proven,
        summary: 'The log so far',
        parameters: [runPath],
        responses: answers('200', { description: 'text', content: { 'text/plain': { schema: text } } }),
      },
    },
    '/v1/jobs/{id}/outputs': {
      get: {
        ...proven,
        summary: 'Names, sizes and digests of what was released',
        parameters: [runPath],
        responses: answers('200', ok('outputs', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/outputs/{name}': {
      get: {
        ...proven,
        summary: 'The bytes of one output; byte ranges are answered',
        parameters: [runPath, { name: 'name', in: 'path', required: true, schema: { type: 'string', maxLength: 1024 } }],
        responses: {
          ...answers('200', { description: 'bytes', content: { 'application/octet-stream': { schema: text } } }),
          '206': { description: 'a range' },
        },
      },
    },
    '/v1/jobs/{id}/receipt': {
      get: {
        ...proven,
        summary: 'The signed receipt',
        parameters: [runPath],
        responses: answers('200', ok('receipt', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/decision': {
      get: {
        ...proven,
        summary: 'Every clause that was checked',
        parameters: [runPath],
        responses: answers('200', ok('decision', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/evidence': {
      get: {
        ...proven,
        summary: 'The signed receipt with the request, job spec, decision and anchor that it names',
        parameters: [runPath],
        responses: answers('200', ok('evidence', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/opening': {
      get: {
        ...proven,
        summary: 'What opens the commitment to the data of this run, for the owner',
        parameters: [runPath],
        responses: answers('200', ok('salt and sha256', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/explanation': {
      get: {
        ...proven,
        summary: 'Why it is as it is: one cause and one next step',
        parameters: [runPath],
        responses: answers('200', ok('explanation', { type: 'object' })),
      },
    },
    '/v1/jobs/{id}/cancel': {
      post: {
        ...proven,
        summary: 'End a run',
        parameters: [runPath],
        requestBody: {
          content: content({ type: 'object', additionalProperties: false, properties: { reason: { type: 'string', maxLength: 500 } } }),
        },
        responses: answers('202', ok('the run', ref('Run'))),
      },
    },
    '/v1/jobs/{id}/rerun': {
      post: {
        ...proven,
        summary: 'Run a failed or canceled share again',
        parameters: [runPath],
        responses: answers('202', ok('the run', ref('Run'))),
      },
    },
    ...accessPaths,
    ...holdPaths,
    ...pagePaths,
    '/ipfs/{cid}': {
      get: {
        summary: 'Trustless gateway: a document by its CID, as raw block or CAR',
        parameters: [
          { name: 'cid', in: 'path', required: true, schema: { type: 'string', maxLength: 200 } },
          { name: 'format', in: 'query', schema: { type: 'string', maxLength: 10 } },
        ],
        responses: answers('200', { description: 'bytes', content: { 'application/vnd.ipld.raw': { schema: text } } }),
      },
    },
  },
  components: {
    securitySchemes: {
      signedRequest: {
        type: 'apiKey',
        in: 'header',
        name: 'authorization',
        description: '`DT <base64url JSON {daemon, nonce, expiry, signature}>` over method, path and body',
      },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'dt_<organization>',
        description: 'of the page, on requests that it makes itself; as far as the role goes (docs/API.md, Roles)',
      },
      token: { type: 'http', scheme: 'bearer', description: 'made by the owner for a role; as far as the role goes' },
    },
    schemas: {
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code', 'hint'],
        properties: {
          type: text,
          title: text,
          status: { type: 'integer' },
          detail: text,
          code: text,
          hint: text,
          retryable: { type: 'boolean' },
          requestId: text,
          details: { type: 'object' },
        },
      },
      Identity: {
        type: 'object',
        required: ['organization', 'chain', 'software', 'sandbox'],
        properties: {
          organization: address,
          chain: { type: 'object', properties: { chainId: { type: 'integer' }, market: address } },
          software: text,
          sandbox: { type: 'object', properties: { level: text, layers: { type: 'array', items: text } } },
          link: {
            type: 'object',
            description: 'Where other daemons can call it for joint computations; absent where they cannot',
            required: ['port', 'key'],
            properties: { host: text, port: { type: 'integer', minimum: 1, maximum: 65_535 }, key: bytes32 },
          },
        },
      },
      Output: {
        type: 'object',
        required: ['name', 'sizeBytes', 'sha256'],
        properties: { name: text, sizeBytes: { type: 'integer' }, sha256: bytes32, recipient: { const: 'owner' } },
      },
      OwnerAnswer: ownerAnswer,
      Run: run,
      // What the assets fix may not be named here; the pipeline refuses it with DT_POLICY_FIXED_PARAMETER, so the schema stays open.
      ComputeRequest: {
        type: 'object',
        required: ['request', 'signature'],
        properties: {
          signature,
          request: {
            type: 'object',
            required: ['job', 'algorithm', 'dataToken', 'spec', 'daemon', 'nonce', 'expiry'],
            properties: {
              job: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
              algorithm: tokenId,
              dataToken: tokenId,
              spec: bytes32,
              ...envelope,
            },
          },
        },
      },
      GrantRequest: {
        type: 'object',
        required: ['request', 'signature'],
        properties: {
          signature,
          documents: { type: 'array', maxItems: 64, items: { type: 'object' } },
          request: {
            type: 'object',
            required: ['composite', 'dataToken', 'until', 'daemon', 'nonce', 'expiry'],
            properties: { composite: tokenId, dataToken: tokenId, until: seconds, ...envelope },
          },
        },
      },
    },
  },
} as const;
