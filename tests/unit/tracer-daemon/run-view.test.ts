import { expect, it } from 'vitest';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { viewOf } from '../../../src/tracer-daemon/run-view.js';
import type { Run } from '../../../src/tracer-daemon/store/run.js';

it('an auditor reads how an operator ended, and none of its words', async () => {
  const { code, message, hint, details } = new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: 'exit code 3', log: 'row 7: Ada, 36' });
  const run = { jobId: 1n, taskId: 1n, createdAt: 0, failure: { code, message, hint, details } } as Run;
  const records = { get: async () => undefined, put: async () => Promise.reject(new Error('nothing is written')) };
  const told = JSON.stringify(await viewOf({ records }, run, { audited: true }));
  expect(told).toContain('exit code 3');
  expect(told).not.toContain('Ada');
  expect((await viewOf({ records }, run)).failure?.message).toContain('row 7: Ada, 36');
});
