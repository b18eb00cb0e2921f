import { isObject } from '../documents/canonical.js';
import { type Address, type Bytes32, parseAddress, parseBytes32 } from '../documents/ids.js';
import type { SignatureDomain } from '../documents/job/typed-data.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { parseLinkEndpoint } from './link/link-address.js';

/** What a daemon says of itself; nothing of it is proven. */
export interface DaemonIdentity {
  readonly organization: Address;
  readonly chain: SignatureDomain;
  readonly software: string;
  readonly sandbox: { readonly level: string; readonly layers: readonly string[] };
  /** Where other daemons can call it; absent where they cannot. Without a host: the host of its URL. Which key counts, the chain says. */
  readonly link?: { readonly host?: string; readonly port: number; readonly key: Bytes32 };
}

/** @throws DT_PEER_ANSWER, DT_PEER_FORBIDDEN_TARGET for a link-local host */
export function parseDaemonIdentity(value: unknown, url: string): DaemonIdentity {
  try {
    return identityOf(record(value, 'it'));
  } catch (error) {
    if (!(error instanceof ToolkitError) || error.code === 'DT_PEER_FORBIDDEN_TARGET') throw error;
    throw new ToolkitError('DT_PEER_ANSWER', { url, reason: error.message }, error);
  }
}

function identityOf(value: Readonly<Record<string, unknown>>): DaemonIdentity {
  const chain = record(value['chain'], 'chain');
  const sandbox = record(value['sandbox'], 'sandbox');
  const { layers } = sandbox;
  return {
    organization: parseAddress(value['organization'], 'organization'),
    chain: { chainId: count(chain['chainId'], 'chain.chainId', Number.MAX_SAFE_INTEGER), market: parseAddress(chain['market'], 'market') },
    software: text(value['software'], 'software'),
    sandbox: {
      level: text(sandbox['level'], 'sandbox.level'),
      layers: Array.isArray(layers) ? layers.map((layer) => text(layer, 'sandbox.layers')) : wrong('sandbox.layers', 'a list'),
    },
    ...(value['link'] !== undefined && { link: linkOf(record(value['link'], 'link')) }),
  };
}

function linkOf(value: Readonly<Record<string, unknown>>): NonNullable<DaemonIdentity['link']> {
  const port = count(value['port'], 'link.port', 65_535);
  const key = parseBytes32(value['key'], 'link.key');
  return { port, key, ...(value['host'] !== undefined && { host: parseLinkEndpoint(text(value['host'], 'link.host'), port).host }) };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : wrong(what, 'an object');
}

function text(value: unknown, what: string): string {
  return typeof value === 'string' && value.length <= 1000 ? value : wrong(what, 'a short text');
}

function count(value: unknown, what: string, most: number): number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most ? Number(value) : wrong(what, `a number from 1 to ${most}`);
}

function wrong(what: string, expected: string): never {
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `expected ${expected}` });
}
