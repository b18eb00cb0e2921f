import { describe, expect, it } from 'vitest';
import { cidOf as daemonCid } from '../../../src/content-store/cid.js';
import { sha256 } from '../../../src/documents/canonical.js';
import { cidOf } from '../../../web/src/api/cid.js';
import { lineDiff } from '../../../web/src/pages/requests/line-diff.js';

const shown = (before: string, after: string): string =>
  lineDiff(before, after)
    .map(({ kind, text }) => ({ same: ' ', added: '+', removed: '-' })[kind] + text)
    .join('|');

describe('the difference between two codes', () => {
  it('keeps what is common and tells the rest apart', () => {
    expect(shown('a\nb\nc', 'a\nb\nc')).toBe(' a| b| c');
    expect(shown('a\nb\nc', 'a\nx\nc')).toBe(' a|-b|+x| c');
    expect(shown('', 'a')).toBe('-|+a');
    expect(shown('a\nb\nc\nd\ne', 'b\nc\nnew\nd')).toBe('-a| b| c|+new| d|-e');
  });

  it('gives both texts back, whatever they are', () => {
    const lines = (seed: number): string => Array.from({ length: 40 }, (_, i) => `${(i * seed) % 7}`).join('\n');
    for (let seed = 1; seed < 12; seed += 1) {
      const diff = lineDiff(lines(seed), lines(seed + 3));
      const side = (kind: string): string => diff.flatMap((line) => (line.kind === kind ? [] : [line.text])).join('\n');
      expect(side('added')).toBe(lines(seed));
      expect(side('removed')).toBe(lines(seed + 3));
    }
  });

  it('of very long ones is told as a whole', () => {
    const many = (word: string): string => Array.from({ length: 3000 }, (_, i) => `${word}${i}`).join('\n');
    const diff = lineDiff(many('a'), many('b'));
    expect(diff.filter(({ kind }) => kind === 'removed')).toHaveLength(3000);
    expect(diff).toHaveLength(6000);
  });
});

it('the page names documents as the daemon does', () => {
  for (const text of ['', 'a', 'document']) expect(cidOf(sha256(Buffer.from(text)))).toBe(daemonCid(sha256(Buffer.from(text))));
});
