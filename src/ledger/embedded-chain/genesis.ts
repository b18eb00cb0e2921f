/** 0xc2cc2d, "compute to data": not the 31337 of other development chains, so that a wallet never mixes them up. */
export const EMBEDDED_CHAIN_ID = 12_766_253;

/** How many past states eth_call by block number can reach. Older blocks, receipts and logs stay readable without limit. */
const KEPT_STATES = 256;

/**
 * Everything that decides block hashes is fixed here, because a replay must give the same blocks. Mining is off: the chain's
 * owner decides what goes into a block and when. Fees are zero: keys need no funds (anvil keeps a base fee of 0 for ever).
 */
export function anvilArguments(stateFile: string | undefined): string[] {
  const fixed: Record<string, string | true> = {
    host: '127.0.0.1',
    port: '0',
    'chain-id': String(EMBEDDED_CHAIN_ID),
    timestamp: '1700000000',
    // Public test words; the accounts are refused at the proxy, and their coins buy nothing on a chain without fees.
    mnemonic: 'test test test test test test test test test test test junk',
    accounts: '10',
    balance: '10000',
    hardfork: 'prague',
    'gas-limit': '30000000',
    'base-fee': '0',
    'gas-price': '0',
    'disable-min-priority-fee': true,
    order: 'fifo',
    'no-mining': true,
    'prune-history': String(KEPT_STATES),
    'no-cors': true,
    'no-request-size-limit': true,
  };
  const args = Object.entries(fixed).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]));
  return stateFile === undefined ? args : [...args, '--load-state', stateFile];
}
