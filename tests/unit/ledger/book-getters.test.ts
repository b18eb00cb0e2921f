import { id } from 'ethers/hash';
import { expect, it } from 'vitest';
import { BOOK_GETTERS } from '../../../src/ledger/evm/chain-client.js';

it.each(Object.entries(BOOK_GETTERS))('%s() has the selector that is written down for it', (name, selector) => {
  expect(selector).toBe(id(`${name}()`).slice(0, 10));
});
