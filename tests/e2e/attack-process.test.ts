import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import type { TokenId } from '../../src/documents/ids.js';
import { type BankProcess, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';
import { homeIn, jsonDt, startDt } from '../unit/commands/dt-program.js';

const MARK = `marked-${randomBytes(8).toString('hex')}`;
const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
process.title = '${MARK}';
const { mode } = JSON.parse(readFileSync('args.json', 'utf8'));
if (mode === 'wait') setTimeout(() => undefined, 60_000);
writeFileSync('outputs/a', 'done');
`;
const canMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0 && process.getuid?.() === 0;

/** Kills, full disks and other users of the machine. */
describe('attacks on processes and files', () => {
  let world: World;
  let bank: BankProcess;
  let fintech: Role;
  let leaf: TokenId;
  let task: bigint;
  let jobs: string;

  const algorithm = async (name: string, mode: string, child = leaf): Promise<TokenId> =>
    (
      await composeAsset(fintech.context, {
        attributes: compositeAttributes(name, 'Algorithm', { [child]: { service: 'run', constraint: { mode } } }),
      })
    ).dt;
  const submit = async (dt: TokenId) => {
    const { shares } = await execJob(fintech.context, { task, algorithm: dt, wait: false });
    if (shares[0]?.problem !== undefined) throw shares[0].problem;
    return { party: shares[0]!.party, run: shares[0]!.run! };
  };
  const marked = async (): Promise<number> => {
    const lines = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8'));
    return (await Promise.allSettled(lines)).filter((line) => line.status === 'fulfilled' && line.value.startsWith(MARK)).length;
  };

  beforeAll(async () => {
    world = await createWorld();
    jobs = join(world.folder, 'Bank A', 'jobs');
    bank = await world.bankProcess('Bank A', { jobs: { concurrency: 1 }, log: { level: 'trace' } });
    fintech = await world.role('Fintech C');
    const operator = await publish(world, 'op', OPERATOR, { mode: {} });
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'run', template: operator, constraint: { mode: {} } }],
      storePath: await bank.data('a.csv', 'x'.repeat(1 << 20)),
    });
    task = await fintech.context.ledger.createTask('t', 'd');
  });
  afterAll(() => world.close());

  it('a daemon that is told to stop leaves no process behind, and loses nothing of its queue', async () => {
    const wait = await algorithm('wait', 'wait');
    const plain = await algorithm('plain', 'plain');
    const running = await submit(wait);
    const queued = [];
    for (let i = 0; i < 5; i++) queued.push(await submit(plain));
    for await (const event of running.party.client.events(running.run.id)) if (event.data.includes('"running"')) break;
    await expect.poll(marked).toBe(1);
    await bank.kill('SIGTERM');
    expect(await marked()).toBe(0);
    await bank.restart();
    await running.party.client.cancel(running.run.id);
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'canceled' });
    for (const { party, run } of queued) expect(await followRun(party, run)).toMatchObject({ state: 'succeeded', attempt: 1 });
  });

  it('nobody else on the machine can read what a daemon keeps', async () => {
    const { party, run } = await submit(await algorithm('files', 'wait'));
    for await (const event of party.client.events(run.id)) if (event.data.includes('"running"')) break;
    const open: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        const stats = await lstat(path).catch(() => undefined);
        if (stats === undefined || ['data', 'daemon.yaml'].includes(name)) continue;
        if (stats.isDirectory()) {
          if ((stats.mode & 0o011) !== 0) await walk(path);
        } else if ((stats.mode & 0o077) !== 0) open.push(path);
      }
    };
    await walk(bank.folder);
    expect(open).toEqual([]);
    await party.client.cancel(run.id);
    expect(await followRun(party, run)).toMatchObject({ state: 'canceled' });
  });

  it.skipIf(!canMount)('a full disk fails the job that it hits, not the daemon, and tells no stranger of folders', async () => {
    const dt = await algorithm('full', 'plain');
    await bank.kill('SIGTERM');
    await mkdir(jobs, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1400k', 'tmpfs', jobs]);
    try {
      await writeFile(join(jobs, 'ballast'), Buffer.alloc(700 << 10));
      await bank.restart();
      const { party, run } = await submit(dt);
      const ended = await followRun(party, run);
      expect(ended).toMatchObject({ state: 'failed', failure: { code: 'DT_BUG_UNEXPECTED' } });
      expect(JSON.stringify([ended, await party.client.receipt(run.id)])).not.toContain(world.folder);
      await rm(join(jobs, 'ballast'));
      await party.client.rerun(run.id).catch(() => undefined);
      await expect
        .poll(
          async () => {
            const { state } = await party.client.job(run.id);
            if (state === 'failed') await party.client.rerun(run.id).catch(() => undefined);
            return state;
          },
          { timeout: 20_000 },
        )
        .toBe('succeeded');
    } finally {
      await bank.kill('SIGTERM');
      execFileSync('umount', [jobs]);
      await bank.restart();
    }
  });

  it('headers without end and bodies that lie about their length do not end the daemon', async () => {
    const { port, hostname } = new URL(bank.url);
    const first = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(text));
        socket.once('data', (chunk) => resolve(chunk.toString('latin1').split('\r\n')[0] as string));
        socket.on('error', () => resolve('reset'));
        socket.on('close', () => resolve('reset'));
      });
    expect(await first(`GET /v1/health HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(1 << 20)}\r\n\r\n`)).toMatch(/431|reset/);
    const double = 'POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await first(double)).toMatch(/ 400 /);
    const bomb = execFileSync('gzip', ['-c'], { input: Buffer.alloc(64 << 20, 0x20) });
    const answer = await fetch(`${bank.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: bomb,
    });
    expect(answer.status).toBe(413);
    expect((await fetch(`${bank.url}/v1/health`)).status).toBe(200);
  });

  it('a command that is killed while it composes is repeated as it is', async () => {
    const home = await homeIn(world, 'killed');
    const env = { DT_PRIVATE_KEY: fintech.wallet.privateKey };
    for (const [i, until] of [/Check every constraint/, /Mint composite/, /Ask /].entries()) {
      const attributes = compositeAttributes(`killed ${i}`, 'Algorithm', { [leaf]: { service: 'run', constraint: { mode: 'plain' } } });
      await writeFile(join(home, `${i}.json`), JSON.stringify(attributes));
      const argv = ['asset', 'cdt', '--attr-file', `${i}.json`, '--as', 'same'];
      const started = startDt(argv, { home, env });
      await started.until(until);
      started.child.kill('SIGKILL');
      await started.ended;
      const { dt } = await jsonDt(argv, { home, env });
      expect(await jsonDt(['asset', 'check', '--dt', '@same'], { home, env })).toMatchObject({ dt, allowed: true });
    }
  });
});
