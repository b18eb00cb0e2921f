import type { Request } from 'express';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonConfig } from '../config/config.js';

type OriginConfig = Pick<DaemonConfig, 'web' | 'listen'>;

/** Custom headers are sent across origins only after a preflight, which this daemon never answers. */
export const PAGE_HEADER = 'x-dt-page';
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;
const ANY_INTERFACE = ['0.0.0.0', '::'];

/**
 * Cookies count only on requests that the daemon's own page makes, under an address that its owner knows: no other site can use a session,
 * neither by a form nor by a name that it points at this machine (DNS rebinding).
 * @throws DT_WEB_ORIGIN, DT_WEB_CROSS_SITE
 */
export function requireOwnPage(config: OriginConfig, request: Request): void {
  requireKnownHost(config, request);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const site = request.get('sec-fetch-site');
  // `none`: typed into the address bar, say a download.
  const isSameSite = site === undefined || site === 'same-origin' || (isRead && site === 'none');
  const origin = request.get('origin');
  const isSameOrigin = origin === undefined ? isRead : hostOf(origin) === request.get('host')?.toLowerCase();
  if (!isSameSite || !isSameOrigin || (!isRead && request.get(PAGE_HEADER) === undefined)) throw new ToolkitError('DT_WEB_CROSS_SITE');
}

/** @throws DT_WEB_ORIGIN */
export function requireKnownHost(config: OriginConfig, request: Request): void {
  const host = request.get('host') ?? '';
  if (!isKnownHost(config, host)) throw new ToolkitError('DT_WEB_ORIGIN', { host: host.slice(0, 200) });
}

function isKnownHost({ web, listen }: OriginConfig, host: string): boolean {
  if (LOOPBACK.test(host)) return true;
  const own = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const name = host.toLowerCase();
  if (!ANY_INTERFACE.includes(listen.host) && name.replace(/:\d{1,5}$/, '') === own.toLowerCase()) return true;
  return web.origins.some((origin) => hostOf(origin) === name);
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/** As the browser's address bar has it: what a wallet compares the message with. */
export function originOf(config: OriginConfig, request: Request): string {
  const host = request.get('host') ?? '';
  return config.web.origins.find((origin) => hostOf(origin) === host.toLowerCase()) ?? `${request.protocol}://${host}`;
}
