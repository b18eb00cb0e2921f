import { keccak256 } from 'ethers/crypto';
import type { Bytes32 } from '../ids.js';

export interface MerkleTree {
  readonly root: Bytes32;
  /** For each digest, in the order given: the siblings on its way up to the root. */
  readonly proofs: readonly (readonly Bytes32[])[];
}

/**
 * The tree that contracts/receipts/Receipts.sol verifies against: StandardMerkleTree of OpenZeppelin over ["bytes32"]. Leaves are hashed
 * twice, so that no inner node passes for one; pairs are hashed in ascending order, so that a proof needs no directions.
 */
export function merkleTree(digests: readonly Bytes32[]): MerkleTree {
  const leaves = digests.map((digest, index) => ({ hash: leafHash(digest), index })).sort((a, b) => (a.hash < b.hash ? -1 : 1));
  // The children of node i are 2i + 1 and 2i + 2; the leaves lie at the end, the last one first.
  const last = 2 * leaves.length - 2;
  const nodes: Bytes32[] = [];
  const places: number[] = [];
  for (const [rank, { hash, index }] of leaves.entries()) {
    nodes[last - rank] = hash;
    places[index] = last - rank;
  }
  for (let i = leaves.length - 2; i >= 0; i--) nodes[i] = pairHash(nodes[2 * i + 1] as Bytes32, nodes[2 * i + 2] as Bytes32);
  const [root] = nodes;
  if (root === undefined) throw new RangeError('a Merkle tree needs a leaf');
  return { root, proofs: places.map((place) => siblings(nodes, place)) };
}

/** The root that a proof leads to. It proves the receipt when that root is anchored. */
export const provenRoot = (digest: Bytes32, proof: readonly Bytes32[]): Bytes32 => proof.reduce(pairHash, leafHash(digest));

function siblings(nodes: readonly Bytes32[], place: number): readonly Bytes32[] {
  const proof: Bytes32[] = [];
  for (let i = place; i > 0; i = (i - 1) >> 1) proof.push(nodes[i % 2 === 0 ? i - 1 : i + 1] as Bytes32);
  return proof;
}

const leafHash = (digest: Bytes32): Bytes32 => keccak256(keccak256(digest)) as Bytes32;
const pairHash = (a: Bytes32, b: Bytes32): Bytes32 => keccak256(a < b ? `${a}${b.slice(2)}` : `${b}${a.slice(2)}`) as Bytes32;
