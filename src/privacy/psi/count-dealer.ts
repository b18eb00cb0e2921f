import type { Channel } from '../channel.js';
import { agreeOnTerms, type Terms } from '../handshake.js';
import { MessageLink, messageHeaderBytes } from '../message-link.js';
import { runParty } from '../party.js';
import { type RandomSource, seededRandom } from '../random-source.js';
import { RandomStream } from '../random-stream.js';
import { kkrtPlan, maxSetSize, regions } from './kkrt-plan.js';
import { PsiMemory } from './psi-memory.js';
import { shuffledOrder } from './secret-order.js';

const seedBytes = 16;
const itemBytes = 16;
/** Of the largest sets. */
const maxPlaces = regions * kkrtPlan(maxSetSize, 1).bins;
const [none, receives, sends] = [0, 1, 2];

const dealerTerms = (jobDigest: string): Terms => ({ protocol: 'intersection-count-dealer', version: 1, jobDigest });

/** What the dealer of count-plan gives the receiver: masks of its bins, and its shares of the places, 16 bytes each. */
export interface ReceiverDeal {
  readonly masks: Uint8Array;
  readonly shares: Uint8Array;
}

/** What it gives the sender: the bin at each place, and mask ^ share of each place. */
export interface SenderDeal {
  readonly bins: Uint32Array;
  readonly differences: Uint8Array;
}

/** One owner's link to the dealer. Asks once. */
export class CountDealer {
  private readonly link: MessageLink;

  constructor(
    channel: Channel,
    private readonly jobDigest: string,
  ) {
    this.link = new MessageLink(channel);
  }

  /** Tells it that the sizes want another protocol. */
  async dismiss(): Promise<void> {
    await this.ask(none, 0);
  }

  async forReceiver(places: number): Promise<ReceiverDeal> {
    await this.ask(receives, places);
    return receiverDeal(Uint8Array.from(await this.link.receive('psiDealtSeed', seedBytes)), places);
  }

  async forSender(memory: PsiMemory, places: number): Promise<SenderDeal> {
    await this.ask(sends, places);
    const seed = Uint8Array.from(await this.link.receive('psiDealtSeed', seedBytes));
    const differences = new Uint8Array(itemBytes * places);
    await this.link.receiveParts('psiDealt', differences);
    return { bins: binsOf(memory, seed, places), differences };
  }

  private async ask(role: number, places: number): Promise<void> {
    await agreeOnTerms(this.link, dealerTerms(this.jobDigest));
    const message = new Uint8Array(messageHeaderBytes + 8);
    message.set(new Uint8Array(Uint32Array.of(role, places).buffer), messageHeaderBytes);
    await this.link.send('shape', message);
  }
}

/**
 * The dealer of count-plan: hears from both owners which of them receives and how many places there are, or that it is not needed, and
 * gives each its part. Returns the number of places, 0 where it was not needed. Errors: DT_PEER_*.
 */
export function dealForCount(channels: readonly [Channel, Channel], jobDigest: string, random: RandomSource): Promise<number> {
  return runParty(channels, async () => {
    const links = channels.map((channel) => new MessageLink(channel));
    const [first, second] = (await Promise.all(links.map((link) => hear(link, jobDigest)))) as [Wish, Wish];
    const odd =
      first.places !== second.places ||
      (first.role !== none && first.role === second.role) ||
      (first.role === none) !== (second.role === none);
    if (odd) throw second.link.broken('it asks for what does not fit what the other owner asks for');
    if (first.role === none) return 0;
    const [receiver, sender] = first.role === receives ? [first, second] : [second, first];
    const [receiverSeed, senderSeed] = [random.bytes(seedBytes), random.bytes(seedBytes)];
    const { masks, shares } = receiverDeal(receiverSeed, first.places);
    const bins = binsOf(new PsiMemory(), senderSeed, first.places);
    await Promise.all([sendSeed(receiver.link, receiverSeed), sendSeed(sender.link, senderSeed)]);
    await sender.link.sendParts('psiDealt', differencesOf(masks, shares, bins));
    return first.places;
  });
}

interface Wish {
  readonly link: MessageLink;
  readonly role: number;
  readonly places: number;
}

async function hear(link: MessageLink, jobDigest: string): Promise<Wish> {
  await agreeOnTerms(link, dealerTerms(jobDigest));
  const received = Uint8Array.from(await link.receive('shape', 8));
  const [role = none, places = 0] = new Uint32Array(received.buffer);
  const sound = role === none ? places === 0 : role <= sends && places > 0 && places <= maxPlaces;
  if (!sound) throw link.broken(`it asks as ${role} for ${places} places`);
  return { link, role, places };
}

function receiverDeal(seed: Uint8Array, places: number): ReceiverDeal {
  const stream = new RandomStream(seed);
  const [masks, shares] = [new Uint8Array(itemBytes * places), new Uint8Array(itemBytes * places)];
  stream.fill(masks);
  stream.fill(shares);
  return { masks, shares };
}

function binsOf(memory: PsiMemory, seed: Uint8Array, places: number): Uint32Array {
  const mark = memory.mark();
  const order = memory.allocate(4 * places);
  shuffledOrder(memory, order, places, seededRandom(seed));
  const bins = memory.indexes(order, places).slice();
  memory.release(mark);
  return bins;
}

/** mask of the bin ^ share of the place, in place of the shares. */
function differencesOf(masks: Uint8Array, shares: Uint8Array, bins: Uint32Array): Uint8Array {
  const mask = new Uint32Array(masks.buffer, masks.byteOffset, masks.byteLength / 4);
  const words = new Uint32Array(shares.buffer, shares.byteOffset, shares.byteLength / 4);
  for (let place = 0; place < bins.length; place++) {
    const bin = 4 * (bins[place] as number);
    for (let word = 0; word < 4; word++) words[4 * place + word] = (words[4 * place + word] as number) ^ (mask[bin + word] as number);
  }
  return shares;
}

function sendSeed(link: MessageLink, seed: Uint8Array): Promise<void> {
  const message = new Uint8Array(messageHeaderBytes + seedBytes);
  message.set(seed, messageHeaderBytes);
  return link.send('psiDealtSeed', message);
}
