import { type Address, parseAddress } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { isRecord } from './rpc.js';

/** Where one deployment of the contracts is. Public; written by `dt chain deploy`. */
export interface AddressBook {
  readonly chainId: number;
  readonly organizations: Address;
  readonly operators: Address;
  readonly tokens: Address;
  readonly market: Address;
  readonly receipts: Address;
  /** Block of the first contract: nothing happened before it. */
  readonly block: number;
}

/** @throws DT_INPUT_INVALID, DT_INPUT_JSON, DT_CHAIN_BOOK_OLD */
export function parseAddressBook(text: string): AddressBook {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ToolkitError('DT_INPUT_JSON', { what: 'The address book', reason: error instanceof Error ? error.message : '' }, error);
  }
  if (!isRecord(value)) throw invalid('an object');
  const keys = ['chainId', 'organizations', 'operators', 'tokens', 'market', 'receipts', 'block'];
  const extra = Object.keys(value).find((key) => !keys.includes(key));
  if (extra !== undefined) throw invalid(`no key ${extra}`);
  if (value['receipts'] === undefined && value['market'] !== undefined)
    throw new ToolkitError('DT_CHAIN_BOOK_OLD', { missing: 'receipts' });
  return {
    chainId: integerOf(value['chainId'], 'chainId', 1),
    organizations: parseAddress(value['organizations'], 'organizations in the address book'),
    operators: parseAddress(value['operators'], 'operators in the address book'),
    tokens: parseAddress(value['tokens'], 'tokens in the address book'),
    market: parseAddress(value['market'], 'market in the address book'),
    receipts: parseAddress(value['receipts'], 'receipts in the address book'),
    block: integerOf(value['block'], 'block', 0),
  };
}

export function serializeAddressBook(book: AddressBook): string {
  const { chainId, organizations, operators, tokens, market, receipts, block } = book;
  return `${JSON.stringify({ chainId, organizations, operators, tokens, market, receipts, block }, null, 2)}\n`;
}

function integerOf(value: unknown, key: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(`${key} to be a whole number from ${least}`);
}

function invalid(expected: string): ToolkitError {
  return new ToolkitError('DT_INPUT_INVALID', { what: 'The address book', reason: `expected ${expected}` });
}
