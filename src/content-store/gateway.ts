import type { NextFunction, Request, Response } from 'express';
import { ToolkitError } from '../errors/toolkit-error.js';
import { carOf } from './car.js';
import { cidOf } from './cid.js';
import type { ContentStore } from './content-store.js';
import { digestOfCid } from './digest-of-cid.js';

const IMMUTABLE = 'public, max-age=29536000, immutable';

/**
 * Serves the documents of a store as a trustless IPFS gateway: `GET` and `HEAD /ipfs/<cid>` as a raw block or as a CAR file.
 * Give it a local store: a layered one would make strangers' requests into requests of this machine to others.
 * https://specs.ipfs.tech/http-gateways/trustless-gateway/
 * @throws DT_INPUT_INVALID (400) for what is no CID of a document or no known format, DT_HTTP_NOT_FOUND (404), DT_DOCUMENT_TAMPERED
 */
export function gatewayRouter(store: ContentStore): (request: Request, response: Response, next: NextFunction) => Promise<void> {
  return async (request, response, next) => {
    const path = `${request.baseUrl}${request.path}`;
    const text = /^\/ipfs\/([^/]+)\/?$/.exec(path)?.[1];
    if (text === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
    const digest = digestOfCid(text);
    const format = formatOf(request);
    const cid = cidOf(digest);
    const etag = `"${cid}.${format.name}"`;
    const bytes = await store.get(digest);
    if (bytes === undefined) throw new ToolkitError('DT_HTTP_NOT_FOUND', { path: `/ipfs/${cid}` });
    response.set({
      'Cache-Control': IMMUTABLE,
      ETag: etag,
      Vary: 'Accept',
      'X-Content-Type-Options': 'nosniff',
      'X-Ipfs-Path': `/ipfs/${cid}`,
      'X-Ipfs-Roots': cid,
    });
    if (isCached(request.get('If-None-Match'), etag)) return void response.status(304).end();
    const body = format.name === 'car' ? carOf(digest, bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    response.set({
      'Content-Type': format.type,
      'Content-Length': String(body.length),
      // Documents come from strangers: a browser saves them and never shows them as a page of this host.
      'Content-Disposition': `attachment; filename="${cid}.${format.extension}"`,
    });
    if (request.method === 'HEAD') response.end();
    else response.end(body);
  };
}

interface Format {
  readonly name: 'raw' | 'car';
  readonly type: string;
  readonly extension: string;
}
const RAW: Format = { name: 'raw', type: 'application/vnd.ipld.raw', extension: 'bin' };
const CAR: Format = { name: 'car', type: 'application/vnd.ipld.car; version=1; order=dfs; dups=n', extension: 'car' };

/** `?format=` counts before `Accept`; a client that takes anything gets the raw block. */
function formatOf(request: Request): Format {
  const asked: unknown = request.query['format'];
  if (asked === 'raw') return RAW;
  if (asked === 'car') return CAR;
  if (asked !== undefined) throw unknownFormat(`?format=${String(asked).slice(0, 40)}`);
  const accept = request.get('Accept') ?? '*/*';
  const offers = accept.split(',').map(parseOffer);
  offers.sort((a, b) => b.quality - a.quality);
  for (const { type, version, quality } of offers) {
    if (quality === 0) continue;
    if (type === 'application/vnd.ipld.raw' || type === '*/*' || type === 'application/*') return RAW;
    if (type === 'application/vnd.ipld.car' && (version === undefined || version === '1')) return CAR;
  }
  throw unknownFormat(`Accept: ${accept.slice(0, 100)}`);
}

function parseOffer(item: string): { type: string; version: string | undefined; quality: number } {
  const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
  const values = new Map(parameters.map((parameter) => [parameter.split('=')[0]?.trim() ?? '', parameter.split('=')[1]?.trim() ?? '']));
  const quality = Number(values.get('q') ?? '1');
  return { type, version: values.get('version'), quality: Number.isFinite(quality) ? quality : 0 };
}

function unknownFormat(asked: string): ToolkitError {
  return new ToolkitError('DT_INPUT_INVALID', {
    what: `The format (${asked})`,
    reason: 'this gateway gives raw blocks and CAR files (?format=raw, ?format=car)',
  });
}

function isCached(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}
