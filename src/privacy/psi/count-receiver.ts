import type { CountDealer } from './count-dealer.js';
import { countTagBytes } from './count-plan.js';
import { codeBits, KkrtFunctions, kkrtPlan, regions, tagsPerMessage } from './kkrt-plan.js';
import { placeItems, sendPlacement } from './kkrt-receiver.js';
import { MaskedRows } from './masked-rows.js';
import type { PsiSession } from './psi-session.js';
import { obtainSeedPairs } from './seed-ot.js';

/** The receiving end of the protocol in count-plan: the number of common items. digests: offset of `count` distinct ones. */
export async function countReceive(
  session: PsiSession,
  dealer: CountDealer,
  digests: number,
  count: number,
  peerCount: number,
): Promise<number> {
  const { memory, link, random, clock } = session;
  const { bins } = kkrtPlan(count, peerCount);
  const places = regions * bins;
  const functions = new KkrtFunctions(session);
  const table = memory.allocate(4 * places);
  const shares = memory.allocate(16 * places);
  const tags = memory.allocate(16 * places);
  const rows = new MaskedRows(session, functions, bins);
  let attempt = 0;
  const obtaining = obtainSeedPairs(session, codeBits, () => {
    attempt = placeItems(session, functions, { digests, count }, bins, table);
  });
  const [{ masks, shares: own }, seeds] = await Promise.all([dealer.forReceiver(places), obtaining]);
  await sendPlacement(session, attempt);
  clock.run('encoding', () => {
    maskBins(masks, random.bytes(masks.byteLength), memory.indexes(table, places), memory.bytes(digests, 16 * count));
    memory.bytes(shares, own.byteLength).set(own);
    // From here on every place of the peer's order holds a share of what lies in some bin.
    const numbers = memory.indexes(table, places);
    for (let place = 0; place < places; place++) numbers[place] = place + 1;
  });
  const tagBytes = countTagBytes(places, peerCount);
  let known = false;
  const sending = async (): Promise<void> => {
    await link.sendParts('psiMaskedBins', masks);
    await rows.send(seeds, { table, digests: shares, tags }, (region) => {
      known = region === regions - 1;
    });
  };
  const receiving = async (): Promise<number> => {
    const slots = 2 ** Math.ceil(Math.log2(2 * places));
    const [lookup, matches] = [memory.allocate(8 * slots), memory.allocate(4 * places)];
    const received = memory.allocate(tagBytes * tagsPerMessage + 16);
    let found = 0;
    for (let at = 0; at < regions * peerCount; at += tagsPerMessage) {
      const n = Math.min(tagsPerMessage, regions * peerCount - at);
      const payload = await link.receive('psiTags', tagBytes * n);
      if (!known) throw link.broken('it sent tags before it had the rows for them');
      clock.run('matching', () => {
        if (at === 0) memory.kernels.fillTags(lookup, slots - 1, tags, table, places);
        memory.bytes(received, payload.byteLength).set(payload);
        found += memory.kernels.matchTags(matches, lookup, slots - 1, tags, table, received, tagBytes, n, at);
      });
    }
    return found;
  };
  const [found] = await Promise.all([receiving(), sending()]);
  if (found > Math.min(count, peerCount)) throw link.broken(`its tags match ${found} times`);
  return found;
}

/** XORs into the masks what lies in each bin: the digest of its item, or random bytes, which no item has. */
function maskBins(masks: Uint8Array, blanks: Uint8Array, table: Uint32Array, digests: Uint8Array): void {
  const words = new Uint32Array(masks.buffer, masks.byteOffset, masks.byteLength / 4);
  const blank = new Uint32Array(blanks.buffer, blanks.byteOffset, blanks.byteLength / 4);
  const items = new Uint32Array(digests.buffer, digests.byteOffset, digests.byteLength / 4);
  for (let bin = 0; bin < table.length; bin++) {
    const item = table[bin] as number;
    const [source, from] = item === 0 ? [blank, 4 * bin] : [items, 4 * (item - 1)];
    for (let word = 0; word < 4; word++) words[4 * bin + word] = (words[4 * bin + word] as number) ^ (source[from + word] as number);
  }
}
