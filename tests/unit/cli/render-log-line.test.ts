import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderLogLine } from '../../../src/cli/render-log-line.js';

const time = new Date(2026, 10, 29, 9, 5, 7).getTime();
const line = (fields: object): string => renderLogLine(JSON.stringify({ time, pid: 1, hostname: 'h', ...fields }));
const plain = (fields: object): string => stripVTControlCharacters(line(fields));

describe('a line of the log on a terminal', () => {
  it('says when, how grave, what, and to what', () => {
    expect(plain({ level: 30, msg: 'the daemon listens' })).toBe('09:05:07 info  the daemon listens\n');
    expect(plain({ level: 40, url: 'http://x', count: 2, peers: ['a'], msg: 'm' })).toBe(
      "09:05:07 warn  m  url: http://x  count: 2  peers: [ 'a' ]\n",
    );
  });

  it('has the code, the message and the hint of an error, and no stack', () => {
    const err = { type: 'ToolkitError', code: 'DT_X', message: 'broken', hint: 'mend it', stack: 'at x.ts:1' };
    expect(plain({ level: 50, err, msg: 'm' })).toBe('09:05:07 error m  code: DT_X  problem: broken  next: mend it\n');
    expect(plain({ level: 50, err: { message: 'plain' }, msg: 'm' })).toBe('09:05:07 error m  problem: plain\n');
  });

  it('has nothing of a stranger that a terminal would obey', () => {
    const shown = line({ level: 40, claims: 'a\u001b[2J\r\nb\u202e', more: { deep: '\u001b]0;x\u0007' }, msg: 'm' });
    expect(stripVTControlCharacters(shown).trimEnd()).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(shown).not.toContain('\u001b[2J');
  });
});
