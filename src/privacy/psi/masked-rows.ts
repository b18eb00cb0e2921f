import { messageHeaderBytes } from '../message-link.js';
import { ColumnGenerators } from './column-generators.js';
import { codeBits, type KkrtFunctions, regions, rowBytes, rowStride, rowsPerDraw, rowsPerMessage } from './kkrt-plan.js';
import type { PsiSession } from './psi-session.js';
import type { SeedPairs } from './seed-ot.js';

/** Offsets in memory. */
export interface BinContent {
  /** u32 a bin: the number of the digest in it, from 1, or 0. */
  readonly table: number;
  readonly digests: number;
  /** Gets 16 bytes a bin. */
  readonly tags: number;
}

/** The receiver's rows in the protocol of kkrt-plan: drawn, kept as tags, and sent masked with the code of what lies in their bins. */
export class MaskedRows {
  private readonly at: ReturnType<MaskedRows['allocate']>;

  constructor(
    private readonly session: PsiSession,
    private readonly functions: KkrtFunctions,
    private readonly bins: number,
  ) {
    this.at = this.allocate();
  }

  /** onRegion: called before the last rows of a region leave, when all its tags are known. */
  async send(seeds: SeedPairs, content: BinContent, onRegion: (region: number) => void): Promise<void> {
    const { bins } = this;
    const generators = [new ColumnGenerators(seeds.first), new ColumnGenerators(seeds.second)] as const;
    for (let region = 0; region < regions; region++) {
      for (let row = 0; row < bins; row += rowsPerDraw) {
        const drawn = Math.min(rowsPerDraw, bins - row);
        this.draw(generators, content.tags, region * bins + row, drawn);
        for (let from = 0; from < drawn; from += rowsPerMessage) {
          const count = Math.min(rowsPerMessage, drawn - from);
          if (row + from + count === bins) onRegion(region);
          await this.sendMasked(content, region * bins + row, from, count);
        }
      }
    }
  }

  private allocate() {
    const { memory } = this.session;
    const drawn = Math.min(rowsPerDraw, this.bins);
    return {
      columns: memory.allocate((codeBits / 8) * drawn),
      first: memory.allocate(rowStride * drawn),
      second: memory.allocate(rowStride * drawn),
      frame: memory.allocate(messageHeaderBytes + rowBytes * rowsPerMessage + 8),
    };
  }

  /** Fresh rows for the bins from `bin` on, and this side's tags of them. */
  private draw(generators: readonly [ColumnGenerators, ColumnGenerators], tags: number, bin: number, count: number): void {
    const { memory, clock } = this.session;
    const { kernels, scratch } = memory;
    const { columns, first, second } = this.at;
    const columnBytes = count / 8;
    clock.run('extension', () => {
      for (const [generator, rows] of [[generators[0], first] as const, [generators[1], second] as const]) {
        generator.fill(memory.bytes(columns, codeBits * columnBytes), columnBytes);
        kernels.transposeBits(rows, rowStride, columns, codeBits / 64, columnBytes, scratch);
      }
    });
    clock.run('hashing', () => kernels.hashRows(tags + 16 * bin, first, count, bin, this.functions.hashChain, scratch));
  }

  private sendMasked({ table, digests }: BinContent, drawnFrom: number, from: number, count: number): Promise<void> {
    const { memory, clock, link } = this.session;
    const { first, second, frame } = this.at;
    clock.run('encoding', () => {
      const [t0, t1] = [first + rowStride * from, second + rowStride * from];
      const bins = table + 4 * (drawnFrom + from);
      memory.kernels.maskRows(frame + messageHeaderBytes, t0, t1, bins, digests, count, this.functions.codeChain, memory.scratch);
    });
    return link.send('psiMasked', memory.bytes(frame, messageHeaderBytes + rowBytes * count));
  }
}
