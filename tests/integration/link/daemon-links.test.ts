import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerOrganization } from '../../../src/actions/system/register-organization.js';
import type { Address, Bytes32 } from '../../../src/documents/ids.js';
import type { Organization } from '../../../src/ledger/ledger.js';
import { DaemonClient } from '../../../src/peers/daemon-client.js';
import { LinkKey, openLinkKey } from '../../../src/peers/link/link-key.js';
import { loadConfig } from '../../../src/tracer-daemon/config/load-config.js';
import { startDaemon } from '../../../src/tracer-daemon/start-daemon.js';
import { digestOfSecret, newSecret } from '../../../src/tracer-daemon/web/secret.js';
import { type BankRole, createWorld, PASSWORD, type World } from '../../support/world.js';
import { PageClient } from '../web/page-client.js';
import { payload } from './link-world.js';

const ZERO = `0x${'0'.repeat(64)}`;
let sessions = 0;

describe('the links of daemons', () => {
  let world: World;
  let one: BankRole;
  let two: BankRole;
  let caller: BankRole;

  beforeAll(async () => {
    world = await createWorld();
    const config = { sandbox: { level: 'process' }, jobs: { concurrency: 1 } } as const;
    one = await world.bank('Bank A', config);
    two = await world.bank('Bank B', config);
    caller = await world.bank('Helper', { ...config, link: { listen: undefined, peerWaitSeconds: 5 } });
  }, 60_000);
  afterAll(() => world.close());

  const record = async (address: Address): Promise<Organization | undefined> =>
    (await world.system.context.ledger.operatorsAndOrganizations([], [address])).organizations[0];
  const keyOnChain = async (address: Address): Promise<string | undefined> => (await record(address))?.linkKey;
  const identity = (bank: BankRole) =>
    new DaemonClient({ url: new URL(bank.daemon.url), domain: one.context.ledger.ref, organization: bank.address }).identity();
  const health = async (bank: BankRole) => (await (await fetch(`${bank.daemon.url}/v1/health`)).json()) as { links: unknown };
  const expectKeyState = (bank: BankRole, state: string) =>
    expect.poll(() => bank.daemon.deps.linkKeyState(), { timeout: 20_000 }).toBe(state);

  /** Both ends of a channel, by the addresses of the organizations alone, and a message each way. */
  const talk = async (left: BankRole, right: BankRole): Promise<void> => {
    const session = `session-${++sessions}`;
    const [here, there] = await Promise.all([
      left.daemon.deps.links.channel(right.address, session, 'data', { timeoutMs: 20_000 }),
      right.daemon.deps.links.channel(left.address, session, 'data', { timeoutMs: 20_000 }),
    ]);
    const message = payload(sessions, 70_000);
    await Promise.all([here.send(message), there.send(message)]);
    expect(Buffer.from(await there.receive()).equals(message)).toBe(true);
    expect(Buffer.from(await here.receive()).equals(message)).toBe(true);
    await Promise.all([here.close(), there.close()]);
  };

  it('a daemon says where its link port is, with the key that the chain holds; one that only calls says nothing', async () => {
    const { link } = await identity(one);
    expect(link).toEqual({ port: one.daemon.deps.links.port, key: await keyOnChain(one.address) });
    expect(link?.port).toBeGreaterThan(0);
    expect(await identity(caller)).not.toHaveProperty('link');
    await expectKeyState(one, 'published');
    expect((await health(one)).links).toEqual({ key: 'published', port: link?.port, connected: 0 });
    expect((await health(caller)).links).not.toHaveProperty('port');
  });

  it.each([
    ['two that listen', () => [one, two] as const],
    ['the same, asked the other way round', () => [two, one] as const],
    ['one that only calls', () => [caller, one] as const],
    ['to one that only calls, which calls by itself', () => [two, caller] as const],
  ])('open a channel by the address of the organization: %s', async (_, pair) => {
    const [left, right] = pair();
    await talk(left, right);
  });

  it('tell the pages of the organization when one goes up or down', async () => {
    const secret = newSecret();
    const access = { kind: 'token', role: 'viewer', label: 'a page', scope: undefined, expiresAt: Date.now() + 600_000 } as const;
    await one.daemon.deps.store.access.issue(access, digestOfSecret(secret));
    const headers = { authorization: `Bearer ${secret}` };
    const client = new PageClient(one.daemon.url);
    const peersOf = async () => (await client.ask('GET', '/v1/overview', undefined, headers)).body['links'];
    one.daemon.deps.links.reconnect(two.address, 'the test starts without a link');
    const stream = await client.open('GET', '/v1/events', undefined, headers);
    let said = '';
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const told = async (): Promise<void> => {
      await vi.waitFor(() => expect(said).toContain('event: peers\ndata: {}\n\n'), { timeout: 20_000 });
      said = '';
    };
    try {
      await vi.waitFor(() => expect(said).toContain('event: hello'), { timeout: 20_000 });
      await talk(one, two);
      await told();
      expect(await peersOf()).toMatchObject({
        peers: expect.arrayContaining([expect.objectContaining({ peer: two.address, isConnected: true })]),
      });
      one.daemon.deps.links.reconnect(two.address, 'the test goes on without it');
      await told();
      expect(await peersOf()).not.toMatchObject({
        peers: expect.arrayContaining([expect.objectContaining({ peer: two.address, isConnected: true })]),
      });
    } finally {
      stream.destroy();
    }
  });

  it('count what crossed them, and who is connected', async () => {
    await talk(one, two);
    const text = await (await fetch(`${one.daemon.url}/v1/metrics`)).text();
    const value = (line: string): number => Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(value(`dt_link_bytes_total{peer="${two.address}",direction="sent"}`)).toBeGreaterThan(70_000);
    expect(value(`dt_link_bytes_total{peer="${two.address}",direction="received"}`)).toBeGreaterThan(70_000);
    expect(value('dt_link_connected')).toBeGreaterThan(0);
  });

  it('keep their key in a file that nobody else can read', async () => {
    const file = join(one.folder, 'link.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await openLinkKey(file)).publicKey).toBe(await keyOnChain(one.address));
    expect(await readFile(join(one.folder, 'daemon.yaml'), 'utf8')).not.toContain('PRIVATE');
  });

  it('refuse a daemon whose key is not the one on chain, and say so; the chain can heal it', async () => {
    const right = await record(two.address);
    if (right === undefined) throw new Error('not registered');
    await talk(one, two);
    const wrong = LinkKey.create().publicKey;
    await registerOrganization(world.system.context, { address: two.address, linkKey: wrong });
    await expectKeyState(two, 'differs');
    await expect.poll(async () => one.daemon.deps.links.peers().some((link) => link.peer === two.address && link.isConnected)).toBe(false);
    const refused = one.daemon.deps.links.channel(two.address, 'session-wrong', 'data', { timeoutMs: 30_000 });
    const meanwhile = two.daemon.deps.links.channel(one.address, 'session-wrong', 'data', { timeoutMs: 30_000 }).catch(() => undefined);
    await expect(refused).rejects.toMatchObject({
      code: 'DT_LINK_KEY_MISMATCH',
      details: { peer: two.address, shown: right.linkKey, expected: wrong },
    });
    two.daemon.deps.links.close('session-wrong', 'the test is over');
    await meanwhile;
    // It does not fight over the place with whoever put the other key there.
    expect(await keyOnChain(two.address)).toBe(wrong);
    await registerOrganization(world.system.context, { address: two.address, linkKey: right.linkKey });
    await expectKeyState(two, 'published');
    await talk(one, two);
  }, 90_000);

  it('get a new key by a new file and a restart', async () => {
    const before = await keyOnChain(two.address);
    await two.daemon.close();
    await rm(join(two.folder, 'link.key'));
    await two.restart();
    await expectKeyState(two, 'published');
    const after = await keyOnChain(two.address);
    expect(after).not.toBe(before);
    expect(after).toBe((await identity(two)).link?.key);
    // The URL and the rest stay as they were.
    expect(await record(two.address)).toMatchObject({ name: 'Bank B', url: two.daemon.url, isProvider: true });
    await talk(one, two);
    await talk(two, one);
  }, 60_000);

  it('keep their key when the administrator or the organization changes the URL', async () => {
    const before = await record(one.address);
    await registerOrganization(world.system.context, { address: one.address, url: 'http://127.0.0.1:1' });
    expect(await record(one.address)).toEqual({ ...before, url: 'http://127.0.0.1:1' });
    await registerOrganization(one.context, { address: one.address, url: one.daemon.url });
    expect(await record(one.address)).toEqual(before);
    await talk(two, one);
  });

  it('put the key on chain as soon as the organization is registered, and again when somebody empties its place', async () => {
    // A bank that nobody has registered yet.
    const config = { sandbox: { level: 'process' } } as const;
    const stranger = await world.unregistered('Bank D', config);
    await expectKeyState(stranger, 'unregistered');
    await registerOrganization(world.system.context, { address: stranger.address, name: 'Bank D', url: stranger.daemon.url });
    await expectKeyState(stranger, 'published');
    expect(await keyOnChain(stranger.address)).toBe((await identity(stranger)).link?.key);
    await talk(stranger, one);
    await registerOrganization(world.system.context, { address: stranger.address, linkKey: ZERO as Bytes32 });
    await expect.poll(() => keyOnChain(stranger.address), { timeout: 20_000 }).not.toBe(ZERO);
    await talk(one, stranger);
  }, 60_000);

  it('start without the chain, and publish the key when it is back', async () => {
    await two.daemon.close();
    await rm(join(two.folder, 'link.key'));
    await world.chain.close();
    await two.restart();
    expect(two.daemon.deps.linkKeyState()).toBe('unknown');
    await world.restartChain();
    await expectKeyState(two, 'published');
    expect(await keyOnChain(two.address)).toBe(two.daemon.deps.links.publicKey);
    await talk(one, two);
  }, 90_000);

  it('advertise another place, and refuse a key file that others can read', async () => {
    const file = join(caller.folder, 'daemon.yaml');
    await caller.daemon.close();
    const start = async (environment: Record<string, string>) => startDaemon(await loadConfig(file, environment), { password: PASSWORD });
    const environment = { DT_DAEMON__LINK__LISTEN__PORT: '0', DT_DAEMON__LINK__ADVERTISE: 'helper.example:9443' };
    caller.daemon = await start({ ...environment, DT_DAEMON__LISTEN__PORT: '0' });
    expect((await identity(caller)).link).toMatchObject({ host: 'helper.example', port: 9443 });
    await caller.daemon.close();
    const key = join(caller.folder, 'open.key');
    await writeFile(key, 'x', { mode: 0o644 });
    await expect(start({ DT_DAEMON__LINK__KEY_FILE: key })).rejects.toMatchObject({ code: 'DT_LINK_KEY_FILE' });
    await caller.restart();
  });
});

describe('what a peer says of itself', () => {
  const organization = `0x${'1'.repeat(40)}` as Address;
  const good = {
    organization,
    chain: { chainId: 1, market: `0x${'2'.repeat(40)}` },
    software: 'x',
    sandbox: { level: 'namespaces', layers: [] },
  };
  const key = `0x${'3'.repeat(64)}`;

  const identityOf = async (body: unknown) => {
    const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const domain = { chainId: 1, market: organization };
      return await new DaemonClient({ url, domain, organization }).identity();
    } finally {
      server.close();
    }
  };

  it.each([
    [{ ...good, link: { port: 0, key } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 65_536, key } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: '80', key } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 80 } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: null }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 80, key, host: 'a b' } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 80, key, host: 'user@host' } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 80, key, host: 'host/path' } }, 'DT_PEER_ANSWER'],
    [{ ...good, link: { port: 80, key, host: '169.254.169.254' } }, 'DT_PEER_FORBIDDEN_TARGET'],
    [{ ...good, link: { port: 80, key, host: '0xa9fea9fe' } }, 'DT_PEER_FORBIDDEN_TARGET'],
    [{ ...good, link: { port: 80, key, host: 'fe80::1' } }, 'DT_PEER_FORBIDDEN_TARGET'],
    [{ ...good, organization: `0x${'4'.repeat(40)}` }, 'DT_PEER_ANSWER'],
    [{ ...good, sandbox: 3 }, 'DT_PEER_ANSWER'],
    [[], 'DT_PEER_ANSWER'],
  ])('is read with care: %j', async (body, code) => {
    await expect(identityOf(body)).rejects.toMatchObject({ code });
  });

  it('may name another host, an IPv6 one as well', async () => {
    expect((await identityOf({ ...good, link: { port: 80, key, host: '2001:DB8::1' } })).link).toEqual({
      port: 80,
      key,
      host: '2001:db8::1',
    });
    expect((await identityOf({ ...good, link: { port: 80, key, host: 'bank.example' } })).link?.host).toBe('bank.example');
    expect(await identityOf(good)).not.toHaveProperty('link');
  });
});
