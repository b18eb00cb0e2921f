import { describe, expect, it } from 'vitest';
import { errorTable } from '../../../src/errors/codes.js';
import { ToolkitError, toToolkitError } from '../../../src/errors/toolkit-error.js';

describe('ToolkitError', () => {
  it('fills message and hint from its details', () => {
    const error = new ToolkitError('DT_POLICY_BY_HAND', { composite: 'C', child: 'L' });
    expect(error.message).toBe('All conditions hold, but the owner of L grants by hand.');
    expect(error.hint).toBe('Ask it to run `dt asset grant --dt L --cdt C`, then repeat the command.');
    expect(error).toMatchObject({ name: 'ToolkitError', code: 'DT_POLICY_BY_HAND', exitCode: 5, httpStatus: 403, retryable: false });
    expect(error).toBeInstanceOf(Error);
  });

  it('writes ids, numbers, lists and objects readably', () => {
    const message = (id: unknown): string => new ToolkitError('DT_JOB_UNKNOWN', { id }).message;
    expect(message(3n)).toBe('No job 3 here.');
    expect(message(3)).toBe('No job 3 here.');
    expect(message('3')).toBe('No job 3 here.');
    expect(message([1n, 'a'])).toBe('No job ["1","a"] here.');
    expect(message({ a: 1n })).toBe('No job {"a":"1"} here.');
    expect(message(null)).toBe('No job null here.');
    expect(message(false)).toBe('No job false here.');
    expect(message('')).toBe('No job  here.');
    expect(message(() => 1)).not.toContain('undefined');
  });

  it('leaves what is missing visible, and takes nothing from prototypes', () => {
    expect(new ToolkitError('DT_JOB_UNKNOWN').message).toBe('No job {id} here.');
    expect(new ToolkitError('DT_JOB_UNKNOWN', Object.create({ id: 'inherited' })).message).toBe('No job {id} here.');
  });

  it('fills once: what details contain is not filled again', () => {
    const error = new ToolkitError('DT_PEER_ANSWER', { url: '{reason}', reason: '$& $1 {url}' });
    expect(error.message).toBe('The daemon at {reason} gave an answer that is not understood: $& $1 {url}');
  });

  it('can be sent as JSON, whatever the details are', () => {
    const error = new ToolkitError('DT_JOB_STATE', { id: 12n, state: 'running', needed: 'succeeded', nested: [{ at: 2n ** 70n }] });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'DT_JOB_STATE',
      message: 'Job 12 is running; this needs succeeded.',
      hint: 'See `dt job status 12`.',
      retryable: false,
      details: { id: '12', state: 'running', needed: 'succeeded', nested: [{ at: '1180591620717411303424' }] },
    });
    expect(JSON.stringify(new ToolkitError('DT_AUTH_MISSING'))).toContain('"details":{}');
  });

  it('keeps its cause to itself', () => {
    const cause = new Error('the password was hunter2');
    const error = new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'x' }, cause);
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(error.message).not.toContain('hunter2');
  });

  it('answers for every code of the table', () => {
    for (const code of Object.keys(errorTable) as (keyof typeof errorTable)[]) {
      const error = new ToolkitError(code);
      expect([error.exitCode, error.httpStatus, error.retryable]).toEqual([
        errorTable[code].exit,
        errorTable[code].http,
        errorTable[code].retryable,
      ]);
    }
  });
});

describe('toToolkitError', () => {
  it('passes ours on and calls everything else a bug', () => {
    const ours = new ToolkitError('DT_AUTH_MISSING');
    expect(toToolkitError(ours)).toBe(ours);
    const range = new RangeError('out of range');
    expect(toToolkitError(range)).toMatchObject({
      code: 'DT_BUG_UNEXPECTED',
      message: 'Something failed that should not: out of range',
      cause: range,
      exitCode: 1,
    });
    for (const thrown of ['text', 5, null, undefined, { a: 1 }, Symbol('x')]) expect(toToolkitError(thrown).code).toBe('DT_BUG_UNEXPECTED');
  });
});
