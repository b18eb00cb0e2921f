import { Interface } from 'ethers/abi';
import { keccak256 } from 'ethers/crypto';
import { type Address, type Bytes32, bytes32OfToken, parseAddress, parseBytes32, type TokenId, tokenIdOf } from '../../documents/ids.js';
import { dataTokensAbi } from './abi/data-tokens.js';
import { operatorsAbi } from './abi/operators.js';
import { organizationsAbi } from './abi/organizations.js';
import { receiptsAbi } from './abi/receipts.js';
import { taskMarketAbi } from './abi/task-market.js';
import { EventDecoder } from './event-decoder.js';

export const contractNames = ['organizations', 'operators', 'tokens', 'market', 'receipts'] as const;
export type ContractName = (typeof contractNames)[number];

/** The parsed ABIs. Parsing takes milliseconds, so each is parsed when it is first needed. */
export interface Codecs {
  of(contract: ContractName): Interface;
  all(): readonly Interface[];
  events(contract: ContractName): EventDecoder;
}

export function createCodecs(): Codecs {
  const abis = {
    organizations: organizationsAbi,
    operators: operatorsAbi,
    tokens: dataTokensAbi,
    market: taskMarketAbi,
    receipts: receiptsAbi,
  };
  const parsed = new Map<ContractName, Interface>();
  const of = (contract: ContractName): Interface => {
    const known = parsed.get(contract) ?? new Interface(abis[contract]);
    parsed.set(contract, known);
    return known;
  };
  const decoders = new Map<ContractName, EventDecoder>();
  const events = (contract: ContractName): EventDecoder => {
    const known = decoders.get(contract) ?? new EventDecoder(of(contract));
    decoders.set(contract, known);
    return known;
  };
  return { of, all: () => contractNames.map(of), events };
}

/** keccak256(abi.encode(chain id, contract, owner, salt)), as DocumentToken.deriveId has it. */
export function deriveTokenId(chainId: number, contract: Address, owner: Address, salt: Bytes32): TokenId {
  const words = [chainId.toString(16), contract.slice(2), owner.slice(2), salt.slice(2)];
  return tokenIdOf(keccak256(`0x${words.map((word) => word.padStart(64, '0')).join('')}`));
}

export const wordOf = (token: TokenId): bigint => BigInt(bytes32OfToken(token));
export const tokenOf = (word: unknown): TokenId => tokenIdOf(bigintOf(word).toString(16).padStart(64, '0'));
export const addressOf = (value: unknown): Address => parseAddress(value, 'An address from the chain');
export const bytes32Of = (value: unknown): Bytes32 => parseBytes32(value, 'A word from the chain');
/** What the ABI decoder gives for integers of every size. */
export const bigintOf = (value: unknown): bigint => {
  if (typeof value === 'bigint') return value;
  throw new TypeError('the ABI decoder gave no integer');
};
export const numberOf = (value: unknown): number => Number(bigintOf(value));

/**
 * What the ABI decoder gives for a list or a struct. It throws at the place of a text that is no UTF-8, which anyone may have
 * written: that text, and only that, becomes a replacement character.
 */
export function fieldsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [];
  return Array.from({ length: value.length }, (_, index) => {
    try {
      return value[index];
    } catch {
      return '\u{fffd}';
    }
  });
}

/** A text of others, without what could steer a terminal or turn the direction of writing. Lines and tabs stay. */
export function textOf(value: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\u{fffd}');
}
