import { regions } from './kkrt-plan.js';

/**
 * The number of common items of two large sets, and nothing else, with a dealer of correlated randomness; semi-honest. Time, memory and
 * bytes grow linearly with the sets.
 *
 * Sources. Shared characteristic over permuted bins: Garimella, Mohassel, Rosulek, Sadeghian, Singh, "Private Set Operations from Oblivious
 * Switching" (PKC 2021; ePrint 2021/243). The oblivious function on the bins: kkrt-plan. Permute and share: there from a network of oblivious
 * transfers, n log n of them; here from a dealer, as in Chase, Ghosh, Poburinnaya, "Secret-Shared Shuffle" (ASIACRYPT 2020; ePrint 2019/1340),
 * share translation, whose correlation it deals.
 *
 * The receiver puts its items into bins as in kkrt-plan; a bin without one gets random bytes. The dealer gives the receiver uniform masks a
 * and shares b, both from one seed, and the sender a random order p, from a seed, and d[i] = a[p(i)] ^ b[i]. The receiver sends x ^ a, so
 * the sender has c[i] = x[p(i)] ^ b[i]: bin p(i) lies in shares at place i, which bin that is only the sender knows, what lies in it nobody.
 * Then the oblivious function is run place by place, on b[i] at the receiver, and at the sender on y ^ c[i] for each of its items y and each of
 * the three bins p(i) of y: they are equal where y = x[p(i)]. The sender sends these 3 m tags in one random order; the receiver counts how many
 * it has. A match shows a place of an order that it does not know, and an item lies in one bin, so each common item is counted once.
 *
 * Trust: all three follow the protocol, and the dealer shares what it holds with neither side. With the receiver it could tell which of the
 * receiver's items are common; with the sender it could test the receiver's items.
 * Learned: the receiver the number, and whether the first placement of its items failed (as in kkrt-plan: the sender too); the sender nothing;
 * the dealer the number of bins, so about the declared number of the receiver, and no message that depends on an item.
 * Rounds: those of kkrt-plan; the dealer speaks once, meanwhile. Bytes: those of kkrt-plan with wider tags, + 20.3 n to the sender from each
 * of receiver and dealer; 32 from the dealer to the receiver.
 * Security: that of kkrt-plan (128 bit computational); masks and orders from AES-128 in counter mode; tags of 40 + log2(places) + log2(3 m)
 * bits, since every tag is compared with every place: any false match with probability 2^-40 at most.
 */
export function countTagBytes(places: number, senderCount: number): number {
  return Math.max(8, Math.ceil((40 + Math.log2(places) + Math.log2(regions * senderCount)) / 8));
}
