import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import type { TokenId } from '../../src/documents/ids.js';
import { loadConfig } from '../../src/tracer-daemon/config/load-config.js';
import { type RunningDaemon, startDaemon } from '../../src/tracer-daemon/start-daemon.js';
import { findPostgres, PostgresServer } from '../integration/store/postgres-server.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, PASSWORD, publish, type Role, type World } from '../support/world.js';

const binaries = findPostgres();
if (binaries === undefined) console.warn('SKIPPED: daemons on a shared PostgreSQL, since no initdb was found (apt-get install postgresql)');
const OPERATOR = `import { writeFileSync } from 'node:fs'; setTimeout(() => writeFileSync('outputs/a.txt', 'a'), 200);`;

describe.skipIf(binaries === undefined)('two daemons of one owner on one PostgreSQL', () => {
  let server: PostgresServer;
  let world: World;
  let bank: BankRole;
  let second: RunningDaemon;
  let fintech: Role;
  let algorithm: TokenId;

  beforeAll(async () => {
    server = await PostgresServer.start(binaries ?? '');
    world = await createWorld();
    bank = await world.bank('Bank A', { store: { url: await server.createDatabase() }, jobs: { concurrency: 1 } });
    const environment = { DT_DAEMON__LISTEN__PORT: String(await freePort()) };
    second = await startDaemon(await loadConfig(join(bank.folder, 'daemon.yaml'), environment), { password: PASSWORD });
    fintech = await world.role('Fintech C');
    const operator = await publish(world, 'op', OPERATOR, { x: {} });
    const storePath = await bank.data('a.csv', 'id\n1\n');
    const leaf = await mintLeaf(bank, { name: 'l', services: [{ index: 'run', template: operator, constraint: { x: {} } }], storePath });
    const attributes = compositeAttributes('a', 'Algorithm', { [leaf]: { service: 'run', constraint: { x: 1 } } });
    algorithm = (await composeAsset(fintech.context, { attributes })).dt;
  });
  afterAll(async () => {
    await second?.close();
    await world?.close();
    await server?.stop();
  });

  it('share the queue, and run each job once', async () => {
    const task = await fintech.context.ledger.createTask('t', 'd');
    const started: Awaited<ReturnType<typeof execJob>>[] = [];
    for (let i = 0; i < 8; i += 1) started.push(await execJob(fintech.context, { task, algorithm, wait: false }));
    for (const { shares } of started) {
      const { party, run, problem } = shares[0]!;
      expect(problem).toBeUndefined();
      expect(await followRun(party, run!)).toMatchObject({ state: 'succeeded', attempt: 1 });
      const events = await second.deps.store.events.read(run!.id, 0, 100);
      expect(events.filter((event) => event.kind === 'state' && event.payload.state === 'running')).toHaveLength(1);
    }
    expect(await second.deps.store.runs.counts()).toMatchObject({ succeeded: 8, queued: 0, running: 0 });
  });

  it('a nonce that one has seen is refused by the other, and both see every run', async () => {
    const use = { signer: fintech.address, nonce: `0x${'ab'.repeat(32)}`, expiresAt: Date.now() + 60_000 };
    expect([await bank.daemon.deps.store.nonces.useNonce(use), await second.deps.store.nonces.useNonce(use)]).toEqual([true, false]);
    // Receipts are still being anchored after the runs have ended; what both daemons see is compared whole once nothing changes any more.
    const anchored = async () => (await second.deps.store.runs.list()).filter(({ settlement }) => settlement === 'anchored').length;
    await expect.poll(anchored, { timeout: 30_000 }).toBe(8);
    expect(await second.deps.store.runs.list()).toEqual(await bank.daemon.deps.store.runs.list());
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
