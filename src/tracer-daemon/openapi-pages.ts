import { evidenceNames } from '../documents/receipt/evidence.js';
import { patterns } from '../documents/schema.js';

const content = (schema: object) => ({ 'application/json': { schema } });
const problem = {
  description: 'RFC 9457 problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const json = (status: string, description: string) => ({
  [status]: { description, content: content({ type: 'object' }) },
  default: problem,
});
const proven = { security: [{ signedRequest: [] }, { session: [] }, { token: [] }] };
const tokenId = { type: 'string', pattern: patterns.tokenId } as const;
const filePath = { type: 'string', minLength: 1, maxLength: 4096 } as const;
const path = (name: string) => ({ name, in: 'path', required: true, schema: tokenId });
const body = (properties: Readonly<Record<string, object>>, optional: readonly string[] = [], oneOf: readonly string[] = []) => ({
  required: true,
  content: content({
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    required: Object.keys(properties).filter((key) => !optional.includes(key)),
    ...(oneOf.length > 0 && { oneOf: oneOf.map((key) => ({ required: [key] })) }),
    properties,
  }),
});
const query = (name: string, schema: object) => ({ name, in: 'query', schema });

const jobNumber = { type: 'string', pattern: '^[1-9][0-9]{0,18}$' } as const;
const base64 = { type: 'string', maxLength: 1_000_000 } as const;
const digest = { type: 'string', pattern: patterns.bytes32 } as const;
const fileOf = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'sizeBytes', 'sha256'],
  properties: { name: filePath, sizeBytes: { type: 'integer', minimum: 0 }, sha256: digest },
} as const;
/** One party's: a single file, or its documents by name with what else lies in the folder. */
const share = {
  type: 'object',
  additionalProperties: false,
  required: ['source'],
  properties: {
    source: { type: 'string', maxLength: 500 },
    file: { ...base64, description: 'base 64' },
    documents: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(evidenceNames.map((name) => [name, base64])),
    },
    folder: {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'files', 'others'],
      properties: {
        kind: { enum: ['job', 'outputs'] },
        files: { type: 'array', maxItems: 5000, items: fileOf },
        others: { type: 'array', maxItems: 5000, items: filePath },
      },
    },
  },
} as const;

/** Of the API: what the pages Lineage, Verify and Assets ask for. */
export const pagePaths = {
  '/v1/lineage': {
    get: {
      ...proven,
      summary:
        'The graph around a token, or around the algorithm of a job: tokens, jobs and receipts; the newest tokens when neither is named',
      parameters: [
        { ...query('token', tokenId), allowReserved: true },
        query('job', jobNumber),
        query('depth', { type: 'integer', minimum: 0, maximum: 64 }),
        query('limit', { type: 'integer', minimum: 1, maximum: 5000 }),
      ],
      responses: json('200', 'nodes, edges, and whether something was left out'),
    },
  },
  '/v1/assets/{token}/grants': {
    post: {
      ...proven,
      summary: 'The owner grants its token to a composite by hand, when every constraint holds',
      parameters: [path('token')],
      requestBody: body({
        composite: tokenId,
        until: { type: 'integer', minimum: 0, maximum: 99_999_999_999, description: 'seconds since 1970; 0: without an end' },
      }),
      responses: json('201', 'granted'),
    },
  },
  '/v1/assets/{token}/grants/{composite}': {
    delete: {
      ...proven,
      summary: 'The owner revokes a grant; jobs that run on it end',
      parameters: [path('token'), path('composite')],
      responses: { '204': { description: 'done' }, default: problem },
    },
  },
  '/v1/files': { get: { ...proven, summary: 'Files that this daemon may read, for the owner', responses: json('200', 'files') } },
  '/v1/files/description': {
    post: {
      ...proven,
      summary: 'Columns and number of rows of such a file, never a row',
      requestBody: body({ path: filePath }),
      responses: json('200', 'the description, or why it cannot be read'),
    },
  },
  '/v1/operators': { get: { ...proven, summary: 'Operators of the chain that can be agreed to', responses: json('200', 'operators') } },
  '/v1/drafts/check': {
    post: {
      ...proven,
      summary: 'What minting would check of an attribute file; nothing is written',
      requestBody: body({ attributes: { type: 'object' }, path: filePath }, ['path']),
      responses: json('200', 'every clause, or what is wrong with the document'),
    },
  },
  '/v1/drafts/publish': {
    post: {
      ...proven,
      summary: "Mint an asset by the daemon's own key, and hold its data",
      requestBody: body({ attributes: { type: 'object' }, path: filePath }),
      responses: json('201', 'the token'),
    },
  },
  '/v1/verify': {
    post: {
      ...proven,
      summary: 'Verify evidence that is handed in, or the shares of a job that ran here, against the chain; nothing is kept',
      requestBody: body(
        {
          job: jobNumber,
          isWholeJob: { type: 'boolean', description: 'whether every party has to be there' },
          shares: { type: 'array', minItems: 1, maxItems: 64, items: share },
        },
        ['job', 'isWholeJob', 'shares'],
        ['job', 'shares'],
      ),
      responses: json('200', 'the verdict, each party, and each check'),
    },
  },
} as const;
