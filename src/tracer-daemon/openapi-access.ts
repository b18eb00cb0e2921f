import { patterns } from '../documents/schema.js';
import { roles } from './web/role.js';

const content = (schema: object) => ({ 'application/json': { schema } });
const closed = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  properties,
});
const body = (schema: object) => ({ required: true, content: content(schema) });
const text = { type: 'string' } as const;
const problem = {
  description: 'RFC 9457 problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const json = (status: string, description: string) => ({
  [status]: { description, content: content({ type: 'object' }) },
  default: problem,
});
const done = { '204': { description: 'done' }, default: problem };
const proven = { security: [{ signedRequest: [] }, { session: [] }, { token: [] }] };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 36 } } as const;
const tokenId = { type: 'string', pattern: patterns.tokenId } as const;

/** Of the API: signing in, roles, what the page shows first, and its stream of changes. */
export const accessPaths = {
  '/v1/session': {
    get: { summary: 'Whose daemon this is, and who is signed in here', responses: json('200', 'organization, chain, session') },
    delete: { ...proven, summary: 'Sign out', responses: done },
  },
  '/v1/session/challenge': {
    post: { summary: 'A message for the wallet of the organization (ERC-4361)', responses: json('200', 'the challenge') },
  },
  '/v1/session/wallet': {
    post: {
      summary: 'Sign in with the signed challenge, once',
      requestBody: body(
        closed({
          challenge: closed({
            message: { type: 'string', maxLength: 2000 },
            nonce: { type: 'string', pattern: '^[0-9a-f]{32}$' },
            expiresAt: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
            seal: { type: 'string', maxLength: 64 },
          }),
          signature: { type: 'string', pattern: '^0x[0-9a-fA-F]{130}$' },
        }),
      ),
      responses: json('201', 'the session; its secret is in a cookie'),
    },
  },
  '/v1/session/secret': {
    post: {
      summary: 'Sign in with a code of `dt daemon login`, or with a token',
      requestBody: body(closed({ secret: { type: 'string', minLength: 8, maxLength: 100 } })),
      responses: json('201', 'the session; its secret is in a cookie'),
    },
  },
  '/v1/session/codes': {
    post: {
      ...proven,
      summary: 'The owner asks for a code to sign in to the page, good once and for five minutes',
      responses: json('201', 'the code'),
    },
  },
  '/v1/tokens': {
    get: { ...proven, summary: 'The tokens that are good now, without their secrets', responses: json('200', 'tokens') },
    post: {
      ...proven,
      summary: 'Let somebody in; the secret is told this once',
      requestBody: body(
        closed(
          {
            role: { enum: roles },
            label: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[^\\p{C}]+$' },
            hours: { type: 'integer', minimum: 1, maximum: 8784 },
            scope: { ...tokenId, description: "an auditor's: the one token whose trace it shows" },
          },
          ['scope'],
        ),
      ),
      responses: json('201', 'the token and its secret'),
    },
  },
  '/v1/tokens/{id}': { delete: { ...proven, summary: 'Revoke a token and end its sessions', parameters: [id], responses: done } },
  '/v1/sessions': { get: { ...proven, summary: 'Who is signed in to the page', responses: json('200', 'sessions') } },
  '/v1/sessions/{id}': { delete: { ...proven, summary: 'End a session', parameters: [id], responses: done } },
  '/v1/overview': {
    get: { ...proven, summary: 'Runs by state, limits, health and peers; for the owner', responses: json('200', 'overview') },
  },
  '/v1/settings': { get: { ...proven, summary: 'What the owner has configured, without secrets', responses: json('200', 'settings') } },
  '/v1/names': {
    get: {
      ...proven,
      summary: 'What tokens and organizations are called; for the owner',
      parameters: [
        { name: 'ids', in: 'query', schema: { type: 'string', minLength: 1, maxLength: 8000 }, description: 'at most 100, by commas' },
      ],
      responses: json('200', 'names by id'),
    },
  },
  '/v1/jobs/{id}/parties': {
    get: {
      ...proven,
      summary: 'Who takes part in the job, and what each has reported on chain',
      parameters: [id],
      responses: json('200', 'parties'),
    },
  },
  '/v1/events': {
    get: {
      ...proven,
      summary: 'What changes, as server-sent events: run, assets, chain, peers, access, everything, signed-out',
      responses: { '200': { description: 'events', content: { 'text/event-stream': { schema: text } } }, default: problem },
    },
  },
} as const;
