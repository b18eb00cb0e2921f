import { createHash } from 'node:crypto';
import { type Address, type Bytes32, parseAddress, parseBytes32, parseTokenId, type TokenId } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { NewRun, RunProblem } from '../../../src/tracer-daemon/store/run.js';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
export const token = (name: string): TokenId => parseTokenId(`dt:ownership:${hex(name)}`);
export const digest = (name: string): Bytes32 => parseBytes32(`0x${hex(name)}`);
export const address = (name: string): Address => parseAddress(`0x${hex(name).slice(0, 40)}`);

export const newRun = (jobId: bigint | number, more: Partial<NewRun> = {}): NewRun => ({
  jobId: BigInt(jobId),
  taskId: 7n,
  algorithm: token('algorithm'),
  token: token('leaf'),
  consumer: address('alice'),
  operator: token('operator'),
  maxAttempts: 3,
  requestDigest: digest(`request ${jobId}`),
  specDigest: digest(`spec ${jobId}`),
  decisionDigest: digest(`decision ${jobId}`),
  ...more,
});

export function problem(code: 'DT_JOB_FAILED' | 'DT_POLICY_DENIED' | 'DT_JOB_CANCELED' | 'DT_JOB_REVOKED'): RunProblem {
  const error = new ToolkitError(code, { id: 5n, owner: 'us', reason: 'it broke', count: 1, summary: 'c', by: 'alice' });
  return { code: error.code, message: error.message, hint: error.hint, details: error.details };
}

/** Which error code a promise ends with. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof ToolkitError ? error.code : `not ours: ${String(error)}`),
  );
