import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes32OfToken, parseAddress, parseBytes32, parseCounter, parseTokenId, tokenIdOf } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

describe('ids', () => {
  it('go from token to word and back', () => {
    fc.assert(
      fc.property(hex(64), (word) => {
        const id = parseTokenId(`dt:ownership:${word}`);
        expect(bytes32OfToken(id)).toBe(`0x${word}`);
        expect(tokenIdOf(bytes32OfToken(id))).toBe(id);
        expect(tokenIdOf(word.toUpperCase())).toBe(id);
      }),
    );
  });

  it('have one spelling: digests and addresses in lower case', () => {
    expect(parseBytes32(`0x${'AB'.repeat(32)}`)).toBe(`0x${'ab'.repeat(32)}`);
    expect(parseAddress('0xAbcdefabcdefabcdefabcdefabcdefabcdefABCD')).toBe('0xabcdefabcdefabcdefabcdefabcdefabcdefabcd');
  });

  const word = 'a'.repeat(64);
  it.each<[string, (value: unknown) => unknown, readonly unknown[]]>([
    [
      'token ids',
      (value) => parseTokenId(value),
      [
        `dt:ownership:${word.slice(1)}`,
        `dt:ownership:${word}a`,
        `dt:ownership:${word.toUpperCase()}`,
        `dt:ownership:0x${word}`,
        `${word}`,
        ` dt:ownership:${word}`,
        `dt:ownership:${word}\n`,
        `x\ndt:ownership:${word}`,
        '',
      ],
    ],
    [
      'digests',
      (value) => parseBytes32(value),
      [word, `0x${word.slice(1)}`, `0x${word}a`, `0X${word}`, `0x${word}\n`, `0x${'g'.repeat(64)}`],
    ],
    [
      'addresses',
      (value) => parseAddress(value),
      ['a'.repeat(40), `0x${'a'.repeat(39)}`, `0x${'a'.repeat(41)}`, `0x${'a'.repeat(40)}\n`, 'vitalik.eth'],
    ],
    [
      'counters',
      (value) => parseCounter(value, 'The job id'),
      ['0', '-1', '01', '1e3', '1.5', ' 1', '1\n', '0x1', 0, -1, 1.5, 2 ** 53, Number.NaN, 0n, -1n, '1'.repeat(20), '١'],
    ],
  ])('%s of another form are refused', (_, parse, bad) => {
    for (const value of [...bad, null, undefined, {}, [], ['1'], true, { toString: () => '1' }]) {
      expect(() => parse(value), JSON.stringify(typeof value === 'bigint' ? `${value}n` : value)).toThrowError(
        expect.objectContaining({ code: 'DT_INPUT_INVALID' }),
      );
    }
  });

  it('count from 1, beyond what a double holds', () => {
    expect(parseCounter('9223372036854775807', 'x')).toBe(9223372036854775807n);
    expect(parseCounter(Number.MAX_SAFE_INTEGER, 'x')).toBe(BigInt(Number.MAX_SAFE_INTEGER));
    expect(parseCounter(7n, 'x')).toBe(7n);
  });

  it('show what was given, shortened', () => {
    expect(() => parseTokenId('y'.repeat(5000), 'The child')).toThrowError(/^The child is not valid: expected .*y{100}"$/);
    expect(() => tokenIdOf('xyz')).toThrowError(ToolkitError);
  });
});
