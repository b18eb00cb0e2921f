import { createInterface } from 'node:readline';
import { FollowingIndex } from '../../../src/catalog/index/following-index.js';
import { longChain } from '../../support/long-chain.js';

/**
 * Builds the index of a chain in a process of its own, so that a test can kill it: reads a page of events for each line on stdin, and says
 * each that it has written.
 */
const [folder = ''] = process.argv.slice(2);
const chain = longChain();
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ledger = {
  ref: chain.ref,
  blockHashes: chain.blockHashes.bind(chain),
  eventsAfter: async (...known: Parameters<typeof chain.eventsAfter>) => {
    await lines.next();
    return chain.eventsAfter(...known);
  },
};
const index = new FollowingIndex({ ledger, folder, onProgress: ({ block }) => console.log(`page ${block}`) });
await index.catchUp();
console.log('whole');
