import { BlockList, isIP } from 'node:net';
import { ToolkitError } from '../errors/toolkit-error.js';

/**
 * The base URL of a daemon from what a document or the chain says: a URL, or host:port as the original wrote it.
 * Credentials, queries and other schemes are refused, and so are the link-local addresses of cloud metadata services.
 * @throws DT_INPUT_INVALID, DT_PEER_FORBIDDEN_TARGET
 */
export function parseDaemonUrl(text: string): URL {
  const source = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(source);
  } catch {
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The daemon URL', reason: `${JSON.stringify(text.slice(0, 200))} is not a URL` });
  }
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!['http:', 'https:'].includes(url.protocol) || !plain || url.hostname === '')
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'The daemon URL',
      reason: 'it must be http(s)://host[:port][/path] and nothing more',
    });
  if (isLinkLocal(url.hostname)) throw new ToolkitError('DT_PEER_FORBIDDEN_TARGET', { url: url.href });
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** Where clouds answer with the keys of the machine. The URL has brought every spelling of IPv4 into one. */
function isLinkLocal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  if (family === 0) return false;
  const refused = new BlockList();
  refused.addSubnet('169.254.0.0', 16, 'ipv4');
  refused.addSubnet('fe80::', 10, 'ipv6');
  refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
  refused.addAddress('fd00:ec2::254', 'ipv6');
  return refused.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Where an owner's daemon is: the endpoint of the service, or else the URL that the organization published on chain. */
export function endpointOf(service: { readonly endpoint: unknown } | undefined, organizationUrl: string | undefined): URL | undefined {
  const endpoint = typeof service?.endpoint === 'string' && service.endpoint !== '' ? service.endpoint : organizationUrl;
  return endpoint === undefined || endpoint === '' ? undefined : parseDaemonUrl(endpoint);
}
