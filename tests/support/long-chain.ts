import { type EventBody, GeneratedChain } from './generated-chain.js';
import { nextEvent } from './market-events.js';

/** The same in every process: a chain of many pages of events. */
export function longChain(): GeneratedChain {
  const chain = new GeneratedChain();
  chain.pageBlocks = 10;
  const known: EventBody[] = [];
  for (let block = 0; block < 300; block++) {
    const events: EventBody[] = [];
    for (let i = 0; i < 5; i++) {
      const event = nextEvent(known, (block * 5 + i) * 7_919 + 4);
      events.push(event);
      known.push(event);
    }
    chain.mine(...events);
  }
  return chain;
}
