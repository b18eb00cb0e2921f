import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderCheck } from '../../../src/cli/render-clauses.js';
import { renderError } from '../../../src/cli/render-error.js';
import { paintGrant } from '../../../src/cli/render-state.js';
import { renderFields, renderTable } from '../../../src/cli/render-table.js';
import { printable, printableLines, renderDuration, renderSize, renderTime, shortId, widthOf } from '../../../src/cli/render-text.js';
import { renderTree } from '../../../src/cli/render-tree.js';
import type { Clause } from '../../../src/documents/decision/decision.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';

const plain = stripVTControlCharacters;

describe('text of strangers', () => {
  it('loses escape sequences, control characters and changes of direction, and keeps the rest', () => {
    expect(printable('\u001b[31mred\u001b[0m')).toBe('red');
    expect(printable('\u001b]0;title\u0007name')).toBe('name');
    expect(printable('a\r\nb\u0008c\u009b2Jd')).not.toMatch(/[\p{Cc}]/u);
    expect(printable('pay \u202eeur\u202c')).toBe('pay  eur ');
    expect(printable('Crédit 银行 عربي 👍🏽')).toBe('Crédit 银行 عربي 👍🏽');
  });

  it('never holds what a terminal would obey', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\u001b', '[', ']', '3', 'm', 'J', '\u0007', '\r', '\n', '\u009b', '\u202e', 'x', ';') }),
        (text) => {
          expect(printable(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
          for (const line of printableLines(text)) expect(line).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });

  it('is split at every kind of line end, so that a progress bar becomes lines', () => {
    expect(printableLines('10 %\r20 %\r\ndone\n')).toEqual(['10 %', '20 %', 'done']);
    expect(printableLines('')).toEqual(['']);
  });
});

describe('figures', () => {
  it('are short and have their unit', () => {
    expect([0, 999, 1000, 59_949, 60_000, 3_599_400, 3_600_000].map(renderDuration)).toEqual([
      '0 ms',
      '999 ms',
      '1.0 s',
      '59.9 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
    ]);
    expect([0, 999, 1000, 1_500_000, 2e12, 5e15].map(renderSize)).toEqual(['0 B', '999 B', '1.0 kB', '1.5 MB', '2.0 TB', '5000.0 TB']);
    expect(renderTime(0)).toBe('1970-01-01 00:00:00Z');
    expect(renderTime('2026-01-02T03:04:05.678Z')).toBe('2026-01-02 03:04:05Z');
    expect(renderTime('not a time')).toBe('not a time');
    expect(renderTime(undefined)).toBe('');
    expect(shortId(`dt:ownership:${'ab'.repeat(32)}`)).toBe('dt:ownership:abababab…');
    expect(plain(paintGrant('live', 0))).toBe('granted');
    expect(plain(paintGrant('expired', 1))).toBe('expired 1970-01-01 00:00:01Z');
  });
});

describe('tables and trees', () => {
  it('align what is coloured and what is wide, and leave out empty columns', () => {
    const rows = [
      { name: '银行', count: 5, none: '' },
      { name: '\u001b[31mred\u001b[39m', count: 1234, none: '' },
    ];
    const table = renderTable(rows, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'COUNT', cell: ({ count }) => String(count), align: 'right' },
      { title: 'NONE', cell: ({ none }) => none },
    ]);
    expect(plain(table).split('\n')).toEqual(['NAME  COUNT', '银行      5', 'red    1234']);
    expect(widthOf('银行')).toBe(4);
    expect(
      plain(
        renderFields([
          ['a', '1'],
          ['longer', '2'],
          ['none', undefined],
        ]),
      ),
    ).toBe('  a       1\n  longer  2');
  });

  it('draw every branch, also below items of several lines', () => {
    const leaf = (text: string) => ({ text, below: [] });
    const tree = renderTree({
      text: 'root\nsecond line',
      below: [
        { text: 'one', below: [leaf('two\nmore'), leaf('three')] },
        { text: 'four', below: [leaf('five')] },
      ],
    });
    expect(plain(tree).split('\n')).toEqual([
      'root',
      '│  second line',
      '├─ one',
      '│  ├─ two',
      '│  │     more',
      '│  └─ three',
      '└─ four',
      '   └─ five',
    ]);
  });
});

describe('conditions and errors', () => {
  const id = `dt:ownership:${'ab'.repeat(32)}`;
  const passed: Clause = { of: id, by: id, pointer: '/a', rule: 'any', passed: true, offered: 1 };
  const failed: Clause = { of: id, by: id, pointer: '/b', rule: 'equals', required: 0, offered: '0', passed: false, wouldPass: '0' };

  it('shows the failed conditions last, above the verdict', () => {
    const lines = plain(renderCheck({ dt: id as never, allowed: false, clauses: [failed, passed] })).split('\n');
    expect(lines).toEqual([
      '  ✓ any dt:ownership:abababab… /a offered 1',
      '  ✗ equals dt:ownership:abababab… /b required 0 offered "0" would pass: 0',
      '✗ denied: 1 of 2 conditions are not met',
    ]);
    expect(plain(renderCheck({ dt: id as never, allowed: true, clauses: [passed] }))).toMatch(/✓ allowed: all 1 conditions are met$/);
  });

  it('shows each condition of a refusal, and survives details of any shape', () => {
    const denied = (clauses: unknown) =>
      plain(renderError(new ToolkitError('DT_POLICY_DENIED', { id, count: 1, summary: 's', clauses }), false));
    expect(denied([failed])).toMatch(/^✗ One condition is not met\. DT_POLICY_DENIED\n {2}✗ equals .*\n {2}→ /);
    for (const odd of [undefined, 'text', [null, 1, {}, { of: 1 }], [{ of: 'x\u001b[2J', pointer: '/', rule: 'any' }]])
      expect([denied(odd).includes('\u001b'), denied(odd)]).toEqual([
        false,
        expect.stringMatching(/^✗ [\s\S]*DT_POLICY_DENIED\n[\s\S]*→ /),
      ]);
  });

  it('keeps the lines of a message together, without what a terminal would obey', () => {
    const error = new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: 'exit code 1', log: 'one\n\u001b[2Jtwo' });
    expect(plain(renderError(error, false)).split('\n').slice(0, 3)).toEqual([
      '✗ The operator ended with exit code 1. Its last lines: one',
      '  two',
      '  DT_JOB_OPERATOR_FAILED',
    ]);
    expect(renderError(error, false)).not.toContain('\u001b[2J');
  });

  it('shows the cause only when asked to', () => {
    const error = new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'x' }, new Error('deeper'));
    expect(renderError(error, false)).not.toContain('deeper');
    expect(renderError(error, true)).toContain('deeper');
  });

  it('cuts values that would fill the screen', () => {
    const long: Clause = { ...failed, offered: 'x'.repeat(10_000) };
    expect(plain(renderCheck({ dt: id as never, allowed: false, clauses: [long] })).length).toBeLessThan(500);
  });
});
