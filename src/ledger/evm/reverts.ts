import { id } from 'ethers/hash';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { bigintOf, type Codecs, tokenOf } from './codecs.js';
import { type ArgumentKind, revertTable } from './revert-advice.js';

export interface DecodedRevert {
  /** Name of the custom error, '' where the chain gave none of ours. */
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  /** The error as it is shown: `TokenNotActivated(dt:ownership:…)`. */
  readonly text: string;
  readonly advice: string;
}

const FOREVER = 2n ** 48n - 1n;
/** Hashed when one is to be shown: every command loads this file. */
const roleNames = (): readonly (readonly [string, string])[] => [
  [`0x${'0'.repeat(64)}`, 'administrator'],
  [id('AGGREGATOR_ROLE'), 'aggregator'],
  [id('PROVIDER_ROLE'), 'provider'],
];

/** Revert data as a sentence and a thing to do. What is none of our errors is shown as it came. */
export function decodeRevert(codecs: Codecs, data: string | undefined, message: string): DecodedRevert {
  for (const codec of data === undefined || data.length < 10 ? [] : codecs.all()) {
    const parsed = codec.parseError(data ?? '');
    if (parsed === null) continue;
    const kinds = revertTable[parsed.name]?.kinds ?? [];
    const shown = parsed.fragment.inputs.map((_, index) => show(kinds[index], parsed.args[index]));
    const args = Object.fromEntries(parsed.fragment.inputs.map((input, index) => [input.name, shown[index] ?? '']));
    const advice = fillAdvice(revertTable[parsed.name]?.advice ?? 'The contract gave this reason: see its documentation.', args);
    return { name: parsed.name, args, text: `${parsed.name}(${shown.join(', ')})`, advice };
  }
  const text = data === undefined || data === '0x' ? message : `${message} ${data.slice(0, 138)}`;
  return { name: '', args: {}, text, advice: 'Check that the address book is of this version of the toolkit.' };
}

export function revertError(revert: DecodedRevert): ToolkitError {
  return new ToolkitError('DT_CHAIN_REVERTED', { error: revert.text, advice: revert.advice, name: revert.name, args: revert.args });
}

function fillAdvice(advice: string, args: Readonly<Record<string, string>>): string {
  return advice.replace(/\{(\w+)\}/g, (whole, name: string) => args[name] ?? whole);
}

function show(kind: ArgumentKind | undefined, value: unknown): string {
  switch (kind) {
    case 'token':
      return tokenOf(value);
    case 'address':
      return String(value).toLowerCase();
    case 'role':
      return roleNames().find(([hash]) => hash === value)?.[1] ?? String(value);
    case 'time':
      return new Date(Number(value) * 1000).toISOString();
    case 'expiry':
      return showExpiry(bigintOf(value));
    default:
      return String(value);
  }
}

function showExpiry(expiry: bigint): string {
  if (expiry === 0n) return 'not granted';
  return expiry === FOREVER ? 'no expiry' : `expired ${new Date(Number(expiry) * 1000).toISOString()}`;
}
