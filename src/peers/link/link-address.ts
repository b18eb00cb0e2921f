import { isIPv6 } from 'node:net';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { parseDaemonUrl } from '../daemon-url.js';
import type { LinkEndpoint } from './link-dialer.js';

/**
 * Where a daemon's link port is, from what others say of it. The host is a name or an address, IPv6 without brackets.
 * @throws DT_INPUT_INVALID, DT_PEER_FORBIDDEN_TARGET as for the URLs of daemons
 */
export function parseLinkEndpoint(host: string, port: number): LinkEndpoint {
  if (!isIPv6(host) && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(host)) {
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The host of a link', reason: 'expected a host name or an address' });
  }
  const url = parseDaemonUrl(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  return { host: bareHost(url), port };
}

/** As node:net takes it. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** `host:port` of a configuration; IPv6 in brackets. */
export function splitHostPort(text: string): LinkEndpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*)))(?::([0-9]{1,5}))$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) return undefined;
  return { host, port };
}

export const isHostPort = (text: string): boolean => splitHostPort(text) !== undefined;
