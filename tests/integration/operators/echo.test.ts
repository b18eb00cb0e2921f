import { expect, it } from 'vitest';
import { runOperator } from './run-operator.js';

it('echo writes its message', async () => {
  const run = await runOperator('echo.mjs', { message: { any: ['thing', 1] } }, {});
  expect([run.exit, run.outputs]).toEqual([0, { 'echo.json': '{"operator":"echo","message":{"any":["thing",1]}}\n' }]);
});

it('echo wants a message', async () => {
  const run = await runOperator('echo.mjs', {}, {});
  expect([run.exit, run.complaint, run.outputs]).toEqual([2, 'bad input: parameter message is missing', {}]);
});
