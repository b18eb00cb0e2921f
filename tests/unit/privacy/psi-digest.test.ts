import { blake3 } from '@noble/hashes/blake3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizerOf } from '../../../src/privacy/psi/normalize-id.js';
import { IdDigester, maxIdBytes, type PackedIds, psiDigest } from '../../../src/privacy/psi/psi-digest.js';

const key = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);

const hexAt = (digests: Uint8Array, row: number): string => Buffer.from(digests.subarray(16 * row, 16 * row + 16)).toString('hex');

function pack(values: readonly Uint8Array[]): PackedIds {
  let end = 0;
  const ends = Uint32Array.from(values, (value) => {
    end += value.byteLength;
    return end;
  });
  return { bytes: Buffer.concat(values), ends };
}

const digestOf = (...columns: string[]): string =>
  hexAt(
    psiDigest(
      columns.map((column) => [column]),
      key,
    ),
    0,
  );
const same = (rule: string, a: string, b: string): boolean => {
  const options = { normalize: [rule] };
  return hexAt(psiDigest([[a]], key, options), 0) === hexAt(psiDigest([[b]], key, options), 0);
};

describe('digests of ids', () => {
  it('are the published keyed BLAKE3 values', () => {
    // From the test vectors of the BLAKE3 project: inputs 0, 1, 2 .. 250, 0 ..
    const published = Buffer.from('whats the Elvish word for friend');
    const vectors: readonly [number, string][] = [
      [1, '6d7878dfff2f485635d39013278ae14f'],
      [1023, 'c951ecdf03288d0fcc96ee3413563d8a'],
      [1024, '75c46f6f3d9eb4f55ecaaee480db732e'],
    ];
    const ids = pack(vectors.map(([length]) => Uint8Array.from({ length }, (_, i) => i % 251)));
    const digests = psiDigest([ids], published);
    vectors.forEach(([, expected], row) => {
      expect(hexAt(digests, row)).toBe(expected);
    });
  });

  it('are those of the reference for any bytes of any length, alone or four at a time, packed or as text', () => {
    const id = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 70 }),
      fc.integer({ min: 1, max: maxIdBytes }).map((n) => new Uint8Array(n).fill(n)),
    );
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 11 }), (ids) => {
        const digests = psiDigest([pack(ids)], key);
        ids.forEach((bytes, row) => {
          expect(hexAt(digests, row)).toBe(Buffer.from(blake3(bytes, { key, dkLen: 16 })).toString('hex'));
        });
      }),
      { numRuns: 60 },
    );
    const texts = ['abc', 'ü', '😀 emoji', 'Ωμέγα', '東京', 'a'.repeat(200)];
    const digests = psiDigest([texts], key);
    texts.forEach((text, row) => {
      expect(hexAt(digests, row)).toBe(Buffer.from(blake3(Buffer.from(text), { key, dkLen: 16 })).toString('hex'));
    });
  });

  it('do not depend on how the rows are cut into batches', () => {
    const ids = Array.from({ length: 9_000 }, (_, i) => `customer ${i} ${'x'.repeat(i % 150)}`);
    const digester = new IdDigester(1, key);
    for (let at = 0; at < ids.length; at += 1_234) digester.add([ids.slice(at, at + 1_234)]);
    expect(Buffer.from(digester.finish()).equals(Buffer.from(psiDigest([ids], key)))).toBe(true);
    const packed = pack(ids.map((id) => Buffer.from(id)));
    expect(Buffer.from(psiDigest([packed], key)).equals(Buffer.from(psiDigest([ids], key)))).toBe(true);
  });

  it('of an integer are those of its digits, in every kind of column', () => {
    const expected = digestOf('-42');
    for (const column of [Int32Array.of(-42), Float64Array.of(-42), BigInt64Array.of(-42n)]) {
      expect(hexAt(psiDigest([column], key), 0)).toBe(expected);
    }
    expect(hexAt(psiDigest([BigUint64Array.of(2n ** 64n - 1n)], key), 0)).toBe(digestOf('18446744073709551615'));
    expect(() => psiDigest([Float64Array.of(1, 1.5)], key)).toThrow(expect.objectContaining({ code: 'DT_PSI_ID' }));
    expect(() => psiDigest([Float64Array.of(2 ** 53)], key)).toThrow(expect.objectContaining({ code: 'DT_PSI_ID' }));
  });

  it('of several columns keep the columns apart', () => {
    const keys = [digestOf('ab', 'c'), digestOf('a', 'bc'), digestOf('abc'), digestOf('c', 'ab'), digestOf('ab', 'c', 'd')];
    expect(new Set(keys).size).toBe(keys.length);
    expect(hexAt(psiDigest([['ab'], Int32Array.of(7)], key), 0)).toBe(digestOf('ab', '7'));
  });

  it('differ under another key', () => {
    expect(hexAt(psiDigest([['a']], new Uint8Array(32)), 0)).not.toBe(digestOf('a'));
  });

  it('name row, column and reason of an id that cannot be one, and never its value', () => {
    const bad: readonly [readonly string[], string, RegExp][] = [
      [['a', ''], 'none', /row 2, column 1 .* is empty/],
      [['a', 'b', '  '], 'trim', /row 3, column 1 .* is empty/],
      [['a', '\ud800secret'], 'none', /row 2, column 1 .* broken text/],
      [['secret'.repeat(200)], 'none', /row 1, column 1 .* more than 1024 bytes/],
      [['é'.repeat(600)], 'none', /row 1, column 1 .* more than 1024 bytes/],
      [['a@b', 'secret'], 'mail', /row 2, column 1 .* no mail address/],
      [['+49 170 1', 'secret'], 'phone', /row 2, column 1 .* no phone number/],
    ];
    for (const [ids, rule, message] of bad) {
      expect(() => psiDigest([ids], key, { normalize: [rule] })).toThrow(message);
      expect(() => psiDigest([ids], key, { normalize: [rule] })).not.toThrow(/secret/);
    }
    const late = [...Array.from({ length: 9_999 }, (_, i) => `id ${i}`), ''];
    expect(() => psiDigest([late], key)).toThrow(/row 10000, column 1/);
    expect(() => psiDigest([pack([Buffer.from('a'), new Uint8Array(0)])], key)).toThrow(/row 2, column 1 .* is empty/);
    expect(() => psiDigest([{ bytes: new Uint8Array(3), ends: Uint32Array.of(2, 9) }], key)).toThrow(/outside of its column/);
    expect(() => psiDigest([{ bytes: new Uint8Array(3), ends: Uint32Array.of(2, 1) }], key)).toThrow(/outside of its column/);
    expect(() => psiDigest([['a'], ['b', 'c']], key)).toThrow(/equal length/);
  });
});

describe('normalization', () => {
  it('makes equal what the rule says, and nothing else', () => {
    expect(same('none', 'a', ' a')).toBe(false);
    expect(same('none', '\u00e9', 'e\u0301')).toBe(false);
    expect(same('trim', ' Ada  Lovelace\t', 'Ada Lovelace')).toBe(true);
    expect(same('trim', '\u00e9', 'e\u0301')).toBe(true);
    expect(same('trim', 'ada', 'Ada')).toBe(false);
    expect(same('fold', 'STRASSE', 'straße')).toBe(true);
    expect(same('fold', 'ΟΔΟΣ', 'οδος')).toBe(true);
    expect(same('fold', 'ada', 'adb')).toBe(false);
    expect(same('mail', ' Ada@Example.ORG', 'ada@example.org')).toBe(true);
    expect(same('mail', 'ada+x@example.org', 'ada@example.org')).toBe(false);
    expect(same('phone', '+49 (0170) 123-45.67', '004901701234567')).toBe(true);
    expect(same('phone', '0170 1234567', '+491701234567')).toBe(false);
    expect(same('phone:49', '0170 1234567', '+49 170 1234567')).toBe(true);
    expect(same('phone:49', '170/1234567', '0049 170 1234567')).toBe(true);
    expect(same('phone:41', '0170 1234567', '+49 170 1234567')).toBe(false);
  });

  it('applies to packed text and to each column by its own rule', () => {
    const options = { normalize: ['mail', 'none'] };
    const columns = [pack([Buffer.from('Ada@X.org')]), ['Z']] as const;
    expect(hexAt(psiDigest(columns, key, options), 0)).toBe(digestOf('ada@x.org', 'Z'));
    expect(() => psiDigest([['a']], key, options)).toThrow(/one rule for each column/);
  });

  it('changes nothing when it is applied twice', () => {
    for (const rule of ['trim', 'fold']) {
      const normalize = normalizerOf(rule);
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme' }), (text) => {
          const once = normalize?.(text) ?? '';
          expect(normalize?.(once)).toBe(once);
        }),
      );
    }
  });

  it('refuses a rule that is none', () => {
    expect(() => normalizerOf('upper')).toThrow(/none of none, trim/);
    expect(() => normalizerOf('phone:0')).toThrow(/none of none, trim/);
  });
});
