import type { Channel } from '../../../src/privacy/channel.js';
import { type MemoryChannelOptions, memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import type { SumParty } from '../../../src/privacy/statistics/secure-sum.js';

/** Parties "0", "1", … of which each has a channel to each. */
export function mesh(
  count: number,
  options: MemoryChannelOptions = {},
  wrap: (channel: Channel, owner: string) => Channel = (channel) => channel,
): readonly SumParty[] {
  const ends = Array.from({ length: count }, () => new Map<string, Channel>());
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const [a, b] = memoryChannelPair({ ...options, names: [`${i}`, `${j}`] });
      ends[i]?.set(`${j}`, wrap(a, `${i}`));
      ends[j]?.set(`${i}`, wrap(b, `${j}`));
    }
  return ends.map((own, i) => ({ seat: `${i}`, channel: (seat) => own.get(seat) as Channel }));
}
