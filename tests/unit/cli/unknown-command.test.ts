import { describe, expect, it } from 'vitest';
import { unknownCommand } from '../../../src/cli/unknown-command.js';

const known = [
  { id: 'demo', flags: ['data'] },
  { id: 'asset:list', flags: [] },
  { id: 'asset:show', flags: ['dt', 'format'] },
  { id: 'job:list', flags: [] },
  { id: 'job:status', flags: ['dt'] },
  { id: 'tracer:verify', flags: [] },
];

describe('unknownCommand', () => {
  it.each([
    ['jobs list', 'Did you mean `dt job list`?'],
    ['job statsu 1', 'Did you mean `dt job status`?'],
    ['jobs', 'Did you mean `dt job`?'],
    ['dmeo --keep', 'Did you mean `dt demo`?'],
    ['verify 1', 'Did you mean `dt tracer verify`?'],
    ['list --json', 'Did you mean `dt asset list` or `dt job list`?'],
    ['job frobnicate', 'Run `dt job --help` to see its commands.'],
    ['frobnicate', 'Run `dt --help` to see what there is.'],
    ['help', 'Write `dt --help`.'],
    ['help job list', 'Write `dt job list --help`.'],
    ['version', 'Write `dt --version`.'],
  ])('dt %s: %s', (typed, advice) => {
    expect(unknownCommand(typed.split(' '), known)).toMatchObject({ code: 'DT_INPUT_COMMAND', hint: advice });
  });

  it('tells the flags of a command that takes nothing else', () => {
    const error = unknownCommand(['asset', 'show', '@bank-a', '--json'], known);
    expect(error).toMatchObject({ code: 'DT_INPUT_ARGUMENT', message: '`dt asset show` takes flags only.' });
    expect(error.hint).toBe('Its flags: --dt, --format. `dt asset show --help` says what they mean.');
    expect(unknownCommand(['asset', 'list', 'x'], known).hint).toContain('none of its own');
  });

  it('repeats two words at most, and no value of a flag', () => {
    expect(unknownCommand(['key', 'improt', 'secret'], known).message).not.toContain('secret');
    expect(unknownCommand(['--private_key=secret'], known).message).toBe('There is no command `dt --private_key`.');
  });
});
