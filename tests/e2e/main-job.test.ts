import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { fetchOutputs } from '../../src/actions/job/fetch-outputs.js';
import { traceLifecycle } from '../../src/actions/tracer/trace-lifecycle.js';
import type { TokenId } from '../../src/documents/ids.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, readText, type World } from '../support/world.js';

const COUNT_ROWS = `
import { readFileSync, writeFileSync } from 'node:fs';
const args = JSON.parse(readFileSync('args.json', 'utf8'));
const rows = readFileSync(args.input, 'utf8').trim().split('\\n').length - 1;
console.log('counted', rows, 'rows');
writeFileSync('outputs/count.json', JSON.stringify({ rows, label: args.label }));
`;

describe('the main job: one leaf, one algorithm, one job, one trace', () => {
  let world: World;
  let bank: BankRole;
  let fintech: Role;
  let operator: TokenId;
  let leaf: TokenId;

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A');
    fintech = await world.role('Fintech C');
    operator = await publish(world, 'count rows', COUNT_ROWS, { input: {}, label: {} });
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [
        {
          index: 'count',
          template: operator,
          constraint: { input: './inputs/a.csv', label: { $match: { type: 'string', maxLength: 10 } } },
          path: './inputs/a.csv',
        },
      ],
      storePath: await bank.data('a.csv', 'id,y\n1,0\n2,1\n3,1\n'),
    });
  });

  afterAll(() => world.close());

  it('runs next to the data, and leaves outputs, a receipt on chain and a trace', async () => {
    const attributes = compositeAttributes('counting', 'Algorithm', {
      [leaf]: { service: 'count', constraint: { input: './inputs/a.csv', label: 'hello' } },
    });
    const { dt: algorithm, grants } = await composeAsset(fintech.context, { attributes });
    expect(grants).toEqual([{ child: leaf, owner: bank.address, by: 'daemon' }]);
    const task = await fintech.context.ledger.createTask('count', 'how many');
    const states: string[] = [];
    const logs: string[] = [];
    const { shares, job } = await execJob(fintech.context, {
      task,
      algorithm,
      wait: true,
      listener: { onState: (_, state) => states.push(state), onLog: (_, __, text) => logs.push(text) },
    });
    expect(shares[0]?.problem).toBeUndefined();
    const run = shares[0]?.run;
    expect(run?.failure).toBeUndefined();
    expect(run?.state).toBe('succeeded');
    expect(states).toEqual(['queued', 'staging', 'running', 'releasing', 'settling', 'succeeded']);
    expect(logs.join('')).toContain('counted 3 rows');

    const folder = await mkdtemp(join(tmpdir(), 'dt-out-'));
    const files = await fetchOutputs(shares[0]!.party, run!, folder);
    expect(JSON.parse(await readText(files[0]!))).toEqual({ rows: 3, label: 'hello' });
    await rm(folder, { recursive: true });

    await expect
      .poll(async () => (await traceLifecycle(fintech.context, leaf)).children[0]?.jobs[0]?.reports, { timeout: 10_000 })
      .toMatchObject([{ token: leaf, state: 'succeeded', reporterName: 'Bank A', receipt: run?.receipt }]);
    const trace = await traceLifecycle(fintech.context, leaf);
    expect(trace).toMatchObject({
      name: 'customers',
      ownerName: 'Bank A',
      children: [{ name: 'counting', ownerName: 'Fintech C', grant: { state: 'live' } }],
    });
    expect(trace.children[0]?.jobs[0]?.job).toBe(job.toString());
  });
});
