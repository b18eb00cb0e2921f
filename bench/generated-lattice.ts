import { createHash } from 'node:crypto';
import { type Bytes32, parseBytes32, type TokenId } from '../src/documents/ids.js';
import { addressOf, type EventBody, organization, tokenOf, wordOf } from '../tests/support/generated-chain.js';

/** Sizes of a market: how many of each, and how many children a composite has. */
export interface LatticeSize {
  readonly leaves: number;
  readonly unions: number;
  readonly algorithms: number;
  readonly leavesOfUnion: number;
  readonly unionsOfAlgorithm: number;
}

/** 100,000 tokens and 500,000 grants at scale 1. */
export const latticeSize = (scale: number): LatticeSize => ({
  leaves: Math.round(70_000 * scale),
  unions: Math.round(20_000 * scale),
  algorithms: Math.round(10_000 * scale),
  leavesOfUnion: 20,
  unionsOfAlgorithm: 10,
});

const SECTORS = 100;
const TASKS = 100;
const JOBS = 200;
const ORGANIZATIONS = 200;

export interface Lattice {
  readonly events: readonly EventBody[];
  readonly tokens: readonly string[];
  /** By token: the composites that it went into. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  readonly composites: number;
  readonly grants: number;
}

/**
 * Organizations publish leaves; aggregators make unions of leaves of their sector, each fifth of them also of other unions; third parties make
 * algorithms of unions, and run some of them. Some leaves and unions are far more popular than others.
 */
export function generateLattice(size: LatticeSize): Lattice {
  const random = generator(1);
  const below = (limit: number): number => Math.floor(random() * limit);
  /** The first of a sector are the popular ones. */
  const popular = (count: number): number => Math.floor(count * random() ** 2);
  const events: EventBody[] = [];
  const tokens: string[] = [];
  const parents = new Map<string, string[]>();
  const children = new Map<string, readonly string[]>();
  /** Each id once in memory: there are a million mentions of them. */
  const ids = new Map<string, TokenId>();
  const idOf = (name: string): TokenId => {
    const id = ids.get(name) ?? tokenOf(name);
    ids.set(name, id);
    return id;
  };
  let grants = 0;
  for (let i = 0; i < ORGANIZATIONS; i++) events.push(organization(`organization ${i}`));
  const ownerOf = (i: number): string => `organization ${i % ORGANIZATIONS}`;
  const mint = (name: string, owner: string, from: readonly string[]): void => {
    tokens.push(name);
    if (from.length > 0) children.set(name, from);
    events.push({ kind: 'token-minted', token: idOf(name), owner: addressOf(owner), digest: wordOf(name), children: from.map(idOf) });
    for (const child of from) {
      const above = parents.get(child) ?? [];
      above.push(name);
      parents.set(child, above);
      events.push({ kind: 'granted', child: idOf(child), composite: idOf(name), until: 0 });
      grants += 1;
    }
    if (from.length > 0) events.push({ kind: 'activated', token: idOf(name) });
  };
  /** Different ones of a kind in a sector. */
  const pick = (kind: string, count: number, sector: number, all: number): readonly string[] => {
    const chosen = new Set<string>();
    const inSector = Math.floor(all / SECTORS);
    while (chosen.size < Math.min(count, inSector)) chosen.add(`${kind} ${sector + SECTORS * popular(inSector)}`);
    return [...chosen];
  };
  for (let i = 0; i < size.leaves; i++) mint(`leaf ${i}`, ownerOf(i), []);
  for (let i = 0; i < size.unions; i++) {
    const sector = i % SECTORS;
    const others = i % 5 === 0 ? pick('union', 4, sector, i) : [];
    mint(`union ${i}`, ownerOf(below(ORGANIZATIONS)), [
      ...others,
      ...pick('leaf', size.leavesOfUnion - others.length, sector, size.leaves),
    ]);
  }
  for (let i = 0; i < size.algorithms; i++)
    mint(`algorithm ${i}`, ownerOf(below(ORGANIZATIONS)), pick('union', size.unionsOfAlgorithm, below(SECTORS), size.unions));
  for (let task = 1; task <= TASKS; task++)
    events.push({ kind: 'task-created', task: BigInt(task), demander: addressOf(ownerOf(task)), name: `task ${task}`, description: '' });
  const leavesBelow = (name: string): readonly string[] =>
    (children.get(name) ?? [name]).flatMap((child) => (child === name ? [name] : leavesBelow(child)));
  for (let job = 1; job <= JOBS; job++) {
    const algorithm = `algorithm ${below(size.algorithms)}`;
    addJob(events, job, idOf(algorithm), [...new Set(leavesBelow(algorithm))].map(idOf));
  }
  return { events, tokens, parents, composites: size.unions + size.algorithms, grants };
}

/** A job with a report of each leaf, all under one root. */
function addJob(events: EventBody[], job: number, algorithm: TokenId, leaves: readonly TokenId[]): void {
  const [demander, reporter] = [addressOf(`organization ${job % ORGANIZATIONS}`), addressOf(`organization ${(job * 7) % ORGANIZATIONS}`)];
  const root = wordOf(`root ${job}`);
  events.push({ kind: 'job-added', job: BigInt(job), task: BigInt((job % TASKS) + 1), algorithm, demander });
  events.push({ kind: 'receipts-anchored', by: reporter, root, count: leaves.length });
  for (const token of leaves)
    events.push({ kind: 'job-reported', job: BigInt(job), token, state: 'succeeded', receipt: root, reporter, anchor: root });
}

/** What lies above a token, itself included. */
export function lineageOf({ parents }: Lattice, start: string): ReadonlySet<string> {
  const found = new Set([start]);
  for (const name of found) for (const parent of parents.get(name) ?? []) found.add(parent);
  return found;
}

/** Numbers from 0 to 1 that are the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const hashOfBlock = (block: number): Bytes32 => parseBytes32(`0x${createHash('sha256').update(`block ${block}`).digest('hex')}`);
