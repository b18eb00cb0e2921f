import { messageHeaderBytes } from '../message-link.js';
import type { CountDealer } from './count-dealer.js';
import { countTagBytes } from './count-plan.js';
import { codeBits, KkrtFunctions, kkrtPlan, regions, rowStride, tagsPerMessage } from './kkrt-plan.js';
import { receivePlacement } from './kkrt-sender.js';
import { OpenedRows } from './opened-rows.js';
import { type PsiSession, yieldToLink } from './psi-session.js';
import { shuffledOrder } from './secret-order.js';
import { obtainChosenSeeds } from './seed-ot.js';

/** Tags computed at a time. */
const tagsAtOnce = 1 << 13;

/** The sending end of the protocol in count-plan. digests: offset of `count` distinct ones. */
export async function countSend(
  session: PsiSession,
  dealer: CountDealer,
  digests: number,
  count: number,
  peerCount: number,
): Promise<void> {
  const { memory, link, random, clock } = session;
  const { bins } = kkrtPlan(peerCount, count);
  const places = regions * bins;
  const functions = new KkrtFunctions(session);
  const order = memory.allocate(4 * regions * count);
  const locations = memory.allocate(12 * count);
  const rowsAt = memory.allocate(rowStride * places);
  const rows = new OpenedRows(session, bins);
  const obtaining = obtainChosenSeeds(session, codeBits, () =>
    clock.run('encoding', () => shuffledOrder(memory, order, regions * count, random)),
  );
  const [{ bins: binAt, differences }, { secret, seeds }] = await Promise.all([dealer.forSender(memory, places), obtaining]);
  const opening = rows.open(secret, seeds);
  const attempt = await receivePlacement(link);
  clock.run('encoding', () => functions.locate(locations, digests, count, bins, attempt));
  const shares = new Uint8Array(16 * places);
  await link.receiveParts('psiMaskedBins', shares);
  const placeOf = clock.run('encoding', () => unmaskPlaces(shares, binAt, differences));
  for (let region = 0; region < regions; region++) await opening.receive(rowsAt + rowStride * region * bins);

  const words = new Uint32Array(differences.buffer, differences.byteOffset, differences.byteLength / 4);
  const tagBytes = countTagBytes(places, count);
  const frame = memory.allocate(messageHeaderBytes + tagBytes * tagsPerMessage + 64);
  // As in hashCandidates, where a last group of four is not full: what lies behind it is read, and is a place.
  const [candidates, candidatePlaces] = [memory.allocate(16 * (tagsAtOnce + 4)), memory.allocate(12 * (tagsAtOnce + 4))];
  for (let at = 0; at < regions * count; at += tagsPerMessage) {
    const n = Math.min(tagsPerMessage, regions * count - at);
    for (let from = 0; from < n; from += tagsAtOnce) {
      const part = Math.min(tagsAtOnce, n - from);
      clock.run('hashing', () => {
        const pairs = memory.indexes(order + 4 * (at + from), part);
        const bin = memory.indexes(locations, 3 * count);
        const item = memory.indexes(digests, 4 * count);
        const [candidate, place] = [memory.indexes(candidates, 4 * part), memory.indexes(candidatePlaces, 3 * part)];
        for (let i = 0; i < part; i++) {
          const pair = pairs[i] as number;
          const at = placeOf[(pair % regions) * bins + (bin[pair] as number)] as number;
          const own = 4 * ((pair / regions) | 0);
          place[3 * i] = at;
          for (let word = 0; word < 4; word++) candidate[4 * i + word] = (item[own + word] as number) ^ (words[4 * at + word] as number);
        }
        const { codeChain, hashChain } = functions;
        const out = frame + messageHeaderBytes + tagBytes * from;
        const { kernels, scratch } = memory;
        const secretAt = rows.spreadSecret;
        kernels.hashCandidates(out, tagBytes, candidatePlaces, candidates, rowsAt, secretAt, part, 0, codeChain, hashChain, scratch);
      });
      await yieldToLink();
    }
    await link.send('psiTags', memory.bytes(frame, messageHeaderBytes + tagBytes * n));
  }
}

/** Turns the dealer's differences into this side's shares, place by place, and gives the place of each bin. */
function unmaskPlaces(masked: Uint8Array, binAt: Uint32Array, differences: Uint8Array): Uint32Array {
  const from = new Uint32Array(masked.buffer, masked.byteOffset, masked.byteLength / 4);
  const to = new Uint32Array(differences.buffer, differences.byteOffset, differences.byteLength / 4);
  const placeOf = new Uint32Array(binAt.length);
  for (let place = 0; place < binAt.length; place++) {
    const bin = binAt[place] as number;
    placeOf[bin] = place;
    for (let word = 0; word < 4; word++) to[4 * place + word] = (to[4 * place + word] as number) ^ (from[4 * bin + word] as number);
  }
  return placeOf;
}
