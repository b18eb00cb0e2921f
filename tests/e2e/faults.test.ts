import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import {
  type BankProcess,
  compositeAttributes,
  createWorld,
  mintLeaf,
  PASSWORD,
  publish,
  type Role,
  type World,
} from '../support/world.js';

const SECRET = 'row-of-a-customer-4711';
const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const { seconds, name } = JSON.parse(readFileSync('args.json', 'utf8'));
const rows = readFileSync('inputs/a.csv', 'utf8').split('\\n').length;
setTimeout(() => writeFileSync('outputs/' + name, String(rows)), seconds * 1000);
`;

describe('faults', () => {
  let world: World;
  let bank: BankProcess;
  let fintech: Role;
  let leaf: TokenId;
  let task: bigint;

  const algorithm = async (name: string, seconds: number): Promise<TokenId> => {
    const constraint = { seconds, name };
    return (
      await composeAsset(fintech.context, {
        attributes: compositeAttributes(`${name} ${seconds}`, 'Algorithm', { [leaf]: { service: 'run', constraint } }),
      })
    ).dt;
  };
  const submit = async (dt: TokenId) => {
    const { shares, job } = await execJob(fintech.context, { task, algorithm: dt, wait: false });
    if (shares[0]?.problem !== undefined) throw shares[0].problem;
    return { party: shares[0]!.party, run: shares[0]!.run!, job };
  };

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bankProcess('Bank A', { log: { level: 'trace' }, jobs: { concurrency: 1 } });
    fintech = await world.role('Fintech C');
    const operator = await publish(world, 'slow', OPERATOR, { seconds: {}, name: {} });
    const storePath = await bank.data('a.csv', `id\n${SECRET}\n`);
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'run', template: operator, constraint: { seconds: {}, name: {} } }],
      storePath,
    });
    task = await fintech.context.ledger.createTask('t', 'd');
  });
  afterAll(() => world.close());

  it('a daemon that is killed takes its jobs up again: the running one and the queued one', async () => {
    const slow = await algorithm('a', 1);
    const first = await submit(slow);
    const second = await submit(await algorithm('b', 0));
    for await (const event of first.party.client.events(first.run.id)) if (event.data.includes('"running"')) break;
    await bank.kill('SIGKILL');
    await bank.restart();
    expect(await followRun(first.party, first.run)).toMatchObject({
      state: 'succeeded',
      attempt: 2,
      outputs: [{ name: 'a', sizeBytes: 1 }],
    });
    expect(await followRun(second.party, second.run)).toMatchObject({ state: 'succeeded', attempt: 1 });
    await expect
      .poll(async () => (await fintech.context.index.read((index) => index.job(first.job)))?.reports.get(leaf)?.state, { timeout: 20_000 })
      .toBe('succeeded');
  });

  it('jobs wait while the chain is down, and receipts are anchored when it is back', async () => {
    const running = await submit(await algorithm('c', 1));
    const queued = await submit(await algorithm('d', 0));
    await world.chain.close();
    const down = await execJob(fintech.context, { task, algorithm: leaf, wait: false }).catch((error: ToolkitError) => error);
    expect(down).toMatchObject({ code: 'DT_CHAIN_UNREACHABLE', exitCode: 6, retryable: true });
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'succeeded', settlement: 'pending' });
    // It is tried now and then, and goes back into its place.
    expect(['queued', 'staging']).toContain((await queued.party.client.job(queued.run.id)).state);
    await world.restartChain();
    expect(await followRun(queued.party, queued.run)).toMatchObject({ state: 'succeeded', attempt: 1 });
    await expect.poll(async () => (await queued.party.client.job(queued.run.id)).settlement, { timeout: 20_000 }).toBe('anchored');
  }, 90_000);

  it('no secret is in any log, error, receipt or command line', async () => {
    const { party, run } = await submit(await algorithm('e', 0));
    await followRun(party, run);
    const shown = [
      bank.said(),
      JSON.stringify(await party.client.receipt(run.id)),
      JSON.stringify(await party.client.job(run.id)),
      await readFile(`/proc/${bank.pid()}/cmdline`, 'utf8'),
    ];
    for (const text of shown)
      for (const secret of [SECRET, PASSWORD, bank.wallet.privateKey.slice(2)]) expect(text.includes(secret)).toBe(false);
    expect(bank.said()).toContain('"msg":"request"');
  });

  it('a second daemon on the same store, and a busy port, are refused', async () => {
    const { spawnSync } = await import('node:child_process');
    const start = (env: NodeJS.ProcessEnv) =>
      spawnSync(
        process.execPath,
        [fileURLToPath(new URL('../../bin/run.js', import.meta.url)), 'daemon', 'run', '--config', `${bank.folder}/daemon.yaml`, '--json'],
        {
          env: { PATH: process.env['PATH'], DT_PASSWORD: PASSWORD, ...env },
          encoding: 'utf8',
        },
      );
    const twice = start({});
    expect([twice.status, JSON.parse(twice.stdout).error.code]).toEqual([expect.any(Number), 'DT_STORE_IN_USE']);
    expect(twice.status).not.toBe(0);
    const busy = start({ DT_DAEMON__STORE__URL: `sqlite:${bank.folder}/other.db`, DT_DAEMON__LISTEN__PORT: new URL(bank.url).port });
    expect(JSON.parse(busy.stdout).error).toMatchObject({ code: 'DT_PORT_BUSY' });
    const wrong = start({ DT_PASSWORD: 'wrong' });
    expect(JSON.parse(wrong.stdout).error).toMatchObject({ code: 'DT_KEY_WRONG_PASSWORD' });
  });

  it('serves TLS itself', async () => {
    const file = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}.pem`, import.meta.url));
    const secure = await world.bank('Bank T', { tls: { certFile: file('cert'), keyFile: file('key') } });
    expect(secure.daemon.url).toMatch(/^https:/);
    const ca = await readFile(file('cert'));
    const identity = await new Promise<string>((resolve, reject) => {
      request(`${secure.daemon.url}/v1/identity`, { ca, minVersion: 'TLSv1.3' }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(identity)).toMatchObject({ organization: secure.address });
  });
});
