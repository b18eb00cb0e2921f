import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cidOf } from '../../../src/content-store/cid.js';
import { FilesystemStore } from '../../../src/content-store/filesystem-store.js';
import { GatewaySource } from '../../../src/content-store/gateway-source.js';
import { KuboStore } from '../../../src/content-store/kubo-store.js';
import { LayeredStore } from '../../../src/content-store/layered-store.js';
import { isLinkLocal } from '../../../src/content-store/outbound-target.js';
import { sha256 } from '../../../src/documents/canonical.js';
import type { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { endless, honest, kubo, lying, silent, stuck, TestServers } from './servers.js';

const bytes = Buffer.from('{"title":"loans"}');
const digest = sha256(bytes);
const cid = cidOf(digest);
const absent = sha256(Buffer.from('nobody has this'));
const blocks = new Map([[cid, bytes]]);
const anyTarget = { isAllowedTarget: () => true };

vi.setConfig({ testTimeout: 60_000 });

const servers = new TestServers();
let folder: string;
let local: FilesystemStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-sources-'));
  local = new FilesystemStore(folder);
});
afterEach(async () => {
  await servers.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('GatewaySource', () => {
  it('asks for the raw block, and takes it when it is the right one', async () => {
    const server = await servers.listen(honest(blocks));
    const source = new GatewaySource(server.url, anyTarget);
    expect(await source.get(digest)).toEqual(bytes);
    expect(server.requests).toEqual([`GET /ipfs/${cid}?format=raw`]);
    expect(server.headers[0]).toMatchObject({ accept: 'application/vnd.ipld.raw' });
    expect(await source.get(absent)).toBeUndefined();
    // A gateway below a path, written with and without the slash at its end.
    for (const base of [`${server.url}/gw`, `${server.url}/gw/`]) await new GatewaySource(base, anyTarget).get(digest);
    expect(server.requests.slice(2)).toEqual(Array(2).fill(`GET /gw/ipfs/${cid}?format=raw`));
  });

  it('names a gateway that sends other bytes', async () => {
    const server = await servers.listen(lying);
    await expect(new GatewaySource(server.url, anyTarget).get(digest)).rejects.toMatchObject({
      code: 'DT_DOCUMENT_TAMPERED',
      details: { cid, source: `${server.url}/`, actual: sha256(Buffer.from('these are other bytes')) },
    });
  });

  it('stops reading at the limit, announced or not', async () => {
    const server = await servers.listen(endless);
    const options = { ...anyTarget, maxBytes: 1_000_000 };
    await expect(new GatewaySource(server.url, options).get(digest)).rejects.toMatchObject({ code: 'DT_INPUT_TOO_LARGE' });
    await server.dropped;
    const announced = await servers.listen((_, response) => void response.writeHead(200, { 'Content-Length': '1000001' }).write('x'));
    await expect(new GatewaySource(announced.url, options).get(digest)).rejects.toMatchObject({ code: 'DT_INPUT_TOO_LARGE' });
    await announced.dropped;
    const exact = Buffer.alloc(1_000_000, 'y');
    const full = await servers.listen((_, response) => void response.end(exact));
    expect(exact.equals((await new GatewaySource(full.url, options).get(sha256(exact))) ?? Buffer.alloc(0))).toBe(true);
  });

  it('gives up on a gateway that does not answer, or does not finish', async () => {
    for (const handler of [silent, stuck]) {
      const server = await servers.listen(handler);
      const answer = new GatewaySource(server.url, { ...anyTarget, timeoutMs: 150 }).get(digest);
      await expect(answer).rejects.toMatchObject({ code: 'DT_DOCUMENT_SOURCE_FAILED', retryable: true });
      await server.dropped;
    }
    const closed = await servers.listen(silent);
    await closed.close();
    await expect(new GatewaySource(closed.url, anyTarget).get(digest)).rejects.toMatchObject({ code: 'DT_DOCUMENT_SOURCE_FAILED' });
    const broken = await servers.listen((_, response) => void response.writeHead(503).end());
    await expect(new GatewaySource(broken.url, anyTarget).get(digest)).rejects.toMatchObject({ details: { reason: 'HTTP 503' } });
  });

  it('ends with its caller', async () => {
    const server = await servers.listen(silent);
    const controller = new AbortController();
    const answer = new GatewaySource(server.url, anyTarget).get(digest, controller.signal);
    const ended = expect(answer).rejects.toThrow('enough');
    await server.asked;
    controller.abort(new Error('enough'));
    await ended;
    await server.dropped;
  });

  it('follows no redirect, not even to the right bytes', async () => {
    const goal = await servers.listen(honest(blocks));
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await servers.listen(
        (request, response) => void response.writeHead(status, { Location: `${goal.url}${request.url}` }).end(),
      );
      await expect(new GatewaySource(server.url, anyTarget).get(digest)).rejects.toMatchObject({
        code: 'DT_DOCUMENT_SOURCE_FAILED',
        details: { reason: expect.stringContaining('redirect') },
      });
    }
    expect(goal.requests).toEqual([]);
  });
});

describe('targets', () => {
  it('are only those that the wiring allows, and never link-local ones', async () => {
    const server = await servers.listen(honest(blocks));
    const { host } = new URL(server.url);
    expect(await new GatewaySource(server.url, { isAllowedTarget: (url) => url.host === host }).get(digest)).toEqual(bytes);
    const refused = [
      ['http://127.0.0.1:1', (url: URL) => url.host === host],
      ['file:///etc/passwd', () => true],
      ['ftp://example.org', () => true],
      ['http://169.254.169.254/latest', () => true],
      ['http://2852039166', () => true],
      ['http://0xa9.0xfe.0xa9.0xfe', () => true],
      ['http://0251.0376.0251.0376', () => true],
      ['http://[fe80::1]', () => true],
      ['http://[febf::1]', () => true],
      ['http://[::ffff:169.254.169.254]', () => true],
      ['http://[64:ff9b::169.254.169.254]', () => true],
    ] as const;
    for (const [url, isAllowedTarget] of refused) {
      expect(() => new GatewaySource(url, { isAllowedTarget }), url).toThrow(expect.objectContaining({ code: 'DT_PEER_FORBIDDEN_TARGET' }));
      expect(() => new KuboStore(url, { isAllowedTarget }), url).toThrow(expect.objectContaining({ code: 'DT_PEER_FORBIDDEN_TARGET' }));
    }
    for (const url of ['not a url', 'http://user:secret@127.0.0.1']) {
      const create = () => new GatewaySource(url, anyTarget);
      expect(create, url).toThrow(expect.objectContaining({ code: 'DT_INPUT_INVALID' }));
      expect(create).not.toThrow(/secret/);
    }
    expect(['169.253.255.255', '10.0.0.1', '127.0.0.1', 'fec0::1', '::1', '::ffff:10.0.0.1'].filter(isLinkLocal)).toEqual([]);
    expect(isLinkLocal('fe80::1%eth0')).toBe(true);
  });

  it('are checked again at the moment of the call', async () => {
    const server = await servers.listen(honest(blocks));
    let allowed = true;
    const source = new GatewaySource(server.url, { isAllowedTarget: () => allowed });
    allowed = false;
    await expect(source.get(digest)).rejects.toMatchObject({ code: 'DT_PEER_FORBIDDEN_TARGET' });
    expect(server.requests).toEqual([]);
  });

  it('are refused when a name turns out to be link-local, even beside a good address', async () => {
    const server = await servers.listen(honest(blocks));
    const port = new URL(server.url).port;
    const at = (...addresses: string[]) =>
      new GatewaySource(`http://gateway.example:${port}`, {
        ...anyTarget,
        resolve: (_, answer) =>
          answer(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          ),
      });
    expect(await at('127.0.0.1').get(digest)).toEqual(bytes);
    for (const addresses of [['169.254.169.254'], ['127.0.0.1', '169.254.169.254'], ['fe80::1', '127.0.0.1']]) {
      await expect(at(...addresses).get(absent), addresses.join()).rejects.toMatchObject({ code: 'DT_PEER_FORBIDDEN_TARGET' });
    }
    expect(server.requests).toHaveLength(1);
  });
});

describe('KuboStore', () => {
  it('puts and gets blocks over the RPC API, and checks both ways', async () => {
    const kept = new Map<string, Uint8Array>();
    const server = await servers.listen(kubo(kept, (content) => cidOf(sha256(content))));
    const store = new KuboStore(server.url, anyTarget);
    // Bytes that look like the form around them, and a block above kubo's soft limit.
    const awkward = [bytes, Buffer.from('\r\n--dt-\r\n\r\n'), Buffer.alloc(0), Buffer.alloc(1_500_000, 7)];
    for (const content of awkward) {
      expect(await store.put(content)).toBe(sha256(content));
      expect(content.equals((await store.get(sha256(content))) ?? Buffer.of(0))).toBe(true);
    }
    expect(await store.get(absent)).toBeUndefined();
    expect(server.requests.every((request) => request.startsWith('POST /api/v0/block/'))).toBe(true);
    kept.set(cid, Buffer.from('changed'));
    await expect(store.get(digest)).rejects.toMatchObject({ code: 'DT_DOCUMENT_TAMPERED', details: { cid } });
  });

  it('does not believe a node that files a block under another name, and reports its faults', async () => {
    const wrong = await servers.listen(kubo(new Map(), () => cidOf(absent)));
    await expect(new KuboStore(wrong.url, anyTarget).put(bytes)).rejects.toMatchObject({ code: 'DT_DOCUMENT_TAMPERED' });
    const broken = await servers.listen((_, response) => void response.writeHead(500).end('{"Message":"disk full","Type":"error"}'));
    await expect(new KuboStore(broken.url, anyTarget).put(bytes)).rejects.toMatchObject({ details: { reason: 'HTTP 500: disk full' } });
    await expect(new KuboStore(broken.url, anyTarget).get(digest)).rejects.toMatchObject({ code: 'DT_DOCUMENT_SOURCE_FAILED' });
  });
});

describe('LayeredStore', () => {
  const layered = (...urls: string[]) => {
    const errors: [string, string][] = [];
    const store = new LayeredStore({
      local,
      sources: urls.map((url) => new GatewaySource(url, { ...anyTarget, timeoutMs: 20_000, maxBytes: 1_000_000 })),
      onSourceError: (source, error: ToolkitError) => errors.push([source, error.code]),
    });
    return { store, errors };
  };

  it('asks nobody for what is there, and keeps what it was given and what it found', async () => {
    const server = await servers.listen(honest(blocks));
    const { store } = layered(server.url);
    const own = await store.put(Buffer.from('mine'));
    expect(await store.get(own)).toEqual(Buffer.from('mine'));
    expect(server.requests).toEqual([]);
    expect(await store.get(digest)).toEqual(bytes);
    expect(await store.get(digest)).toEqual(bytes);
    expect(server.requests).toHaveLength(1);
    expect(await local.get(digest)).toEqual(bytes);
  });

  it('finds the honest one among liars, silent ones, endless ones and dead ones, and lets go of the others', async () => {
    const [liar, quiet, flood, redirect, dead, good] = await Promise.all([
      servers.listen(lying),
      servers.listen(silent),
      servers.listen(endless),
      servers.listen((_, response) => void response.writeHead(302, { Location: '/' }).end()),
      servers.listen(silent),
      servers.listen(async (request, response) => {
        // Answers only when the liar has had its say and the silent one was asked.
        await Promise.all([liar.asked, quiet.asked, flood.dropped]);
        return honest(blocks)(request, response);
      }),
    ]);
    await dead.close();
    const { store, errors } = layered(liar.url, quiet.url, flood.url, redirect.url, dead.url, good.url);
    expect(await store.get(digest)).toEqual(bytes);
    await quiet.dropped;
    expect(errors).toContainEqual([`${liar.url}/`, 'DT_DOCUMENT_TAMPERED']);
    expect(errors).toContainEqual([`${flood.url}/`, 'DT_INPUT_TOO_LARGE']);
    expect(errors).not.toContainEqual([`${quiet.url}/`, expect.anything()]);
    expect(await local.get(digest)).toEqual(bytes);
  });

  it('says undefined when nobody has it, and who could not be asked', async () => {
    const [one, two, dead] = await Promise.all([servers.listen(honest(blocks)), servers.listen(honest(new Map())), servers.listen(silent)]);
    await dead.close();
    const { store, errors } = layered(one.url, two.url, dead.url);
    expect(await store.get(absent)).toBeUndefined();
    expect(errors).toEqual([[`${dead.url}/`, 'DT_DOCUMENT_SOURCE_FAILED']]);
    expect(await layered().store.get(absent)).toBeUndefined();
  });

  it('fails when there were only wrong bytes, and names all that gave them', async () => {
    const [one, two, empty] = await Promise.all([servers.listen(lying), servers.listen(lying), servers.listen(honest(new Map()))]);
    const failure = layered(one.url, two.url, empty.url).store.get(digest);
    await expect(failure).rejects.toMatchObject({ code: 'DT_DOCUMENT_TAMPERED', details: { cid } });
    await expect(failure).rejects.toThrow(`${two.url}/`);
    await expect(failure).rejects.toThrow(`${one.url}/`);
    expect(await local.get(digest)).toBeUndefined();
  });

  it('replaces a damaged local file from an honest source, and fails without one', async () => {
    await local.put(bytes);
    writeFileSync(local.pathOf(digest), 'damaged');
    await expect(layered().store.get(digest)).rejects.toMatchObject({
      code: 'DT_DOCUMENT_TAMPERED',
      details: { source: local.pathOf(digest) },
    });
    const good = await servers.listen(honest(blocks));
    const { store, errors } = layered(good.url);
    expect(await store.get(digest)).toEqual(bytes);
    expect(errors).toEqual([['local', 'DT_DOCUMENT_TAMPERED']]);
    expect(await local.get(digest)).toEqual(bytes);
  });

  it('ends with its caller', async () => {
    const server = await servers.listen(silent);
    const controller = new AbortController();
    const { store, errors } = layered(server.url);
    const ended = expect(store.get(digest, controller.signal)).rejects.toThrow('enough');
    await server.asked;
    controller.abort(new Error('enough'));
    await ended;
    await server.dropped;
    expect(errors).toEqual([]);
  });
});
