import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import { partiesOf } from '../../src/actions/job/job-parties.js';
import { publishDocuments } from '../../src/actions/publish-documents.js';
import { canonicalBytes } from '../../src/documents/canonical.js';
import { type AssetAttributes, buildDdo, saltOfAsset } from '../../src/documents/ddo/ddo.js';
import type { Address, Bytes32, TokenId } from '../../src/documents/ids.js';
import type { SignedRequest } from '../../src/documents/job/typed-data.js';
import { authorizationHeader, computeBody, type GrantRequest, grantBody } from '../../src/documents/job/wire.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import { DaemonClient } from '../../src/peers/daemon-client.js';
import { freshEnvelope, signRequest } from '../../src/peers/signer.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

const OPERATOR = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
const { mode } = JSON.parse(readFileSync('args.json', 'utf8'));
if (mode === 'plain') writeFileSync('outputs/100% a?b#c%2e.txt', 'done');
if (mode === 'slow') setTimeout(() => undefined, 2500);
if (mode === 'wait') setTimeout(() => undefined, 60_000);
if (mode === 'log') {
  for (let i = 0; i < 1000; i++) console.log('x'.repeat(4000));
  console.log('the last line');
  setTimeout(() => undefined, 60_000);
}
if (mode === 'names')
  for (let folder = 0; folder < 8; folder++) {
    const path = 'outputs/' + [1, 2, 3, 4].map((n) => String(folder) + 'x'.repeat(200)).join('/');
    mkdirSync(path, { recursive: true });
    for (let i = 0; i < 64; i++) writeFileSync(path + '/' + 'y'.repeat(200) + i, '');
  }
`;

/** What a stranger, a demander or an author of documents can do to a daemon over its doors. */
describe('attacks on a daemon', () => {
  let world: World;
  let bank: BankRole;
  let fintech: Role;
  let stranger: Wallet;
  let operator: TokenId;
  let leaf: TokenId;
  let task: bigint;

  const error = async (work: Promise<unknown>): Promise<ToolkitError> =>
    work.then(
      () => expect.fail('it was not refused'),
      (thrown) => thrown as ToolkitError,
    );
  const algorithm = async (name: string, mode: string, child = leaf): Promise<TokenId> =>
    (
      await composeAsset(fintech.context, {
        attributes: compositeAttributes(name, 'Algorithm', { [child]: { service: 'run', constraint: { mode } } }),
      })
    ).dt;
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(bank.daemon.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { code?: string; details?: Record<string, unknown>; until?: number };
    return { status: response.status, ...answer };
  };
  const ask = async (wallet: { address: string } & Pick<Wallet, 'signTypedData'>, change: Partial<GrantRequest>) => {
    const signed = { type: 'grant', dataToken: leaf, until: 0, composite: leaf, ...freshEnvelope(bank.address), ...change } as GrantRequest;
    return post('/v1/grants', grantBody(signed, await signRequest(wallet, fintech.context.ledger.ref, signed), []));
  };
  const compute = async (wallet: Wallet, job: bigint, token: TokenId, dt: TokenId, spec: Bytes32) => {
    const signed = { type: 'compute', job, algorithm: dt, dataToken: token, spec, ...freshEnvelope(bank.address) } as const;
    return post('/v1/jobs', computeBody(signed, await signRequest(wallet, fintech.context.ledger.ref, signed)));
  };
  const proof = async (wallet: Wallet, method: string, path: string, body = ''): Promise<string> => {
    const envelope = freshEnvelope(bank.address);
    const digest = `0x${createHash('sha256').update(body).digest('hex')}` as Bytes32;
    const signed: SignedRequest = { type: 'http', method, path, body: digest, ...envelope };
    return authorizationHeader(envelope, await signRequest(wallet, fintech.context.ledger.ref, signed));
  };
  const records = async (): Promise<number> =>
    (await readdir(join(bank.folder, 'records'), { recursive: true }).catch(() => [])).filter((name) => name.includes('baf')).length;
  const reports = async (job: bigint) => (await fintech.context.index.read((index) => index.job(job)))?.reports.get(leaf)?.state;
  /** Mints what `composeAsset` would refuse: the chain does not read documents. */
  const mintRaw = async (attributes: AssetAttributes, children: readonly TokenId[]): Promise<TokenId> => {
    const { ledger, content } = fintech.context;
    const dt = ledger.deriveId('token', ledger.signer, saltOfAsset(attributes));
    const ddo = buildDdo(attributes, dt, ledger.signer, new Date());
    const minted = await ledger.mintToken(saltOfAsset(attributes), await content.put(canonicalBytes(ddo)), children);
    await publishDocuments(fintech.context, [ddo]);
    return minted;
  };

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A');
    fintech = await world.role('Fintech C');
    stranger = new Wallet(Wallet.createRandom().privateKey);
    operator = await publish(world, 'op', OPERATOR, { mode: {} });
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'run', template: operator, constraint: { mode: {} } }],
      storePath: await bank.data('a.csv', 'id\n1\n'),
    });
    task = await fintech.context.ledger.createTask('t', 'd');
  });
  afterAll(() => world.close());

  it('a receipt that the chain never takes does not keep the others back', async () => {
    const { ledger } = fintech.context;
    // A union that the bank agreed to, and an algorithm that the chain makes of the union, its document of the bank's data itself.
    const union = (
      await composeAsset(fintech.context, {
        attributes: compositeAttributes('union', 'Dataset', { [leaf]: { service: 'run', constraint: { mode: {} } } }),
      })
    ).dt;
    const liar = await mintRaw(compositeAttributes('liar', 'Algorithm', { [leaf]: { service: 'run', constraint: { mode: 'plain' } } }), [
      union,
    ]);
    await ledger.grant(union, liar, 0);
    await ledger.activate(liar);
    const job = await ledger.addJob(task, liar);
    const { specDigest } = await partiesOf(fintech.context, job);
    expect(await compute(fintech.wallet, job, leaf, liar, specDigest)).toMatchObject({ status: 403, code: 'DT_POLICY_DENIED' });

    // It ends when the claim of the first receipt has run out, so that this one is tried first again.
    const honest = await execJob(fintech.context, { task, algorithm: await algorithm('honest', 'slow'), wait: true });
    expect(honest.shares[0]?.run?.state).toBe('succeeded');
    await expect.poll(() => reports(honest.job), { timeout: 20_000 }).toBe('succeeded');
    expect(await reports(job)).toBeUndefined();
  });

  it('a revoked grant does not come back on request, however it is asked for', async () => {
    const dt = await algorithm('revoked', 'plain');
    await bank.context.ledger.revoke(leaf, dt);
    expect(await ask(fintech.wallet, { composite: dt })).toMatchObject({ status: 403, code: 'DT_POLICY_BY_HAND' });
    expect((await error(algorithm('revoked', 'plain'))).code).toBe('DT_POLICY_BY_HAND');
    await bank.context.ledger.grant(leaf, dt, 0);
    expect(await ask(fintech.wallet, { composite: dt })).toMatchObject({ status: 200 });
  });

  it('many requests for grants cost the owner one transaction', async () => {
    const dt = await mintRaw(compositeAttributes('many', 'Algorithm', { [leaf]: { service: 'run', constraint: { mode: 'plain' } } }), [
      leaf,
    ]);
    const granted = async () =>
      (await fintech.context.ledger.events()).filter((event) => event.kind === 'granted' && event.composite === dt).length;
    const { time } = await fintech.context.ledger.head();
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (n) => {
        const signed: GrantRequest = {
          type: 'grant',
          dataToken: leaf,
          composite: dt,
          until: time + 1000 * n,
          ...freshEnvelope(bank.address),
        };
        return post('/v1/grants', grantBody(signed, await signRequest(fintech.wallet, fintech.context.ledger.ref, signed), []));
      }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201]);
    expect(await granted()).toBe(1);
  });

  it('strangers and repeated refusals leave nothing on the disk', async () => {
    const dt = await algorithm('disk', 'plain');
    const job = await fintech.context.ledger.addJob(task, dt);
    const before = await records();
    const spec = `0x${'11'.repeat(32)}` as Bytes32;
    for (let i = 0; i < 3; i++) {
      expect((await compute(stranger, job, leaf, dt, spec)).code).toBe('DT_POLICY_DENIED');
      expect((await ask(stranger, { composite: dt })).code).toBe('DT_POLICY_DENIED');
    }
    // Tokens that are not this bank's, asked for by the demander.
    for (let i = 0; i < 3; i++) {
      const other = `dt:ownership:${randomBytes(32).toString('hex')}` as TokenId;
      expect((await compute(fintech.wallet, job, other, dt, spec)).code).toBe('DT_POLICY_DENIED');
    }
    expect(await records()).toBe(before);
    expect(await bank.daemon.deps.store.runs.list({ jobId: job })).toEqual([]);
    // The demander's own refusal: request, job spec, decision and receipt, once.
    for (let i = 0; i < 3; i++) expect((await compute(fintech.wallet, job, leaf, dt, spec)).code).toBe('DT_POLICY_DENIED');
    expect(await records()).toBe(before + 4);
    expect(await bank.daemon.deps.store.runs.list({ jobId: job })).toHaveLength(1);
  });

  it('of many copies of one request exactly one is taken', async () => {
    const dt = await algorithm('copies', 'plain');
    const job = await fintech.context.ledger.addJob(task, dt);
    const { specDigest } = await partiesOf(fintech.context, job);
    const signed = { type: 'compute', job, algorithm: dt, dataToken: leaf, spec: specDigest, ...freshEnvelope(bank.address) } as const;
    const signature = await signRequest(fintech.wallet, fintech.context.ledger.ref, signed);
    // The same signature in its other spellings: v as 0/1, capitals.
    const v = Number.parseInt(signature.slice(-2), 16) - 27;
    const spellings = [signature, `${signature.slice(0, -2)}0${v}`, `0x${signature.slice(2).toUpperCase()}`];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => post('/v1/jobs', computeBody(signed, spellings[i % 3] as string))),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'DT_AUTH_REPLAYED')).toHaveLength(59);
    // High s, the other signature of the same key over the same bytes.
    const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const high = (n - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const malleable = `${signature.slice(0, 66)}${high}${v === 0 ? '1c' : '1b'}`;
    expect((await post('/v1/jobs', computeBody(signed, malleable))).status).toBe(401);
  });

  it('another spelling of a path gets past neither the checks nor the record', async () => {
    for (const path of ['/V1/assets', '/v1/Assets', '/v1/assets/', '//v1/assets', '/v1/%61ssets', '/v1/./assets']) {
      const socket = await raw(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      expect(socket.split('\r\n')[0], path).toMatch(/ (400|401|404|415) /);
    }
    const authorization = await proof(stranger, 'POST', '/v1/assets', '{"token":"x"}');
    const text = await fetch(`${bank.daemon.url}/v1/assets`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', authorization },
      body: '{"token":"x"}',
    });
    expect(text.status).toBe(400);
  });

  it('paths of outputs lead nowhere else, and odd names arrive as they are', async () => {
    const { shares } = await execJob(fintech.context, { task, algorithm: await algorithm('outputs', 'plain'), wait: true });
    const { party, run } = shares[0]!;
    const name = run!.outputs[0]!.name;
    expect(name).toBe('100% a?b#c%2e.txt');
    expect(await (await party.client.output(run!.id, name)).text()).toBe('done');
    for (const path of ['..%2f..%2fending.json', '%2e%2e/ending.json', '%2fetc%2fpasswd', '..%5cending.json', 'a%00b', '%2e', '%ff', '%']) {
      const target = `/v1/jobs/${run!.id}/outputs/${path}`;
      const authorization = await proof(fintech.wallet, 'GET', target);
      const answer = await raw(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${authorization}\r\n\r\n`);
      expect(answer.split('\r\n')[0], path).toMatch(/ (400|404) /);
    }
    const events = `/v1/jobs/${run!.id}/events`;
    for (const id of ['-1', '1e400', 'x', '9'.repeat(40), '1,2']) {
      const answer = await fetch(bank.daemon.url + events, {
        headers: { 'last-event-id': id, authorization: await proof(fintech.wallet, 'GET', events) },
      });
      expect(answer.status, id).toBe(400);
    }
  });

  it('names of outputs that would burst every receipt fail the run, and it ends', async () => {
    const { shares } = await execJob(fintech.context, { task, algorithm: await algorithm('names', 'names'), wait: true });
    expect(shares[0]?.run).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_OUTPUT_REFUSED' }, outputs: [] });
  });

  it('followers that hang up leave nothing behind', async () => {
    const { shares } = await execJob(fintech.context, { task, algorithm: await algorithm('followed', 'log'), wait: false });
    const { party, run } = shares[0]!;
    for await (const event of party.client.events(run!.id)) if (event.data.includes('the last line')) break;
    const { waker } = bank.daemon.deps.store;
    const subscribe = waker.subscribe.bind(waker);
    let asked = 0;
    let open = 0;
    vi.spyOn(waker, 'subscribe').mockImplementation((listener) => {
      const end = subscribe(listener);
      asked += 1;
      open += 1;
      return () => {
        open -= 1;
        end();
      };
    });
    const hangUp = async (path: string, when: 'at once' | 'when it answers'): Promise<void> => {
      const authorization = await proof(fintech.wallet, 'GET', path);
      const { port, hostname } = new URL(bank.daemon.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise((sent) => socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`, sent));
      if (when === 'when it answers') await once(socket, 'data');
      socket.destroy();
    };
    const path = `/v1/jobs/${run!.id}`;
    for (const when of ['at once', 'when it answers'] as const)
      await Promise.all(Array.from({ length: 12 }, (_, i) => hangUp(`${path}/${i % 2 === 0 ? 'events' : 'logs'}`, when)));
    const files = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(links)).filter((link) => link.includes('operator.log')).length;
    };
    expect(asked).toBeGreaterThan(0);
    await expect.poll(() => open).toBe(0);
    // The one of the run itself.
    await expect.poll(files).toBe(1);
    vi.restoreAllMocks();
    await party.client.cancel(run!.id);
    expect(await followRun(party, run!)).toMatchObject({ state: 'canceled' });
  });

  it('a run whose end cannot be written waits until it can', async () => {
    const folder = join(bank.folder, 'records', 'blocks');
    const { dt, job } = await (async () => {
      const made = await algorithm('full disk', 'wait');
      return { dt: made, job: await fintech.context.ledger.addJob(task, made) };
    })();
    const { specDigest, parties } = await partiesOf(fintech.context, job);
    const { client } = parties[0]!;
    const run = await client.compute({ job, algorithm: dt, dataToken: leaf, spec: specDigest });
    for await (const event of client.events(run.id)) if (event.data.includes('"running"')) break;
    // As with a full disk: no receipt can be written.
    await rename(folder, `${folder}.away`);
    await writeFile(folder, '');
    await client.cancel(run.id);
    for await (const event of client.events(run.id)) if (event.data.includes('"settling"')) break;
    await rm(folder);
    await rename(`${folder}.away`, folder);
    expect(await followRun(parties[0]!, run)).toMatchObject({ state: 'canceled' });
    await expect.poll(() => reports(job), { timeout: 20_000 }).toBe('canceled');
  });

  it('a daemon of another organization at the address gets no use of what it is sent', async () => {
    const other = await world.bank('Bank B');
    const client = new DaemonClient({
      url: new URL(bank.daemon.url),
      signer: fintech.wallet,
      domain: fintech.context.ledger.ref,
      organization: other.address as Address,
    });
    expect((await error(client.assets())).code).toBe('DT_AUTH_SIGNATURE_INVALID');
  });

  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port, hostname } = new URL(bank.daemon.url);
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
});
