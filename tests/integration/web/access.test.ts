import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { composeAsset } from '../../../src/actions/asset/compose-asset.js';
import { requestCode } from '../../../src/actions/daemon/request-code.js';
import { execJob } from '../../../src/actions/job/exec-job.js';
import type { TokenId } from '../../../src/documents/ids.js';
import type { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { openApi } from '../../../src/tracer-daemon/openapi.js';
import { type Role, roles } from '../../../src/tracer-daemon/web/role.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type World } from '../../support/world.js';
import { PageClient } from './page-client.js';

interface Challenge {
  readonly message: string;
  readonly seal: string;
}

/** Who gets into the page of a daemon, and what each may do there. */
describe('sessions and roles', () => {
  let world: World;
  let bank: BankRole;
  const client = (): PageClient => new PageClient(bank.daemon.url);
  const challenge = async (page: PageClient): Promise<Challenge> =>
    (await page.ask('POST', '/v1/session/challenge')).body as unknown as Challenge;
  const owner = async (): Promise<PageClient> => {
    const page = client();
    const asked = await challenge(page);
    const signature = await bank.wallet.signMessage(asked.message);
    expect(await page.ask('POST', '/v1/session/wallet', { challenge: asked, signature })).toMatchObject({ status: 201 });
    return page;
  };
  const tokenFor = async (role: Role, more: object = {}): Promise<{ id: string; secret: string }> => {
    const answer = await (await owner()).ask('POST', '/v1/tokens', { role, label: `a ${role}`, hours: 1, ...more });
    expect(answer.status).toBe(201);
    return answer.body as { id: string; secret: string };
  };
  const withToken = async (secret: string): Promise<PageClient> => {
    const page = client();
    expect(await page.ask('POST', '/v1/session/secret', { secret })).toMatchObject({ status: 201 });
    return page;
  };

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A', { sandbox: { level: 'process' }, web: { origins: ['https://bank-a.example'] } });
  });
  afterAll(() => world.close());

  describe('the wallet of the organization', () => {
    it('signs in once for each challenge', async () => {
      const page = client();
      const asked = await challenge(page);
      expect(asked.message).toContain(
        `${new URL(bank.daemon.url).host} wants you to sign in with your Ethereum account:\n${bank.wallet.address}\n`,
      );
      const body = { challenge: asked, signature: await bank.wallet.signMessage(asked.message) };
      const answer = await page.ask('POST', '/v1/session/wallet', body);
      expect(answer).toMatchObject({ status: 201, body: { session: { role: 'owner', subject: bank.address } } });
      expect(answer.headers['set-cookie']?.[0]).toMatch(
        /^dt_[0-9a-f]{12}=dt_[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
      );
      expect((await page.ask('GET', '/v1/session')).body).toMatchObject({ organization: bank.address, session: { role: 'owner' } });
      expect(await client().ask('POST', '/v1/session/wallet', body)).toMatchObject({ status: 401, body: { code: 'DT_AUTH_REPLAYED' } });
    });

    it.each<[string, (asked: Challenge) => Promise<object>, string]>([
      [
        'another wallet',
        async (asked) => ({ challenge: asked, signature: await Wallet.createRandom().signMessage(asked.message) }),
        'DT_AUTH_FORBIDDEN',
      ],
      [
        'a message that this daemon did not write',
        async (asked) => {
          const message = asked.message.replace('127.0.0.1', 'evil.example');
          return { challenge: { ...asked, message }, signature: await bank.wallet.signMessage(message) };
        },
        'DT_AUTH_SIGNATURE_INVALID',
      ],
      [
        'a longer life',
        async (asked) => ({
          challenge: { ...asked, expiresAt: Date.now() + 10 ** 9 },
          signature: await bank.wallet.signMessage(asked.message),
        }),
        'DT_AUTH_SIGNATURE_INVALID',
      ],
      ['no signature', async (asked) => ({ challenge: asked, signature: `0x${'00'.repeat(65)}` }), 'DT_AUTH_SIGNATURE_INVALID'],
    ])('is not replaced by %s', async (_, make, code) => {
      const page = client();
      const answer = await page.ask('POST', '/v1/session/wallet', await make(await challenge(page)));
      expect(answer.body).toMatchObject({ code });
      expect(page.cookie).toBeUndefined();
    });
  });

  describe('a code of dt daemon login', () => {
    it('signs in once, however it is typed', async () => {
      const { code, url } = await requestCode(bank.context);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
      expect(url).not.toContain(code);
      const page = await withToken(` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')} `);
      expect((await page.ask('GET', '/v1/session')).body).toMatchObject({ session: { role: 'owner' } });
      expect(await client().ask('POST', '/v1/session/secret', { secret: code })).toMatchObject({
        status: 401,
        body: { code: 'DT_AUTH_SESSION' },
      });
    });

    it('is for the key of the organization alone', async () => {
      const stranger = await world.role('Stranger');
      const refused = await requestCode({ ...bank.context, signer: stranger.wallet }, bank.daemon.url).catch(
        (error: ToolkitError) => error,
      );
      // A stranger's signature is for its own daemon; this one is another's.
      expect(refused).toMatchObject({ code: 'DT_AUTH_SIGNATURE_INVALID' });
      expect(await (await owner()).ask('POST', '/v1/session/codes')).toMatchObject({ status: 403, body: { code: 'DT_AUTH_ROLE' } });
    });
  });

  describe('other sites', () => {
    it.each<[string, Record<string, string | undefined>, string]>([
      ['without the header of the page', { 'x-dt-page': undefined }, 'DT_WEB_CROSS_SITE'],
      ['from another origin', { origin: 'https://evil.example' }, 'DT_WEB_CROSS_SITE'],
      ['from an opaque origin', { origin: 'null' }, 'DT_WEB_CROSS_SITE'],
      ['without an origin', { origin: undefined }, 'DT_WEB_CROSS_SITE'],
      ['from another site', { 'sec-fetch-site': 'cross-site' }, 'DT_WEB_CROSS_SITE'],
      ['from a neighbour', { 'sec-fetch-site': 'same-site' }, 'DT_WEB_CROSS_SITE'],
      ['typed into the address bar', { 'sec-fetch-site': 'none' }, 'DT_WEB_CROSS_SITE'],
      ['under a name that somebody pointed here', { host: 'evil.example', origin: 'http://evil.example' }, 'DT_WEB_ORIGIN'],
    ])('cannot use a session: a change %s', async (_, headers, code) => {
      const page = await owner();
      const token = { role: 'viewer', label: 'x', hours: 1 };
      expect(await page.ask('POST', '/v1/tokens', token, headers)).toMatchObject({ status: 403, body: { code } });
      const { body } = await page.ask('GET', '/v1/tokens');
      expect(JSON.stringify(body)).not.toContain('"label":"x"');
    });

    it('cannot read with it, either', async () => {
      const page = await owner();
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { host: 'evil.example' }, { origin: 'https://evil.example' }])
        expect((await page.ask('GET', '/v1/jobs', undefined, headers)).status).toBe(403);
      expect((await page.ask('GET', '/v1/jobs', undefined, { 'sec-fetch-site': 'none', origin: undefined })).status).toBe(200);
    });

    it('cannot sign in under a name that the owner has not given', async () => {
      const page = client();
      expect(
        await page.ask('POST', '/v1/session/challenge', undefined, { host: 'evil.example', origin: 'http://evil.example' }),
      ).toMatchObject({
        body: { code: 'DT_WEB_ORIGIN' },
      });
      const proxied = { host: 'bank-a.example', origin: 'https://bank-a.example' };
      const { message } = (await page.ask('POST', '/v1/session/challenge', undefined, proxied)).body as unknown as Challenge;
      expect(message).toContain('bank-a.example wants you to sign in');
      expect(message).toContain('URI: https://bank-a.example\n');
    });
  });

  describe('roles', () => {
    /** Word for word what each role may ask for; everything else is refused. */
    const allowed: Readonly<Record<Role, readonly string[]>> = (() => {
      const auditor = [
        'DELETE /v1/session',
        'GET /v1/events',
        'GET /v1/lineage',
        'POST /v1/verify',
        'GET /v1/jobs/{id}/evidence',
        'GET /v1/jobs',
        'GET /v1/jobs/{id}',
        'GET /v1/jobs/{id}/decision',
        'GET /v1/jobs/{id}/receipt',
        'GET /v1/jobs/{id}/parties',
        'GET /v1/names',
      ];
      const viewer = [
        ...auditor,
        'GET /v1/overview',
        'GET /v1/assets',
        'GET /v1/assets/{token}',
        'GET /v1/jobs/{id}/events',
        'GET /v1/jobs/{id}/logs',
        'GET /v1/jobs/{id}/explanation',
      ];
      const operator = [
        ...viewer,
        'GET /v1/settings',
        'GET /v1/holds',
        'GET /v1/jobs/{id}/outputs',
        'GET /v1/jobs/{id}/outputs/{name}',
        'POST /v1/jobs/{id}/cancel',
        'POST /v1/jobs/{id}/rerun',
      ];
      const assets = [
        'POST /v1/assets',
        'DELETE /v1/assets/{token}',
        'POST /v1/assets/{token}/grants',
        'DELETE /v1/assets/{token}/grants/{composite}',
        'GET /v1/files',
        'POST /v1/files/description',
        'GET /v1/operators',
        'POST /v1/drafts/check',
        'POST /v1/drafts/publish',
      ];
      const answers = ['POST /v1/jobs/{id}/approve', 'POST /v1/jobs/{id}/refuse'];
      const tokens = ['GET /v1/tokens', 'POST /v1/tokens', 'DELETE /v1/tokens/{id}', 'GET /v1/sessions', 'DELETE /v1/sessions/{id}'];
      return { auditor, viewer, operator, owner: [...operator, ...tokens, ...assets, ...answers] };
    })();
    const token = `dt:ownership:${'1'.repeat(64)}`;
    const bodies: Readonly<Record<string, object>> = {
      'POST /v1/tokens': { role: 'viewer', label: 'made by a test', hours: 1 },
      'POST /v1/assets': { token, path: '/nowhere' },
      'POST /v1/documents': { documents: [{}] },
      'POST /v1/assets/{token}/grants': { composite: token, until: 0 },
      'POST /v1/verify': { job: '1' },
      'POST /v1/jobs/{id}/approve': { reason: 'x', subject: `0x${'11'.repeat(32)}` },
      'POST /v1/jobs/{id}/refuse': { reason: 'x' },
      'POST /v1/files/description': { path: '/nowhere' },
      'POST /v1/drafts/check': { attributes: {} },
      'POST /v1/drafts/publish': { attributes: {}, path: '/nowhere' },
    };
    const queries: Readonly<Record<string, string>> = { 'GET /v1/names': `?ids=${encodeURIComponent(token)}` };
    const proven = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, described]) => ('security' in described ? [`${method.toUpperCase()} ${path}`] : [])),
    );

    it.each(roles)('%s may do what the table says, and nothing else', async (role) => {
      const { secret } = await tokenFor(role);
      for (const name of proven) {
        const [method = '', path = ''] = name.split(' ');
        const filled =
          path
            .replace('{token}', token)
            .replace('{composite}', token)
            .replace(/\{\w+\}/g, 'x') + (queries[name] ?? '');
        const body = bodies[name] ?? (method === 'POST' ? {} : undefined);
        const stream = await client().open(method, filled, body, { authorization: `Bearer ${secret}` });
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        if (/event-stream/.test(stream.headers['content-type'] ?? '')) stream.destroy();
        else await once(stream, 'end');
        const isRefused = Buffer.concat(chunks).includes('"DT_AUTH_ROLE"');
        expect(isRefused ? stream.statusCode : 'let through', `${role}: ${name}`).toBe(allowed[role].includes(name) ? 'let through' : 403);
      }
    });

    it('knows every route that takes a proof', () => {
      expect(proven.length).toBeGreaterThan(20);
      for (const names of Object.values(allowed)) for (const name of names) expect(proven).toContain(name);
    });

    it('shows the path to the owner alone', async () => {
      const operator = await publish(world, 'op', '// nothing', { note: {} });
      const path = await bank.data('held.csv', 'id\n1\n');
      const services = [{ index: 'run', template: operator, constraint: { note: {} }, path: './inputs/held.csv' }];
      await mintLeaf(bank, { name: 'held', services, storePath: path });
      const seen = async (role: Role): Promise<string> =>
        JSON.stringify((await (await withToken((await tokenFor(role)).secret)).ask('GET', '/v1/assets')).body);
      expect(await seen('viewer')).not.toContain('held.csv');
      expect(await seen('operator')).not.toContain('held.csv');
      expect(await seen('owner')).toContain('held.csv');
    });
  });

  it('a token that is revoked ends its sessions and their streams at once', async () => {
    const { id, secret } = await tokenFor('viewer');
    const page = await withToken(secret);
    const stream = await page.open('GET', '/v1/events', undefined, { cookie: page.cookie, 'sec-fetch-site': 'same-origin' });
    let said = '';
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(stream, 'data');
    const ended = once(stream, 'end');
    expect(await (await owner()).ask('DELETE', `/v1/tokens/${id}`)).toMatchObject({ status: 204 });
    await ended;
    expect(said).toMatch(/^event: hello\n[\s\S]*event: signed-out\n/);
    expect(await page.ask('GET', '/v1/jobs')).toMatchObject({ status: 401, body: { code: 'DT_AUTH_SESSION' } });
    expect(await page.ask('GET', '/v1/session')).toMatchObject({ status: 200 });
  });

  it('a token that is revoked ends the streams that a program has opened with it', async () => {
    const { id, secret } = await tokenFor('viewer');
    const stream = await client().open('GET', '/v1/events', undefined, { authorization: `Bearer ${secret}` });
    let said = '';
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(stream, 'data');
    const ended = once(stream, 'end');
    expect(await (await owner()).ask('DELETE', `/v1/tokens/${id}`)).toMatchObject({ status: 204 });
    await ended;
    expect(said).toContain('event: signed-out');
  });

  it('signing out ends the session, not only the cookie', async () => {
    const page = await owner();
    const { cookie } = page;
    expect(await page.ask('DELETE', '/v1/session')).toMatchObject({ status: 204 });
    expect(page.cookie).toBeUndefined();
    expect(await page.ask('GET', '/v1/jobs', undefined, { cookie })).toMatchObject({ status: 401 });
  });

  it('an auditor of one trace sees its runs and no others', async () => {
    const operator = await publish(world, 'echo', '// nothing', { note: {} });
    const data = await bank.data('trace.csv', 'id\n1\n');
    const leaf = (name: string): Promise<TokenId> =>
      mintLeaf(bank, {
        name,
        services: [{ index: 'run', template: operator, constraint: { note: {} }, path: './inputs/trace.csv' }],
        storePath: data,
      });
    const [shown, other] = [await leaf('shown'), await leaf('other')];
    const fintech = await world.role('Fintech C');
    const task = await fintech.context.ledger.createTask('t', 'd');
    const runOf = async (token: TokenId): Promise<string> => {
      const attributes = compositeAttributes('algorithm', 'Algorithm', { [token]: { service: 'run', constraint: { note: 1 } } });
      const { dt: algorithm } = await composeAsset(fintech.context, { attributes });
      const { shares } = await execJob(fintech.context, { task, algorithm, wait: true });
      return shares[0]?.run?.id ?? '';
    };
    const [inTrace, outside] = [await runOf(shown), await runOf(other)];
    const page = await withToken((await tokenFor('auditor', { scope: shown })).secret);
    const { jobs } = (await page.ask('GET', '/v1/jobs')).body as { jobs: { id: string }[] };
    expect(jobs.map(({ id }) => id)).toEqual([inTrace]);
    expect((await page.ask('GET', `/v1/jobs/${inTrace}/receipt`)).status).toBe(200);
    expect(await page.ask('GET', `/v1/jobs/${outside}/receipt`)).toMatchObject({ status: 404, body: { code: 'DT_JOB_UNKNOWN' } });
    const lineage = (await page.ask('GET', '/v1/lineage')).body as { root: string; nodes: { kind: string; id: string }[] };
    expect(lineage.root).toBe(shown);
    expect(lineage.nodes.map(({ kind }) => kind)).toEqual(['asset', 'algorithm', 'job', 'receipt']);
    expect(await page.ask('GET', `/v1/lineage?token=${other}`)).toMatchObject({ status: 404, body: { code: 'DT_ASSET_UNKNOWN' } });
    const numberOf = async (run: string): Promise<string> => String((await bank.daemon.deps.store.runs.get(run))?.jobId);
    const verified = await page.ask('POST', '/v1/verify', { job: await numberOf(inTrace) });
    expect(verified.status).toBe(200);
    expect(JSON.stringify(verified.body)).not.toContain(other);
    const hidden = { status: 404, body: { code: 'DT_JOB_UNKNOWN' } };
    expect(await page.ask('POST', '/v1/verify', { job: await numberOf(outside) })).toMatchObject(hidden);
    expect(await (await owner()).ask('POST', '/v1/tokens', { role: 'viewer', label: 'x', hours: 1, scope: shown })).toMatchObject({
      status: 400,
    });
  });

  it('a token holds 32 streams and one verification at once, with all of its sessions, and gives them back', async () => {
    const { secret } = await tokenFor('auditor', { label: 'greedy' });
    const bearer = { authorization: `Bearer ${secret}` };
    const busy = { status: 429, body: { code: 'DT_HTTP_BUSY' } };
    const streams = await Promise.all(Array.from({ length: 32 }, () => client().open('GET', '/v1/events', undefined, bearer)));
    expect(streams.map(({ statusCode }) => statusCode)).toEqual(streams.map(() => 200));
    expect(await client().ask('GET', '/v1/events', undefined, bearer)).toMatchObject(busy);
    const session = await withToken(secret);
    expect(await session.ask('GET', '/v1/events')).toMatchObject(busy);
    const others = await client().open('GET', '/v1/events', undefined, { authorization: `Bearer ${(await tokenFor('viewer')).secret}` });
    expect(others.statusCode).toBe(200);
    for (const stream of [...streams, others]) stream.destroy();
    await vi.waitFor(async () => {
      const again = await client().open('GET', '/v1/events', undefined, bearer);
      again.destroy();
      expect(again.statusCode).toBe(200);
    });

    // The store holds the first verification back until the second was refused.
    const [asked, held] = [new AbortController(), new AbortController()];
    const isAsked = once(asked.signal, 'abort');
    const isOver = once(held.signal, 'abort');
    const list = vi.spyOn(bank.daemon.deps.store.runs, 'list').mockImplementationOnce(async () => {
      asked.abort();
      await isOver;
      return [];
    });
    try {
      const first = client().ask('POST', '/v1/verify', { job: '77' }, bearer);
      await isAsked;
      expect(await session.ask('POST', '/v1/verify', { job: '78' })).toMatchObject(busy);
      held.abort();
      expect(await first).toMatchObject({ status: 404 });
      expect(await session.ask('POST', '/v1/verify', { job: '78' })).toMatchObject({ status: 404 });
    } finally {
      list.mockRestore();
    }
  });

  it('a daemon does four verifications at once, whoever asks for them', async () => {
    const secrets = await Promise.all(Array.from({ length: 5 }, (_, i) => tokenFor('auditor', { label: `one of five: ${i}` })));
    const verify = ({ secret }: { secret: string }) =>
      client().ask('POST', '/v1/verify', { job: '77' }, { authorization: `Bearer ${secret}` });
    const held = new AbortController();
    const isOver = once(held.signal, 'abort');
    // The store holds four back until the fifth was refused.
    const list = vi.spyOn(bank.daemon.deps.store.runs, 'list').mockImplementation(async () => {
      await isOver;
      return [];
    });
    try {
      const four = secrets.slice(0, 4).map(verify);
      const arrived = () => list.mock.calls.filter(([query]) => query?.jobId === 77n);
      await vi.waitFor(() => expect(arrived()).toHaveLength(4), { timeout: 20_000 });
      const [last] = secrets.slice(4);
      const refused = last && (await verify(last));
      expect(refused).toMatchObject({ status: 429, body: { code: 'DT_HTTP_BUSY' } });
      expect(JSON.stringify(refused?.body)).toContain('4 verifications');
      held.abort();
      for (const answer of await Promise.all(four)) expect(answer).toMatchObject({ status: 404 });
      expect(last && (await verify(last))).toMatchObject({ status: 404 });
    } finally {
      held.abort();
      list.mockRestore();
    }
  });

  it('no secret is in the database, and who used a session is in the record of requests', async () => {
    const { secret } = await tokenFor('operator');
    const page = await withToken(secret);
    await page.ask('GET', '/v1/jobs');
    const folder = join(bank.folder);
    const files = await Promise.all(['state.db', 'state.db-wal'].map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))));
    const stored = Buffer.concat(files);
    expect(stored.includes('a operator')).toBe(true);
    expect(stored.includes(secret)).toBe(false);
    expect(stored.includes(page.cookie?.split('=')[1] ?? 'x')).toBe(false);
    const [last] = await bank.daemon.deps.store.requests.list({ limit: 1 });
    expect(last).toMatchObject({ action: 'GET /v1/jobs', requester: bank.address, via: 'operator: a operator' });
  });
});
