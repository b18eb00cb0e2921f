import { type MessageLink, messageHeaderBytes } from '../message-link.js';
import { codeBits, KkrtFunctions, type KkrtPlan, kkrtPlan, maxPlacements, regions, rowStride, tagsPerMessage } from './kkrt-plan.js';
import { OpenedRows, type RowOpening } from './opened-rows.js';
import { type PsiSession, yieldToLink } from './psi-session.js';
import { shuffledOrder } from './secret-order.js';
import { obtainChosenSeeds } from './seed-ot.js';

/**
 * The sending end of the protocol in kkrt-plan. digests: offset in memory of `count` distinct digests. peerCount: items of the receiver.
 * Returns the secret order: the item at each place that the receiver may name.
 */
export function kkrtSend(
  session: PsiSession,
  digests: number,
  count: number,
  peerCount: number,
  obtainSeeds = obtainChosenSeeds,
): Promise<Uint32Array> {
  return new KkrtSender(session, digests, count, peerCount).run(obtainSeeds);
}

/** Which hash functions place the receiver's items. */
export async function receivePlacement(link: MessageLink): Promise<number> {
  const attempt = (await link.receive('psiLocations', 1))[0] as number;
  if (attempt >= maxPlacements) throw link.broken(`it names placement ${attempt} of ${maxPlacements}`);
  return attempt;
}

class KkrtSender {
  private readonly plan: KkrtPlan;
  private readonly functions: KkrtFunctions;
  private readonly at: ReturnType<KkrtSender['allocate']>;
  private readonly rows: OpenedRows;

  constructor(
    private readonly session: PsiSession,
    private readonly digests: number,
    private readonly count: number,
    peerCount: number,
  ) {
    this.plan = kkrtPlan(peerCount, count);
    this.functions = new KkrtFunctions(session);
    this.at = this.allocate();
    this.rows = new OpenedRows(session, this.plan.bins);
  }

  async run(obtainSeeds: typeof obtainChosenSeeds): Promise<Uint32Array> {
    const { memory, link, random, clock } = this.session;
    const { at, count } = this;
    const { secret, seeds } = await obtainSeeds(this.session, codeBits, () =>
      clock.run('encoding', () => {
        shuffledOrder(memory, at.order, count, random);
        memory.kernels.gatherDigests(at.digests, this.digests, at.order, count);
      }),
    );
    const opening = this.rows.open(secret, seeds);
    const attempt = await receivePlacement(link);
    clock.run('encoding', () => {
      this.functions.locate(at.locations, at.digests, count, this.plan.bins, attempt);
    });
    await this.answer(opening);
    return memory.indexes(at.order, count).slice();
  }

  private allocate() {
    const { memory } = this.session;
    const { bins, tagBytes } = this.plan;
    return {
      order: memory.allocate(4 * this.count),
      // Kernels work on four items at a time: those behind the end must be readable, and their bins valid.
      digests: memory.allocate(16 * (this.count + 4)),
      locations: memory.allocate(12 * (this.count + 4)),
      rows: [memory.allocate(rowStride * bins), memory.allocate(rowStride * bins)] as const,
      frame: memory.allocate(messageHeaderBytes + tagBytes * tagsPerMessage + 64),
    };
  }

  /** While the rows of one region arrive, the tags of the region before it are computed and sent. */
  private async answer(opening: RowOpening): Promise<void> {
    const { rows } = this.at;
    let previous = Promise.resolve();
    for (let region = 0; region < regions; region++) {
      const target = rows[(region % 2) as 0 | 1];
      await Promise.all([opening.receive(target), previous]);
      previous = this.sendTags(region, target);
    }
    await previous;
  }

  private async sendTags(region: number, rows: number): Promise<void> {
    const { memory, link } = this.session;
    const { tagBytes } = this.plan;
    for (let from = 0; from < this.count; from += tagsPerMessage) {
      const count = Math.min(tagsPerMessage, this.count - from);
      this.computeTags(region, rows, from, count);
      await link.send('psiTags', memory.bytes(this.at.frame, messageHeaderBytes + tagBytes * count));
      await yieldToLink();
    }
  }

  private computeTags(region: number, rows: number, from: number, count: number): void {
    const { memory, clock } = this.session;
    const { bins, tagBytes } = this.plan;
    const { digests, locations, frame } = this.at;
    const { codeChain, hashChain } = this.functions;
    clock.run('hashing', () =>
      memory.kernels.hashCandidates(
        frame + messageHeaderBytes,
        tagBytes,
        locations + 12 * from + 4 * region,
        digests + 16 * from,
        rows,
        this.rows.spreadSecret,
        count,
        region * bins,
        codeChain,
        hashChain,
        memory.scratch,
      ),
    );
  }
}
