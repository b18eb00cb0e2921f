import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes32, parseBytes32 } from '../../../src/documents/ids.js';
import { merkleTree, provenRoot } from '../../../src/documents/receipt/merkle.js';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => parseBytes32(`0x${Buffer.from(bytes).toString('hex')}`));
const digests = fc.uniqueArray(digest, { minLength: 1, maxLength: 40 });

// From StandardMerkleTree of @openzeppelin/merkle-tree 1.0.8 over the words 1, 2, …: leaves, root, proof of the first.
const vectors: readonly (readonly [number, string, readonly string[]])[] = [
  [1, '0xb5d9d894133a730aa651ef62d26b0ffa846233c74177a591a4a896adfda97d22', []],
  [
    3,
    '0x6115218373392d12cc18a3d50ad2a53a2c99b391060070dfc0ebbbbe158ec944',
    ['0x673620737675e2755ce8269a99904022d15da8d5843f5aec205cd243ff80240a'],
  ],
  [
    10,
    '0x9b36ae2dda203c859b8c627d14b71b9d616eb1f5f0f6a95aa693b8b5ee392d8e',
    [
      '0xaef723aaf2a9471d0444688035cd22ee9e9408f4d3390ce0a2a80b76aeab390a',
      '0x001d466ef0f65d271718ec57ce87ecce49b08d3eac2d39d9e8af7f27ae825575',
      '0x9073e0f4474227471fe93b6121055556b817d9aab76706cad1c2097d5a26315a',
    ],
  ],
];

describe('Merkle trees of receipts', () => {
  it('prove each receipt, with as few hashes as a tree of that size needs', () => {
    fc.assert(
      fc.property(digests, (list) => {
        const { root, proofs } = merkleTree(list);
        for (const [index, each] of list.entries()) {
          expect(provenRoot(each, proofs[index]!)).toBe(root);
          expect(proofs[index]!.length).toBeLessThanOrEqual(Math.ceil(Math.log2(list.length)));
        }
      }),
    );
  });

  it('prove nothing when one bit of digest or proof is another', () => {
    fc.assert(
      fc.property(digests, fc.nat(), fc.nat(), (list, place, bit) => {
        const { root, proofs } = merkleTree(list);
        const index = place % list.length;
        const words = [list[index]!, ...proofs[index]!];
        const [changed, ...proof] = words.map((word, i) => (i === bit % words.length ? flipped(word, bit % 256) : word));
        expect(provenRoot(changed!, proof)).not.toBe(root);
      }),
    );
  });

  it('prove nothing with a hash too few or too many, nor an inner node as a receipt', () => {
    fc.assert(
      fc.property(fc.uniqueArray(digest, { minLength: 2, maxLength: 20 }), digest, (list, extra) => {
        const { root, proofs } = merkleTree(list);
        expect(provenRoot(list[0]!, proofs[0]!.slice(1))).not.toBe(root);
        expect(provenRoot(list[0]!, [...proofs[0]!, extra])).not.toBe(root);
        expect(provenRoot(root, [])).not.toBe(root);
      }),
    );
  });

  it('do not depend on the order of the receipts', () => {
    fc.assert(fc.property(digests, (list) => merkleTree([...list].reverse()).root === merkleTree(list).root));
  });

  it.each(vectors)('are those of OpenZeppelin, %s leaves', (count, root, first) => {
    const list = Array.from({ length: count }, (_, i) => parseBytes32(`0x${(i + 1).toString(16).padStart(64, '0')}`));
    const tree = merkleTree(list);
    expect(tree.root).toBe(root);
    expect(tree.proofs[0]).toEqual(first);
  });

  it('need a receipt', () => {
    expect(() => merkleTree([])).toThrow(RangeError);
  });
});

function flipped(word: Bytes32, bit: number): Bytes32 {
  return parseBytes32(`0x${(BigInt(word) ^ (1n << BigInt(bit))).toString(16).padStart(64, '0')}`);
}
