const text = { type: 'string' } as const;
const bytes32 = { type: 'string', pattern: '^0x[0-9a-fA-F]{64}$' } as const;
const reason = { type: 'string', minLength: 1, maxLength: 500, description: 'stands in the events and in the receipt' } as const;
const subject = { ...bytes32, description: '`subject` of what was looked at: the answer is about that and nothing else' } as const;
const problem = {
  description: 'RFC 9457 problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const json = (schema: object) => ({ 'application/json': { schema } });
const run = { description: 'the run', content: json({ $ref: '#/components/schemas/Run' }) };
const runPath = { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 36 } } as const;

export const ownerAnswer = {
  type: 'object',
  required: ['outcome', 'at', 'subject'],
  properties: { outcome: { enum: ['approved', 'refused', 'expired'] }, at: text, by: text, reason: text, subject: bytes32 },
} as const;

const answerTo = (summary: string, required: readonly string[]) => ({
  post: {
    security: [{ signedRequest: [] }],
    summary,
    parameters: [runPath],
    requestBody: {
      required: true,
      content: json({ type: 'object', required, additionalProperties: false, properties: { reason, subject } }),
    },
    responses: { '200': run, '409': problem, default: problem },
  },
});

/** What waits for the owner. */
export const holdPaths = {
  '/v1/holds': {
    get: {
      security: [{ signedRequest: [] }],
      summary: 'The owner: requests that wait for its approval and outputs that wait for its look, with all that it decides on',
      responses: { '200': { description: 'holds', content: json({ type: 'object' }) }, default: problem },
    },
  },
  '/v1/jobs/{id}/approve': answerTo('The owner lets a request run, or held outputs leave', ['reason', 'subject']),
  '/v1/jobs/{id}/refuse': answerTo('The owner refuses a request, or to let held outputs leave', ['reason']),
};
