import { base16 } from 'multiformats/bases/base16';
import { bases, CID } from 'multiformats/basics';
import { describe, expect, it } from 'vitest';
import { carOf } from '../../../src/content-store/car.js';
import { cidOf } from '../../../src/content-store/cid.js';
import { digestOfCid } from '../../../src/content-store/digest-of-cid.js';
import { sha256 } from '../../../src/documents/canonical.js';

// Published by kubo for "hello world\n" added with --cid-version 1 --raw-leaves.
const HELLO = Buffer.from('hello world\n');
const HELLO_CID = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4';

describe('content ids', () => {
  it('are those of IPFS', () => {
    expect(cidOf(sha256(HELLO))).toBe(HELLO_CID);
    expect(cidOf(sha256(Buffer.alloc(0)))).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');
    expect(digestOfCid(HELLO_CID)).toBe(sha256(HELLO));
  });

  it('are read in every base', () => {
    const { bytes } = CID.parse(HELLO_CID);
    const spellings = Object.values(bases).map((base) => base.encoder.encode(bytes));
    expect(new Set(spellings).size).toBeGreaterThan(15);
    for (const text of spellings) expect(digestOfCid(text), text).toBe(sha256(HELLO));
  });

  it('are refused when they are of anything but a whole document', () => {
    const { bytes, multihash } = CID.parse(HELLO_CID);
    const other = (change: (copy: Uint8Array) => void) => {
      const copy = Uint8Array.from(bytes);
      change(copy);
      return base16.encode(copy);
    };
    const refused: unknown[] = [
      'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o',
      CID.createV1(0x70, multihash).toString(),
      CID.createV1(0x0129, multihash).toString(),
      other((copy) => {
        copy[0] = 2;
      }),
      other((copy) => {
        copy[2] = 0x16;
      }),
      base16.encode(bytes.subarray(0, 35)),
      base16.encode(Buffer.concat([bytes, Buffer.of(0)])),
      base16.encode(Buffer.concat([Buffer.of(1, 0x55, 0x12, 31), bytes.subarray(4, 35)])),
      'bafkqaaa',
      `${HELLO_CID}a`,
      HELLO_CID.slice(0, -1),
      HELLO_CID.replace('f', '1'),
      `/ipfs/${HELLO_CID}`,
      '../../etc/passwd',
      '',
      'b'.repeat(10_000),
      7,
      undefined,
      null,
    ];
    for (const text of refused) {
      expect(() => digestOfCid(text), String(text).slice(0, 80)).toThrow(expect.objectContaining({ code: 'DT_INPUT_INVALID' }));
    }
  });
});

describe('CAR files', () => {
  // Written by @ipld/car 5.4.7 for the same three blocks.
  const PREFIX = '3aa265726f6f747381d82a58250001551220';
  const cases: [string, Buffer, string][] = [
    ['a document', HELLO, `6776657273696f6e013001551220${sha256(HELLO).slice(2)}${HELLO.toString('hex')}`],
    ['an empty one', Buffer.alloc(0), `6776657273696f6e012401551220${sha256(Buffer.alloc(0)).slice(2)}`],
    [
      'one whose length takes two bytes',
      Buffer.alloc(200, 'x'),
      `6776657273696f6e01ec0101551220${sha256(Buffer.alloc(200, 'x')).slice(2)}${'78'.repeat(200)}`,
    ],
  ];
  for (const [name, bytes, rest] of cases) {
    it(`of ${name} has the bytes of the reference library`, () => {
      const digest = sha256(bytes);
      expect(carOf(digest, bytes).toString('hex')).toBe(`${PREFIX}${digest.slice(2)}${rest}`);
    });
  }
});
