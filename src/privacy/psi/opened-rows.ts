import { ColumnGenerators } from './column-generators.js';
import { codeBits, rowBytes, rowStride, rowsPerDraw, rowsPerMessage } from './kkrt-plan.js';
import type { PsiSession } from './psi-session.js';

/** Rows of one run, in the order in which the receiver sends them. */
export interface RowOpening {
  /** Those of the next region, 64 bytes apart, to `rows`. */
  receive(rows: number): Promise<void>;
}

/** The sender's side of the receiver's masked rows, in the protocol of kkrt-plan: rows of its own with the codes where its secret has ones. */
export class OpenedRows {
  /** Offset of the secret, spread for the kernel of the tags. */
  readonly spreadSecret: number;
  private readonly at: { readonly columns: number; readonly secret: number; readonly received: number };

  constructor(
    private readonly session: PsiSession,
    private readonly bins: number,
  ) {
    const { memory } = session;
    this.spreadSecret = memory.allocate(4 * rowBytes);
    this.at = {
      columns: memory.allocate((codeBits / 8) * Math.min(rowsPerDraw, bins)),
      secret: memory.allocate(rowStride),
      received: memory.allocate(rowBytes * rowsPerMessage),
    };
  }

  open(secret: Uint8Array, seeds: Uint8Array): RowOpening {
    const { memory } = this.session;
    memory.bytes(this.at.secret, rowBytes).set(secret);
    memory.kernels.spreadWords(this.spreadSecret, this.at.secret, rowBytes / 4);
    const generators = new ColumnGenerators(seeds);
    return { receive: (rows) => this.receive(generators, rows) };
  }

  private async receive(generators: ColumnGenerators, rows: number): Promise<void> {
    const { memory, link, clock } = this.session;
    const { kernels, scratch } = memory;
    const { columns, secret, received } = this.at;
    for (let row = 0; row < this.bins; row += rowsPerDraw) {
      const drawn = Math.min(rowsPerDraw, this.bins - row);
      const at = rows + rowStride * row;
      clock.run('extension', () => {
        generators.fill(memory.bytes(columns, (codeBits / 8) * drawn), drawn / 8);
        kernels.transposeBits(at, rowStride, columns, codeBits / 64, drawn / 8, scratch);
      });
      for (let from = 0; from < drawn; from += rowsPerMessage) {
        const count = Math.min(rowsPerMessage, drawn - from);
        const payload = await link.receive('psiMasked', rowBytes * count);
        clock.run('extension', () => {
          memory.bytes(received, payload.byteLength).set(payload);
          kernels.openRows(at + rowStride * from, received, secret, count);
        });
      }
    }
  }
}
