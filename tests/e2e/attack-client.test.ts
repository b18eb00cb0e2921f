import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchOutputs } from '../../src/actions/job/fetch-outputs.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import type { Party } from '../../src/actions/job/job-parties.js';
import { Home } from '../../src/cli/home.js';
import type { Address, Bytes32, TokenId } from '../../src/documents/ids.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import { DaemonClient, type OutputView, type RunView } from '../../src/peers/daemon-client.js';
import { parseDaemonUrl } from '../../src/peers/daemon-url.js';

const sha256 = (text: string): Bytes32 => `0x${createHash('sha256').update(text).digest('hex')}` as Bytes32;
const token = `dt:ownership:${'ab'.repeat(32)}` as TokenId;
const owner = `0x${'11'.repeat(20)}` as Address;
const RUN: RunView = {
  id: '00000000-0000-4000-8000-000000000000',
  job: '1',
  task: '1',
  algorithm: token,
  token,
  consumer: owner,
  state: 'succeeded',
  attempt: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  outputs: [],
  settlement: 'none',
};

/** What a daemon that lies can do to who asks it. */
describe('attacks of a daemon on its client', () => {
  let server: Server;
  let answer: RequestListener;
  let party: Party;
  let folder: string;

  const error = async (work: Promise<unknown>): Promise<ToolkitError> =>
    work.then(
      () => expect.fail('it was not refused'),
      (thrown) => thrown as ToolkitError,
    );
  const json =
    (value: unknown, status = 200): RequestListener =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
  /** Writes as long as somebody reads. */
  const endless =
    (chunk: Buffer, head = '', status = 200): RequestListener =>
    (_, response) => {
      response.writeHead(status);
      response.write(head);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };

  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const signer = new Wallet(Wallet.createRandom().privateKey);
    const client = new DaemonClient({ url, signer, organization: owner, domain: { chainId: 1, market: owner } });
    party = { token, assetName: 'a', owner, ownerName: 'o', client };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-attack-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['no outputs', { ...RUN, outputs: undefined }],
    ['outputs that are none', { ...RUN, outputs: [{ name: 1 }] }],
    ['a size below zero', { ...RUN, outputs: [{ name: 'a', sizeBytes: -1, sha256: sha256('') }] }],
    ['a digest that is none', { ...RUN, outputs: [{ name: 'a', sizeBytes: 1, sha256: '0x../..' }] }],
    ['a state that is no text', { ...RUN, state: { toString: 'x' } }],
    ['a failure that is none', { ...RUN, failure: 'x' }],
    ['a token that is none', { ...RUN, token: '../x' }],
    ['a failure without end', { ...RUN, failure: { code: 'x', message: ['m'], hint: 'h' } }],
  ])('a run told as %s is named, not believed', async (_, value) => {
    answer = json(value);
    expect((await error(party.client.job(RUN.id))).code).toBe('DT_PEER_ANSWER');
    answer = json({ jobs: [value] });
    expect((await error(party.client.jobs())).code).toBe('DT_PEER_ANSWER');
  });

  it('keeps a run as it was told, without what it does not know', async () => {
    answer = json({ ...RUN, more: 1, failure: { code: 'c', message: 'm', hint: 'h', details: { a: 1 }, stack: 's' } });
    expect(await party.client.job(RUN.id)).toEqual({ ...RUN, failure: { code: 'c', message: 'm', hint: 'h', details: { a: 1 } } });
  });

  it.each<[string, RequestListener]>([
    ['an answer', endless(Buffer.alloc(1 << 20, 0x20))],
    ['a problem', endless(Buffer.alloc(1 << 20, 0x20), '{"code":"', 500)],
  ])('%s without end is not read without end', async (_, listener) => {
    answer = listener;
    expect((await error(party.client.job(RUN.id))).code).toBe('DT_PEER_ANSWER');
  });

  it('events without end, or that are none, end the following', async () => {
    answer = endless(Buffer.alloc(1 << 20, 0x61), 'data: ');
    expect((await error(followRun(party, RUN))).code).toBe('DT_PEER_ANSWER');
    for (const data of ['null', '1', '"x"', '[]', '{']) {
      answer = (_, response) => response.end(`event: log\ndata: ${data}\n\n`);
      expect((await error(followRun(party, RUN))).code, data).toBe('DT_PEER_ANSWER');
    }
  });

  it.each([
    '../x',
    '/etc/x',
    'a/../../x',
    '..',
    '.',
    '',
    'a/',
    '/',
    'a//b',
    'a\\b',
    'a\0b',
    'a\nb',
    '\u202etxt.exe',
    'x'.repeat(300),
    `${'a/'.repeat(40)}b`,
  ])('an output called %j is not written', async (name) => {
    answer = (_, response) => response.end('x');
    const output: OutputView = { name, sizeBytes: 1, sha256: sha256('x') };
    expect((await error(fetchOutputs(party, { ...RUN, outputs: [output] }, join(folder, 'out')))).code).toBe('DT_PEER_ANSWER');
    expect((await readdir(folder, { recursive: true })).filter((found) => found !== 'out')).toEqual([]);
  });

  it('an output is not read beyond its size, and not believed when it differs', async () => {
    const output: OutputView = { name: 'a', sizeBytes: 10, sha256: sha256('x') };
    answer = endless(Buffer.alloc(1 << 20));
    expect((await error(fetchOutputs(party, { ...RUN, outputs: [output] }, folder))).code).toBe('DT_PEER_ANSWER');
    answer = (_, response) => response.end('0123456789');
    expect((await error(fetchOutputs(party, { ...RUN, outputs: [output] }, folder))).code).toBe('DT_PEER_ANSWER');
    expect(await readdir(folder)).toEqual([]);
  });

  it('a download that breaks off is named, and goes on where it stopped', async () => {
    const text = 'x'.repeat(100_000);
    const output: OutputView = { name: 'a', sizeBytes: text.length, sha256: sha256(text) };
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': text.length });
      response.write(text.slice(0, 50_000), () => setImmediate(() => response.destroy()));
    };
    expect((await error(fetchOutputs(party, { ...RUN, outputs: [output] }, folder))).code).toBe('DT_PEER_UNREACHABLE');
    let range: string | undefined;
    answer = (request, response) => {
      range = request.headers.range;
      const offset = Number(/\d+/.exec(range ?? '0')?.[0]);
      response.writeHead(offset > 0 ? 206 : 200).end(text.slice(offset));
    };
    await fetchOutputs(party, { ...RUN, outputs: [output] }, folder);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe(text);
  });

  it('an output called like the beginning of another does not destroy it, also the second time', async () => {
    const outputs: OutputView[] = ['a', 'a.part'].map((name) => ({ name, sizeBytes: name.length, sha256: sha256(name) }));
    answer = (request, response) => {
      const name = String(request.url).split('/').at(-1) as string;
      const offset = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      response.writeHead(offset > 0 ? 206 : 200).end(name.slice(offset));
    };
    for (let i = 0; i < 2; i++) await fetchOutputs(party, { ...RUN, outputs }, folder);
    expect([await readFile(join(folder, 'a'), 'utf8'), await readFile(join(folder, 'a.part'), 'utf8')]).toEqual(['a', 'a.part']);
  });

  it('a link in the place of a file is replaced, not followed', async () => {
    const target = join(folder, 'precious');
    await writeFile(target, 'mine');
    const out = join(folder, 'out');
    await mkdir(out);
    await symlink(target, join(out, 'a'));
    await symlink(target, join(out, `.${sha256('x').slice(2, 34)}.part`));
    answer = (_, response) => response.end('x');
    const output: OutputView = { name: 'a', sizeBytes: 1, sha256: sha256('x') };
    await fetchOutputs(party, { ...RUN, outputs: [output] }, out).catch(() => undefined);
    expect(await readFile(target, 'utf8')).toBe('mine');
  });

  it.each([
    'http://169.254.169.254/',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
  ])('%s is no daemon', (url) => {
    expect(() => parseDaemonUrl(url)).toThrow(expect.objectContaining({ code: 'DT_PEER_FORBIDDEN_TARGET' }));
  });

  it('names that two commands save at once are both kept', async () => {
    const homes = [new Home(folder), new Home(folder), new Home(folder)];
    await Promise.all(Array.from({ length: 30 }, (_, i) => homes[i % 3]!.saveName(`n${i}`, token)));
    expect(Object.keys(await new Home(folder).names())).toHaveLength(30);
  });

  it('names of things that every object has stand for nothing', async () => {
    const home = new Home(folder);
    await home.saveName('mine', token);
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__'])
      expect((await error(home.tokenId(`@${name}`, 'x'))).code, name).toBe('DT_NAME_UNKNOWN');
    expect((await error(home.withoutNames({ a: '@constructor' }, 'x.json'))).code).toBe('DT_NAME_UNKNOWN');
  });
});
