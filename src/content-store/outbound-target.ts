import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ToolkitError } from '../errors/toolkit-error.js';

/** Which URLs may be fetched, decided by whoever wires the program. Link-local addresses are refused whatever it says. */
export type IsAllowedTarget = (url: URL) => boolean;

export type ResolveHost = (hostname: string, answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

export const resolveByDns: ResolveHost = (hostname, answer) => lookup(hostname, { all: true }, answer);

/**
 * Absolute http(s) URL without credentials, that is allowed and does not name a link-local address.
 * @throws DT_INPUT_INVALID, DT_PEER_FORBIDDEN_TARGET
 */
export function parseTarget(text: string, isAllowedTarget: IsAllowedTarget): URL {
  if (!URL.canParse(text)) throw new ToolkitError('DT_INPUT_INVALID', { what: 'The URL of a content source', reason: 'it is not a URL' });
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new ToolkitError('DT_INPUT_INVALID', { what: `The URL of the content source ${showUrl(url)}`, reason: 'it holds credentials' });
  }
  checkTarget(url, isAllowedTarget);
  return url;
}

/** @throws DT_PEER_FORBIDDEN_TARGET */
export function checkTarget(url: URL, isAllowedTarget: IsAllowedTarget): void {
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (!isHttp || (isIP(address) !== 0 && isLinkLocal(address)) || !isAllowedTarget(url)) throw forbidden(url);
}

export const forbidden = (url: URL) => new ToolkitError('DT_PEER_FORBIDDEN_TARGET', { url: showUrl(url) });

/** Without query and credentials: those may be secrets. */
export const showUrl = (url: URL) => `${url.protocol}//${url.host}${url.pathname}`;

/** Where clouds answer with the keys of the machine, in all spellings: IPv4, IPv6, IPv4 mapped into IPv6 or behind NAT64. */
export function isLinkLocal(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  const refused = new BlockList();
  refused.addSubnet('169.254.0.0', 16, 'ipv4');
  refused.addSubnet('fe80::', 10, 'ipv6');
  refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
  refused.addAddress('fd00:ec2::254', 'ipv6');
  return refused.check(plain, family);
}

/**
 * Looks a name up and refuses link-local answers at the moment of connecting, so that a name cannot mean one address when it is
 * checked and another when it is used. The error has the code ERR_LINK_LOCAL.
 */
export function guardedLookup(resolve: ResolveHost): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const wanted =
        options.family === 4 || options.family === 6 ? addresses?.filter(({ family }) => family === options.family) : addresses;
      const [first] = wanted ?? [];
      if (error !== null || first === undefined) return callback(error ?? new Error(`no address of ${hostname}`), '', 0);
      if (addresses.some(({ address }) => isLinkLocal(address))) {
        return callback(Object.assign(new Error(`${hostname} is a link-local address`), { code: LINK_LOCAL }), '', 0);
      }
      if (options.all === true) callback(null, wanted ?? []);
      else callback(null, first.address, first.family);
    });
  };
}

export const LINK_LOCAL = 'ERR_LINK_LOCAL';
