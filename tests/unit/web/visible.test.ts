import { describe, expect, it } from 'vitest';
import { visible } from '../../../web/src/ui/visible.js';

describe('code of strangers, as it is shown', () => {
  it.each([
    ['an override of the direction', "if (role !== 'user\u202e \u2066// only admins\u2069 \u2066') {", '⟦U+202E⟧'],
    ['a line end in a comment', '// harmless\u2028send(rows)', '// harmless⟦U+2028⟧send(rows)'],
    ['the end of a paragraph', '// harmless\u2029send(rows)', '⟦U+2029⟧'],
    ['a carriage return', '// harmless\rsend(rows)', '// harmless⟦U+000D⟧send(rows)'],
    ['letters without width', 'admin\u200b', 'admin⟦U+200B⟧'],
    ['an escape', 'a\u001b[2Jb', '⟦U+001B⟧'],
    ['letters of another plane', 'a\u{e0041}b', 'a⟦U+E0041⟧b'],
  ])('shows %s', (_, code, shown) => {
    expect(visible(code)).toContain(shown);
    expect(visible(code)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it.each(['const a = 1;\n\tb();\n', '数据 "naïve" 😀 Ω', ''])('leaves %j as it is', (code) => {
    expect(visible(code)).toBe(code);
  });

  it('takes both kinds of line ends for line ends', () => {
    expect(visible('a\r\nb\r\n')).toBe('a\nb\n');
    expect(visible('a\r')).toBe('a');
  });
});
