import { ToolkitError } from '../../errors/toolkit-error.js';
import { messageHeaderBytes } from '../message-link.js';
import { codeBits, KkrtFunctions, type KkrtPlan, kkrtPlan, maxPlacements, regions, tagsPerMessage } from './kkrt-plan.js';
import { MaskedRows } from './masked-rows.js';
import type { PsiSession } from './psi-session.js';
import { obtainSeedPairs } from './seed-ot.js';

/** Moves of other items that one item may cause before the placement counts as failed; a usual maximum is below 100. */
const maxMoves = 20_000;

/**
 * The receiving end of the protocol in kkrt-plan. digests: offset in memory of `count` distinct digests of 16 bytes. peerCount: items of the
 * sender. Returns for each item its place in the sender's order plus one, or zero where the sender does not have it.
 * obtainSeeds: where the seeds of the columns come from; oblivious transfer unless something else deals them.
 */
export function kkrtReceive(
  session: PsiSession,
  digests: number,
  count: number,
  peerCount: number,
  obtainSeeds = obtainSeedPairs,
): Promise<Uint32Array> {
  return new KkrtReceiver(session, digests, count, peerCount).run(obtainSeeds);
}

/**
 * Puts every item into one of its three bins. table: u32 a bin, zero at the start, the item + 1 afterwards. Returns which hash functions it
 * took.
 */
export function placeItems(
  { memory, clock }: PsiSession,
  functions: KkrtFunctions,
  items: { readonly digests: number; readonly count: number },
  bins: number,
  table: number,
): number {
  return clock.run('encoding', () => {
    const mark = memory.mark();
    const locations = memory.allocate(12 * items.count);
    for (let attempt = 0; attempt < maxPlacements; attempt++) {
      functions.locate(locations, items.digests, items.count, bins, attempt);
      if (memory.kernels.cuckoo(table, locations, items.count, bins, maxMoves, 0x9e3779b9) === 1) {
        memory.release(mark);
        return attempt;
      }
      memory.bytes(table, 4 * regions * bins).fill(0);
    }
    // 2^-40 to the power of 16 for distinct digests.
    throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'the ids could not be placed' });
  });
}

/** Tells the sender which hash functions place the items. */
export function sendPlacement({ link }: PsiSession, attempt: number): Promise<void> {
  const message = new Uint8Array(messageHeaderBytes + 1);
  message[messageHeaderBytes] = attempt;
  return link.send('psiLocations', message);
}

class KkrtReceiver {
  private readonly plan: KkrtPlan;
  private readonly functions: KkrtFunctions;
  private readonly slots: number;
  private readonly at: ReturnType<KkrtReceiver['allocate']>;
  private readonly rows: MaskedRows;
  /** Regions whose tags this side knows. */
  private known = 0;

  constructor(
    private readonly session: PsiSession,
    private readonly digests: number,
    private readonly count: number,
    private readonly peerCount: number,
  ) {
    this.plan = kkrtPlan(count, peerCount);
    this.functions = new KkrtFunctions(session);
    this.slots = 2 ** Math.ceil(Math.log2(2 * Math.min(count, this.plan.bins)));
    this.at = this.allocate();
    this.rows = new MaskedRows(session, this.functions, this.plan.bins);
  }

  async run(obtainSeeds: typeof obtainSeedPairs): Promise<Uint32Array> {
    const { session, functions, digests, count, plan, at } = this;
    let attempt = 0;
    const seeds = await obtainSeeds(session, codeBits, () => {
      attempt = placeItems(session, functions, { digests, count }, plan.bins, at.table);
    });
    await sendPlacement(session, attempt);
    const content = { table: at.table, digests, tags: at.tags };
    await Promise.all([
      this.rows.send(seeds, content, (region) => {
        this.known = region + 1;
      }),
      this.receiveTags(),
    ]);
    return session.memory.indexes(at.matches, count).slice();
  }

  private allocate() {
    const { memory } = this.session;
    const { bins, tagBytes } = this.plan;
    return {
      table: memory.allocate(4 * regions * bins),
      tags: memory.allocate(16 * regions * bins),
      matches: memory.allocate(4 * this.count),
      lookup: memory.allocate(8 * this.slots),
      received: memory.allocate(tagBytes * tagsPerMessage + 16),
    };
  }

  private async receiveTags(): Promise<void> {
    const { memory, clock, link } = this.session;
    const { bins, tagBytes } = this.plan;
    const { table, tags, matches, lookup, received } = this.at;
    const mask = this.slots - 1;
    for (let region = 0; region < regions; region++) {
      const [regionTags, regionTable] = [tags + 16 * region * bins, table + 4 * region * bins];
      for (let at = 0; at < this.peerCount; at += tagsPerMessage) {
        const count = Math.min(tagsPerMessage, this.peerCount - at);
        const payload = await link.receive('psiTags', tagBytes * count);
        if (this.known <= region) throw link.broken('it sent tags before it had the rows for them');
        clock.run('matching', () => {
          if (at === 0) {
            memory.bytes(lookup, 8 * this.slots).fill(0);
            memory.kernels.fillTags(lookup, mask, regionTags, regionTable, bins);
          }
          memory.bytes(received, payload.byteLength).set(payload);
          memory.kernels.matchTags(matches, lookup, mask, regionTags, regionTable, received, tagBytes, count, at);
        });
      }
    }
  }
}
