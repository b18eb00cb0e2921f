import { ToolkitError } from '../../errors/toolkit-error.js';
import { messageHeaderBytes } from '../message-link.js';
import { ColumnGenerators } from './column-generators.js';
import {
  codeBits,
  KkrtFunctions,
  type KkrtPlan,
  kkrtPlan,
  maxPlacements,
  regions,
  rowBytes,
  rowStride,
  rowsPerDraw,
  rowsPerMessage,
  tagsPerMessage,
} from './kkrt-plan.js';
import type { PsiSession } from './psi-session.js';
import { obtainSeedPairs, type SeedPairs } from './seed-ot.js';

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

class KkrtReceiver {
  private readonly plan: KkrtPlan;
  private readonly functions: KkrtFunctions;
  private readonly slots: number;
  private readonly at: ReturnType<KkrtReceiver['allocate']>;
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
  }

  async run(obtainSeeds: typeof obtainSeedPairs): Promise<Uint32Array> {
    const { link, memory } = this.session;
    let attempt = 0;
    const seeds = await obtainSeeds(this.session, codeBits, () => {
      attempt = this.place();
    });
    const message = new Uint8Array(messageHeaderBytes + 1);
    message[messageHeaderBytes] = attempt;
    await link.send('psiLocations', message);
    await Promise.all([this.sendRows(seeds), this.receiveTags()]);
    return memory.indexes(this.at.matches, this.count).slice();
  }

  private allocate() {
    const { memory } = this.session;
    const { bins, tagBytes } = this.plan;
    const drawn = Math.min(rowsPerDraw, bins);
    return {
      table: memory.allocate(4 * regions * bins),
      tags: memory.allocate(16 * regions * bins),
      matches: memory.allocate(4 * this.count),
      lookup: memory.allocate(8 * this.slots),
      columns: memory.allocate((codeBits / 8) * drawn),
      first: memory.allocate(rowStride * drawn),
      second: memory.allocate(rowStride * drawn),
      frame: memory.allocate(messageHeaderBytes + rowBytes * rowsPerMessage + 8),
      received: memory.allocate(tagBytes * tagsPerMessage + 16),
    };
  }

  /** Puts every item into one of its bins and returns which hash functions it took. */
  private place(): number {
    const { memory, clock } = this.session;
    const { bins } = this.plan;
    return clock.run('encoding', () => {
      const mark = memory.mark();
      const locations = memory.allocate(12 * this.count);
      for (let attempt = 0; attempt < maxPlacements; attempt++) {
        this.functions.locate(locations, this.digests, this.count, bins, attempt);
        if (memory.kernels.cuckoo(this.at.table, locations, this.count, bins, maxMoves, 0x9e3779b9) === 1) {
          memory.release(mark);
          return attempt;
        }
        memory.bytes(this.at.table, 4 * regions * bins).fill(0);
      }
      // 2^-40 to the power of 16 for distinct digests.
      throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'the ids could not be placed' });
    });
  }

  private async sendRows(seeds: SeedPairs): Promise<void> {
    const { bins } = this.plan;
    const generators = [new ColumnGenerators(seeds.first), new ColumnGenerators(seeds.second)] as const;
    for (let region = 0; region < regions; region++) {
      for (let row = 0; row < bins; row += rowsPerDraw) {
        const drawn = Math.min(rowsPerDraw, bins - row);
        this.draw(generators, region * bins + row, drawn);
        for (let from = 0; from < drawn; from += rowsPerMessage) {
          const count = Math.min(rowsPerMessage, drawn - from);
          if (row + from + count === bins) this.known = region + 1;
          await this.sendMasked(region * bins + row, from, count);
        }
      }
    }
  }

  /** Fresh rows for the bins from `bin` on, and this side's tags of them. */
  private draw(generators: readonly [ColumnGenerators, ColumnGenerators], bin: number, count: number): void {
    const { memory, clock } = this.session;
    const { kernels, scratch } = memory;
    const { columns, first, second, tags } = this.at;
    const columnBytes = count / 8;
    clock.run('extension', () => {
      for (const [generator, rows] of [[generators[0], first] as const, [generators[1], second] as const]) {
        generator.fill(memory.bytes(columns, codeBits * columnBytes), columnBytes);
        kernels.transposeBits(rows, rowStride, columns, codeBits / 64, columnBytes, scratch);
      }
    });
    clock.run('hashing', () => kernels.hashRows(tags + 16 * bin, first, count, bin, this.functions.hashChain, scratch));
  }

  private sendMasked(drawnFrom: number, from: number, count: number): Promise<void> {
    const { memory, clock, link } = this.session;
    const { kernels } = memory;
    const { table, first, second, frame } = this.at;
    clock.run('encoding', () => {
      const [t0, t1] = [first + rowStride * from, second + rowStride * from];
      const bins = table + 4 * (drawnFrom + from);
      kernels.maskRows(frame + messageHeaderBytes, t0, t1, bins, this.digests, count, this.functions.codeChain, memory.scratch);
    });
    return link.send('psiMasked', memory.bytes(frame, messageHeaderBytes + rowBytes * count));
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
