import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { id, TypedDataEncoder } from 'ethers/hash';
import { Wallet } from 'ethers/wallet';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAddress, parseBytes32, parseTokenId } from '../../src/documents/ids.js';
import { hashToSign, type SignedRequest, typedDataOf } from '../../src/documents/job/typed-data.js';
import { authorizationHeader } from '../../src/documents/job/wire.js';
import { errorTable } from '../../src/errors/codes.js';
import { openApi } from '../../src/tracer-daemon/openapi.js';
import { createWorld } from '../support/world.js';
import { fences } from './readme-terminals.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Vectors {
  readonly domain: { readonly chainId: number; readonly market: string };
  readonly domainSeparator: string;
  readonly typeHashes: Readonly<Record<string, string>>;
  readonly envelope: { readonly daemon: string; readonly nonce: string; readonly expiry: number };
  readonly http: Signed & { readonly method: string; readonly path: string; readonly body: string; readonly header: string };
  readonly compute: Signed & { readonly job: string; readonly algorithm: string; readonly dataToken: string; readonly spec: string };
  readonly grant: Signed & { readonly composite: string; readonly dataToken: string; readonly until: number };
}
interface Signed {
  readonly digest: string;
  readonly signature: string;
}

describe('docs/API.md', () => {
  let page: string;

  beforeAll(async () => {
    page = await readFile(join(root, 'docs', 'API.md'), 'utf8');
  });

  it('has a section for every route of the daemon, and for no other', () => {
    const routes = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const sections = [...page.matchAll(/^### ((?:GET|POST|PUT|DELETE|PATCH) \S+)$/gm)].map(([, route]) => route);
    expect(sections.sort()).toEqual(routes.sort());
  });

  it('names errors that there are, with their status where it gives one', () => {
    const table: Readonly<Record<string, { readonly http: number }>> = errorTable;
    const codes = [...page.matchAll(/`(DT_[A-Z_]+)`/g)].map(([, code = '']) => code).filter((code) => code !== 'DT_PRIVATE_KEY');
    expect(codes.length).toBeGreaterThan(20);
    for (const code of codes) expect(table, code).toHaveProperty(code);
    for (const [, status, code = ''] of page.matchAll(/\b([45]\d\d)\s+`(DT_[A-Z_]+)`/g))
      expect(`${table[code]?.http} ${code}`).toBe(`${status} ${code}`);
  });

  it('has test vectors that the code agrees with', async () => {
    const text = fences(page).find(({ language, text: inner }) => language === 'json' && inner.includes('domainSeparator'))?.text;
    const vectors = JSON.parse(text ?? '') as Vectors;
    const domain = { chainId: vectors.domain.chainId, market: parseAddress(vectors.domain.market) };
    const envelope = {
      daemon: parseAddress(vectors.envelope.daemon),
      nonce: parseBytes32(vectors.envelope.nonce),
      expiry: vectors.envelope.expiry,
    };
    const { http, compute, grant } = vectors;
    const requests: readonly [SignedRequest, Signed][] = [
      [{ type: 'http', method: http.method, path: http.path, body: parseBytes32(http.body), ...envelope }, http],
      [
        {
          type: 'compute',
          job: BigInt(compute.job),
          algorithm: parseTokenId(compute.algorithm),
          dataToken: parseTokenId(compute.dataToken),
          spec: parseBytes32(compute.spec),
          ...envelope,
        },
        compute,
      ],
      [
        {
          type: 'grant',
          composite: parseTokenId(grant.composite),
          dataToken: parseTokenId(grant.dataToken),
          until: grant.until,
          ...envelope,
        },
        grant,
      ],
    ];
    const wallet = new Wallet(`0x${'11'.repeat(32)}`);
    expect(page).toContain(wallet.address.toLowerCase());
    for (const [request, { digest, signature }] of requests) {
      const { domain: full, types, values } = typedDataOf(domain, request);
      const name = Object.keys(types)[0] ?? '';
      expect(page).toContain(`\n${TypedDataEncoder.from(types).encodeType(name)}\n`);
      expect(vectors.typeHashes[name]).toBe(id(TypedDataEncoder.from(types).encodeType(name)));
      expect(vectors.domainSeparator).toBe(TypedDataEncoder.hashDomain(full));
      expect(hashToSign(domain, request)).toBe(digest);
      expect(await wallet.signTypedData(full, types, values)).toBe(signature);
    }
    expect(authorizationHeader(envelope, http.signature)).toBe(http.header);
  });

  it('has a script that signs what a daemon accepts', async () => {
    const script = fences(page).find(({ language, text }) => language === 'js' && text.startsWith('// sign.mjs'))?.text ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'dt-api-'));
    const world = await createWorld();
    try {
      await writeFile(join(folder, 'sign.mjs'), script);
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      const bank = await world.bank('Bank A');
      const { chainId, market } = bank.context.ledger.ref;
      const ask = async (key: string, method: string, path: string, body?: string): Promise<{ status: number; answer: unknown }> => {
        const words = ['sign.mjs', bank.address, String(chainId), market, method, path, ...(body === undefined ? [] : [body])];
        const signed = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env: { ...process.env, DT_PRIVATE_KEY: key } });
        const headers = { authorization: signed.stdout.trim(), ...(body !== undefined && { 'content-type': 'application/json' }) };
        const response = await fetch(`${bank.daemon.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
        return { status: response.status, answer: await response.json() };
      };
      const owner = bank.wallet.privateKey;
      expect(await ask(owner, 'GET', '/v1/jobs?limit=10')).toEqual({ status: 200, answer: { jobs: [] } });
      // Only the owner gets as far as the token, which does not exist.
      const body = JSON.stringify({ token: `dt:ownership:${'0'.repeat(64)}`, path: '/nowhere' });
      expect(await ask(owner, 'POST', '/v1/assets', body)).toMatchObject({ status: 404, answer: { code: 'DT_ASSET_UNKNOWN' } });
      const stranger = Wallet.createRandom().privateKey;
      expect(await ask(stranger, 'POST', '/v1/assets', body)).toMatchObject({ status: 403, answer: { code: 'DT_AUTH_FORBIDDEN' } });
    } finally {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
