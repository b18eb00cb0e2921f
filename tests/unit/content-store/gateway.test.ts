import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type NextFunction, type Request, type Response } from 'express';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carOf } from '../../../src/content-store/car.js';
import { cidOf } from '../../../src/content-store/cid.js';
import { FilesystemStore } from '../../../src/content-store/filesystem-store.js';
import { gatewayRouter } from '../../../src/content-store/gateway.js';
import { GatewaySource } from '../../../src/content-store/gateway-source.js';
import { sha256 } from '../../../src/documents/canonical.js';
import { toToolkitError } from '../../../src/errors/toolkit-error.js';

const bytes = Buffer.from('<script>alert(1)</script>');
const digest = sha256(bytes);
const cid = cidOf(digest);

let folder: string;
let store: FilesystemStore;
const open: Server[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dt-gateway-'));
  store = new FilesystemStore(folder);
  await store.put(bytes);
});
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Both ways in which the daemon may mount it. */
async function listen(mount: 'use' | 'get' = 'get'): Promise<string> {
  const app = express();
  if (mount === 'use') app.use(gatewayRouter(store));
  else app.get('/ipfs/:cid', gatewayRouter(store));
  app.use((_: Request, response: Response) => void response.status(404).json({ code: 'NEXT' }));
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const error = toToolkitError(thrown);
    response.status(error.httpStatus).json(error);
  });
  const server = await new Promise<Server>((resolve) => {
    const started = app.listen(0, '127.0.0.1', () => resolve(started));
  });
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const bodyOf = async (response: globalThis.Response) => Buffer.from(await response.arrayBuffer());

describe('the gateway', () => {
  it('gives the raw block, to be kept for ever and never shown as a page', async () => {
    for (const mount of ['use', 'get'] as const) {
      const url = await listen(mount);
      const asks: [string, Record<string, string>][] = [
        ['?format=raw', {}],
        ['?format=raw', { Accept: 'application/vnd.ipld.car' }],
        ['', { Accept: 'application/vnd.ipld.raw' }],
        ['', { Accept: 'application/vnd.ipld.car;q=0.5, application/vnd.ipld.raw' }],
        ['', { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
      ];
      for (const [query, headers] of asks) {
        const response = await fetch(`${url}/ipfs/${cid}${query}`, { headers });
        expect(response.status).toBe(200);
        expect(await bodyOf(response)).toEqual(bytes);
        expect(Object.fromEntries(response.headers)).toMatchObject({
          'content-type': 'application/vnd.ipld.raw',
          'content-length': String(bytes.length),
          'cache-control': 'public, max-age=29536000, immutable',
          etag: `"${cid}.raw"`,
          'x-content-type-options': 'nosniff',
          'content-disposition': `attachment; filename="${cid}.bin"`,
          vary: expect.stringContaining('Accept'),
          'x-ipfs-path': `/ipfs/${cid}`,
        });
      }
    }
  });

  it('gives a CAR file', async () => {
    const url = await listen();
    for (const [query, accept] of [
      ['?format=car', '*/*'],
      ['', 'application/vnd.ipld.car'],
      ['', 'application/vnd.ipld.car; version=1; order=dfs'],
    ] as const) {
      const response = await fetch(`${url}/ipfs/${cid}${query}`, { headers: { Accept: accept } });
      expect(response.headers.get('content-type')).toMatch(/^application\/vnd\.ipld\.car; ?version=1/);
      expect(response.headers.get('etag')).toBe(`"${cid}.car"`);
      expect(await bodyOf(response)).toEqual(carOf(digest, bytes));
    }
  });

  it('answers HEAD without the body, and a known ETag with 304', async () => {
    const url = `${await listen()}/ipfs/${cid}?format=raw`;
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    expect(await bodyOf(head)).toHaveLength(0);
    for (const tag of [`"${cid}.raw"`, `W/"${cid}.raw"`, `"other", "${cid}.raw"`, '*']) {
      const cached = await fetch(url, { headers: { 'If-None-Match': tag } });
      expect(cached.status, tag).toBe(304);
      expect(cached.headers.get('cache-control')).toContain('immutable');
      expect(await bodyOf(cached)).toHaveLength(0);
    }
    expect((await fetch(url, { headers: { 'If-None-Match': `"${cid}.car"` } })).status).toBe(200);
  });

  it('knows a CID in another base, and fails for anything that it does not have or know', async () => {
    const url = await listen();
    const fetched = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}${path}`, { headers });
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    const other = await fetch(`${url}/ipfs/${CID.parse(cid).toString(base58btc)}?format=raw`);
    expect(await bodyOf(other)).toEqual(bytes);
    expect(other.headers.get('etag')).toBe(`"${cid}.raw"`);
    expect(await fetched(`/ipfs/${cidOf(sha256(Buffer.from('absent')))}?format=raw`)).toEqual([404, 'DT_HTTP_NOT_FOUND']);
    for (const bad of [
      '/ipfs/QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o',
      '/ipfs/..%2f..%2fetc%2fpasswd',
      '/ipfs/x',
      '/ipfs/bafkqaaa',
    ]) {
      expect(await fetched(bad), bad).toEqual([400, 'DT_INPUT_INVALID']);
    }
    for (const format of ['tar', 'dag-json', '', 'raw&format=car']) {
      expect(await fetched(`/ipfs/${cid}?format=${format}`), format).toEqual([400, 'DT_INPUT_INVALID']);
    }
    for (const accept of ['text/html', 'application/vnd.ipld.raw;q=0', 'application/vnd.ipld.car; version=2']) {
      expect(await fetched(`/ipfs/${cid}`, { Accept: accept }), accept).toEqual([400, 'DT_INPUT_INVALID']);
    }
    expect(await fetched(`/ipfs/${cid}/child`)).toEqual([404, 'NEXT']);
    expect((await fetch(`${url}/ipfs/${cid}`, { method: 'POST' })).status).toBe(404);
  });

  it('never hands out damaged bytes', async () => {
    const url = await listen();
    writeFileSync(store.pathOf(digest), 'damaged');
    const response = await fetch(`${url}/ipfs/${cid}?format=raw`);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { code: string }).code).toBe('DT_DOCUMENT_TAMPERED');
    expect(response.headers.get('cache-control')).toBeNull();
  });

  it('is understood by our own source', async () => {
    const source = new GatewaySource(await listen(), { isAllowedTarget: () => true });
    expect(await source.get(digest)).toEqual(bytes);
    expect(await source.get(sha256(Buffer.from('absent')))).toBeUndefined();
  });
});
