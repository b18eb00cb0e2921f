import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentLimits, parseJson } from '../../../src/documents/canonical.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';

function errorOf(source: string | Uint8Array): ToolkitError {
  try {
    parseJson(source, 'The file');
  } catch (error) {
    if (error instanceof ToolkitError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
const refusal = (source: string | Uint8Array): string => errorOf(source).message;

describe('parseJson', () => {
  it('reads text and bytes alike', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, indent) => {
        const source = JSON.stringify(value, null, indent);
        fc.pre(!source.includes('__proto__'));
        const expected = JSON.parse(source);
        expect(parseJson(source, 'x')).toEqual(expected);
        expect(parseJson(Buffer.from(source), 'x')).toEqual(expected);
      }),
    );
  });

  it('takes all that JSON allows', () => {
    const source = ' {"a" : [1e3, -0.5, "\\ud83d\\ude00", "x:y,\\"z\\":", null], "b:c": {}, "":true}\r\n';
    expect(parseJson(source, 'x')).toEqual({ a: [1000, -0.5, '😀', 'x:y,"z":', null], 'b:c': {}, '': true });
    expect(parseJson('"top"', 'x')).toBe('top');
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"\\u0061":2}',
    '{"x":{"a":1,"b":2,"a":3}}',
    '[{"a":1},{"a":1,"a":1}]',
    '{"":1,"":2}',
    '{"a:b":1,"a\\u003ab":1}',
    '{"\\"":1,"\\u0022":1}',
    '{"a\\/b":1,"a/b":1}',
    '{"😀":1,"\\ud83d\\ude00":1}',
    '{"a":{"a":{"a":1,"a":1}}}',
    '{"toString":1,"toString":2}',
  ])('refuses a key given twice: %s', (source) => {
    expect(refusal(source)).toBe('The file is not valid JSON: an object names the same key twice');
  });

  it('finds every key that is given twice, wherever it stands', () => {
    const key = fc.constantFrom('a', 'b', '"', ':', '\\', '', '{"x":1}');
    type Written = { readonly source: string; readonly twice: boolean };
    const written = fc.letrec<{ value: Written }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Written>({ source: '1', twice: false }, { source: '":"', twice: false }, { source: '"\\":"', twice: false }),
        fc
          .array(tie('value'), { maxLength: 3 })
          .map((items): Written => ({ source: `[${items.map((item) => item.source)}]`, twice: items.some((item) => item.twice) })),
        fc.array(fc.tuple(key, fc.boolean(), tie('value')), { maxLength: 3 }).map(
          (members): Written => ({
            source: `{${members.map(([name, escaped, item]) => `${escaped ? escapeAll(name) : JSON.stringify(name)}:${item.source}`)}}`,
            twice: new Set(members.map(([name]) => name)).size < members.length || members.some(([, , item]) => item.twice),
          }),
        ),
      ),
    })).value;
    fc.assert(
      fc.property(written, ({ source, twice }) => {
        if (twice) expect(refusal(source)).toContain('same key twice');
        else expect(parseJson(source, 'x')).toEqual(JSON.parse(source));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(['{"__proto__":{}}', '{"a":[{"__proto__":null}]}', '{"\\u005f_proto__":1}', '{"__proto__":1,"__proto__":2}'])(
    'refuses %s',
    (source) => {
      expect(refusal(source)).toContain('__proto__');
    },
  );

  it.each([
    ['', 'DT_INPUT_JSON'],
    [' ', 'DT_INPUT_JSON'],
    ['{', 'DT_INPUT_JSON'],
    ['{"a":1,}', 'DT_INPUT_JSON'],
    ["{'a':1}", 'DT_INPUT_JSON'],
    ['{"a":1} x', 'DT_INPUT_JSON'],
    ['// no\n{}', 'DT_INPUT_JSON'],
    ['NaN', 'DT_INPUT_JSON'],
    ['01', 'DT_INPUT_JSON'],
    ['"\u0000"', 'DT_INPUT_JSON'],
    ['undefined', 'DT_INPUT_JSON'],
  ])('refuses %j with %s', (source, code) => {
    expect(errorOf(source).code).toBe(code);
  });

  it('refuses numbers that a double cannot hold', () => {
    for (const source of ['1e309', '[-1e400]', '{"a":1e999}']) expect(refusal(source)).toContain('larger than a double');
    expect(parseJson('1e308', 'x')).toBe(1e308);
  });

  it('refuses halves of surrogate pairs, in values and in keys', () => {
    for (const source of ['"\\ud800"', '["\\udc00\\ud800"]', '{"\\ud83d":1}', '{"a":{"b":"x\\udfffy"}}'])
      expect(refusal(source)).toContain('surrogate');
  });

  it('refuses a byte order mark, in text and in bytes', () => {
    expect(refusal('\ufeff{}')).toContain('byte order mark');
    expect(refusal(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))).toContain('byte order mark');
    expect(refusal(Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]))).toContain('not UTF-8');
    expect(parseJson('"\ufeff"', 'x')).toBe('\ufeff');
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
    ['beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ])('refuses %s', (_, bytes) => {
    expect(refusal(Buffer.from(bytes))).toBe('The file is not valid JSON: it is not UTF-8');
  });

  it.each(['[', '{"a":'])('bounds the depth of %s', (open) => {
    const close = open === '[' ? ']' : '}';
    const nested = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
    expect(parseJson(nested(documentLimits.depth), 'x')).toBeDefined();
    for (const levels of [documentLimits.depth + 1, 1000, 500_000]) expect(errorOf(nested(levels)).code).toBe('DT_INPUT_TOO_LARGE');
    expect(errorOf(open.repeat(1_000_000)).code).toBe('DT_INPUT_JSON');
  });

  it('bounds the bytes, before anything is parsed', () => {
    const source = `"${'x'.repeat(documentLimits.bytes)}"`;
    for (const given of [
      source,
      Buffer.from(source),
      'ä'.repeat(documentLimits.bytes / 2 + 1),
      Buffer.alloc(documentLimits.bytes + 1, 0xff),
    ])
      expect(errorOf(given)).toMatchObject({ code: 'DT_INPUT_TOO_LARGE', exitCode: 2, httpStatus: 413 });
    expect(parseJson(`"${'x'.repeat(documentLimits.bytes - 2)}"`, 'x')).toHaveLength(documentLimits.bytes - 2);
  });

  it('bounds the number of values, and says so clearly and soon', () => {
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key_${i}`, i])));
    const start = performance.now();
    expect(refusal(wide)).toBe('The file has 10001 values, more than the limit of 8000.');
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(refusal(`[${'[],'.repeat(2_000_000)}1]`)).toContain('more than the limit of 8000');
    expect(parseJson(JSON.stringify(Array.from({ length: documentLimits.nodes - 1 }, () => 0)), 'x')).toHaveLength(
      documentLimits.nodes - 1,
    );
  });

  it('throws nothing but ToolkitErrors that name the source', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: 'binary' })), (source) => {
        try {
          parseJson(source, 'The file');
        } catch (error) {
          expect(error).toBeInstanceOf(ToolkitError);
          expect((error as ToolkitError).message).toContain('The file');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const escapeAll = (name: string): string =>
  `"${[...Array(name.length).keys()].map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
