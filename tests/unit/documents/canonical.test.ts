import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes, digestOf, inspectJson, isObject, type Json, pointer, sha256 } from '../../../src/documents/canonical.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';

const text = (value: unknown): string => Buffer.from(canonicalBytes(value)).toString('utf8');
const double = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE();
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof ToolkitError ? error.code : String(error);
  }
  return 'no error';
};

describe('RFC 8785', () => {
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('appendix B: the double %s is written %s', (hex, expected) => {
    expect(text(double(hex))).toBe(expected);
  });

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('appendix B: the double %s is an error', (hex) => {
    expect(codeOf(() => canonicalBytes(double(hex)))).toBe('DT_DOCUMENT_INVALID');
  });

  it('sections 3.2.2 and 3.2.4: primitive values, to the byte', () => {
    const source = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    const expected =
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c' +
      '31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d';
    expect(Buffer.from(canonicalBytes(JSON.parse(source))).toString('hex')).toBe(expected);
  });

  it('section 3.2.3: keys are sorted by UTF-16 units', () => {
    const source = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
      "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
    const values = text(JSON.parse(source)).match(/(?<=:")[^"]+/g);
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('sorts numbers-like keys as text, and at every level', () => {
    expect(text({ b: { '10': 1, '9': 2, '1': 3 }, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":{"1":3,"10":1,"9":2}}');
  });

  it('escapes what has to be, and nothing else', () => {
    expect(text('\b\t\n\f\r\u0000\u001f\u007f\u2028"\\/<é')).toBe('"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f\u2028\\"\\\\/<é"');
  });
});

describe('canonicalBytes', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    ['undefined in a list', [undefined]],
    ['a hole', Object.assign([1], { length: 2 })],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['NaN', { a: [Number.NaN] }],
    ['infinity', Number.NEGATIVE_INFINITY],
    ['a lone high surrogate', 'a\ud800'],
    ['a lone low surrogate', '\udc00a'],
    ['surrogates in the wrong order', '\udc00\ud800'],
    ['a lone surrogate in a key', { '\ud800': 1 }],
    ['a date', new Date()],
    ['a map', new Map([['a', 1]])],
    ['bytes', Buffer.from('x')],
    ['a boxed number', Object(1)],
  ])('refuses %s instead of writing something else', (_, value) => {
    expect(codeOf(() => canonicalBytes(value))).toBe('DT_DOCUMENT_INVALID');
    expect(codeOf(() => digestOf({ deep: [value] }))).toBe('DT_DOCUMENT_INVALID');
  });

  it('refuses depth that would end the stack', () => {
    let deep: Json = [];
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(codeOf(() => canonicalBytes(deep))).toBe('DT_DOCUMENT_INVALID');
  });

  it('ignores what an object inherits, and takes one without prototype', () => {
    expect(text(Object.create(null, { a: { value: 1, enumerable: true } }))).toBe('{"a":1}');
    expect(text(JSON.parse('{"constructor":1,"toString":2}'))).toBe('{"constructor":1,"toString":2}');
  });

  const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).map((value) => value as Json);

  it('is the same for every order of keys', () => {
    const shuffled = (value: Json): fc.Arbitrary<Json> => {
      if (Array.isArray(value)) return fc.tuple(...(value as readonly Json[]).map(shuffled));
      if (!isObject(value)) return fc.constant(value);
      const entries = fc.tuple(...Object.entries(value).map(([key, inner]) => shuffled(inner).map((item): [string, Json] => [key, item])));
      return entries
        .chain((members) => fc.shuffledSubarray(members, { minLength: members.length, maxLength: members.length }))
        .map((members) => Object.fromEntries(members));
    };
    fc.assert(
      fc.property(
        json.chain((value) => fc.tuple(fc.constant(value), shuffled(value))),
        ([value, other]) => {
          expect(text(other)).toBe(text(value));
          expect(digestOf(other)).toBe(digestOf(value));
        },
      ),
    );
  });

  it('tells every two different values apart', () => {
    // The judge is a form of its own, in which every value carries its type.
    const near = (value: Json): fc.Arbitrary<Json> =>
      fc.oneof(json, fc.constant(value), fc.constant<Json>([value]), fc.constant<Json>({ a: value }));
    fc.assert(
      fc.property(
        json.chain((value) => fc.tuple(fc.constant(value), near(value))),
        ([a, b]) => {
          const equal = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
          expect(text(a) === text(b)).toBe(equal);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each<[Json, Json]>([
    [null, 'null'],
    [0, '0'],
    [0, false],
    ['', null],
    [[], {}],
    [[[]], []],
    [{ a: {} }, { a: [] }],
    [{ a: null }, {}],
    [['a,b'], ['a', 'b']],
    [{ a: 1, b: 2 }, { 'a":1,"b': 2 }],
    ['é', 'e\u0301'],
    [{ '0': 'a' }, ['a']],
  ])('%j and %j differ', (a, b) => {
    expect(text(a)).not.toBe(text(b));
  });

  it('can be read back, and comes out the same', () => {
    fc.assert(fc.property(json, (value) => text(JSON.parse(text(value))) === text(value)));
  });
});

const sorted = (value: Json): unknown =>
  Array.isArray(value)
    ? ['list', ...(value as readonly Json[]).map(sorted)]
    : isObject(value)
      ? [
          'object',
          ...Object.keys(value)
            .sort()
            .map((key) => [key, sorted(value[key] ?? null)]),
        ]
      : [typeof value, Object.is(value, -0) ? 0 : value];

describe('inspectJson', () => {
  it('counts values and keys', () => {
    expect(inspectJson({ a: [1, 2], b: {} })).toEqual({ nodes: 5, keys: 2, tooDeep: false });
  });

  it('agrees with canonicalBytes about what JSON can carry', () => {
    fc.assert(
      fc.property(
        fc.anything({ maxDepth: 3, withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withTypedArray: true }),
        (value) => {
          const { flaw } = inspectJson(value);
          if (flaw !== 'an object has the key __proto__')
            expect(codeOf(() => canonicalBytes(value))).toBe(flaw === undefined ? 'no error' : 'DT_DOCUMENT_INVALID');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('digests and pointers', () => {
  it('are sha2-256', () => {
    expect(sha256(Buffer.from('abc'))).toBe('0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(digestOf({ b: 1, a: 2 })).toBe(`0x${createHash('sha256').update('{"a":2,"b":1}').digest('hex')}`);
  });

  it('are those of RFC 6901', () => {
    expect(pointer('foo', 0, 'a/b', 'm~n', '~1', '')).toBe('/foo/0/a~1b/m~0n/~01/');
    const reversed = (text: string): string[] =>
      text
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (keys) => {
        expect(reversed(pointer(...keys))).toEqual(keys);
      }),
    );
  });
});
