import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keystore } from '../../../src/keys/keystore.js';
import { type BankRole, createWorld, PASSWORD, type Role, type World } from '../../support/world.js';
import { homeIn, jsonDt, runDt } from './dt-program.js';

const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const args = JSON.parse(readFileSync('args.json', 'utf8'));
const rows = readFileSync(args.inputs['0'], 'utf8').trim().split('\\n').length - 1;
console.log('rows', rows, 'of', args.model_args.epoch);
writeFileSync('outputs/count.json', JSON.stringify({ rows }));
`;

/** Attribute files with the keys that the original's have, in the folders that its README names. */
async function originalFiles(folder: string, operator: string): Promise<void> {
  const write = async (path: string, value: unknown): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), typeof value === 'string' ? value : JSON.stringify(value));
  };
  const open = { party_id: {}, inputs: { '0': {} }, model_args: { lr: {}, epoch: {} } };
  await write('samples/op/rtt_op.mjs', OPERATOR);
  await write('samples/op/rtt_params.json', open);
  await write('samples/op/rtt_op_attr.json', {
    metadata: { main: { type: 'Operation', name: 'op1', desc: 'test op' } },
    operation: './samples/op/rtt_op.mjs',
    params: './samples/op/rtt_params.json',
  });
  await write('samples/ddo/org1_feature_attr.json', {
    metadata: { main: { type: 'Dataset', name: 'credit default features 0-30' } },
    services: [
      {
        index: 'sid_for_org1',
        endpoint: '',
        descriptor: { template: operator, constraint: { ...open, inputs: { '0': './inputs/org1_feature.csv' } } },
        attributes: { price: 10, shape: [3, 2], path: './inputs/org1_feature.csv' },
      },
    ],
  });
  await write('samples/data/x.csv', 'id,y\n1,0\n2,1\n3,1\n');
}

function algorithm(child: string, epoch: unknown): object {
  const constraint = { party_id: 0, inputs: { '0': './inputs/org1_feature.csv' }, model_args: { lr: 0.01, epoch } };
  return {
    metadata: { main: { type: 'Algorithm', name: 'risk model' } },
    child_dts: [child],
    services: [
      {
        index: 'sid_for_3rd',
        endpoint: {},
        attributes: { workflow_name: 'distributed' },
        descriptor: { workflow: { [child]: { service: 'sid_for_org1', constraint } } },
      },
    ],
  };
}

describe('the walk through every command, with the words of the original', () => {
  let world: World;
  let bank: BankRole;
  let third: Role;
  let home: string;
  let system: string;
  let tid: string;
  let dt: string;
  let cdt: string;
  const hex = (wallet: { privateKey: string }): string => wallet.privateKey.slice(2);

  beforeAll(async () => {
    world = await createWorld();
    [bank, third] = [await world.bank('org1'), await world.role('3rd')];
    home = await homeIn(world, 'walk');
    system = hex(world.system.wallet);
  });
  afterAll(() => world.close());

  const dt$ = (argv: readonly string[], code = 0) => jsonDt(argv, { home }, code);
  const as = (role: Role) => ({ home, env: { DT_PRIVATE_KEY: hex(role.wallet) } });

  it('system org: registers, and changes what is given and nothing else', async () => {
    const { address } = Wallet.createRandom();
    const argv = ['system', 'org', '--name', 'org1', '--desc', 'test_org1', '--address', address, '--private_key', system];
    expect(await dt$(argv)).toMatchObject({ updated: false, organization: { name: 'org1', description: 'test_org1', url: '' } });
    const role = await dt$(['system', 'org', '--address', address, '--role', 'provider', '--private_key', system]);
    expect(role).toMatchObject({
      updated: true,
      organization: { name: 'org1', description: 'test_org1', isAggregator: false, isProvider: true },
    });
    const ended = await runDt(['system', 'orgs'], { home });
    expect(ended.stdout).toMatch(new RegExp(`org1 +${address.toLowerCase()} +provider +test_org1`));
    expect((await dt$(['system', 'orgs']))['organizations']).toHaveLength(3);
    const url = await jsonDt(['system', 'org', '--address', third.address, '--url', 'http://127.0.0.1:1'], as(third));
    expect(url).toMatchObject({ organization: { name: '3rd', url: 'http://127.0.0.1:1' } });
    await jsonDt(['system', 'org', '--address', third.address, '--url', ''], as(third));
  });

  it('warns of a key on the command line, and not of one in the environment', async () => {
    const { address } = Wallet.createRandom();
    const argv = ['system', 'org', '--name', 'x', '--address', address];
    expect((await runDt([...argv, '--private_key', system], { home })).stderr).toContain('--private-key shows the key');
    expect((await runDt(argv, as(world.system))).stderr).not.toContain('shows the key');
    const stranger = await jsonDt(argv, as(third), 6);
    expect(stranger).toMatchObject({ error: { code: 'DT_CHAIN_REVERTED' } });
  });

  it('system op: publishes, changes nothing the second time, and new code only when told', async () => {
    await originalFiles(home, `dt:ownership:${'0'.repeat(64)}`);
    const argv = ['system', 'op', '--attr_file', './samples/op/rtt_op_attr.json', '--private_key', system];
    const first = await dt$([...argv, '--as', 'op1']);
    expect(first).toMatchObject({ outcome: 'published', version: 1, pinnedAt: [`${bank.daemon.url}/`], failedAt: [] });
    tid = first['tid'] as string;
    expect(await dt$(argv)).toMatchObject({ tid, outcome: 'unchanged' });
    await writeFile(join(home, 'samples/op/rtt_op.mjs'), `${OPERATOR}\n// second version`);
    expect(await dt$(argv, 3)).toMatchObject({ error: { code: 'DT_OPERATOR_EXISTS' } });
    expect(await dt$([...argv, '--update'])).toMatchObject({ tid, outcome: 'updated', version: 2 });
    expect((await runDt(['system', 'ops'], { home })).stdout).toMatch(new RegExp(`op1 +@op1 +2 +node +${tid}`));
    expect((await dt$(['system', 'ops']))['operators']).toHaveLength(1);
  });

  it('asset dt: mints, sends an absolute path, and mints nothing twice', async () => {
    await originalFiles(home, '@op1');
    await bank.data('x.csv', await readFile(join(home, 'samples/data/x.csv'), 'utf8'));
    const argv = ['asset', 'dt', '--attr_file', './samples/ddo/org1_feature_attr.json'];
    // The bank works in the folder that its daemon may read.
    const cwd = join(bank.folder, 'data');
    const file = join(home, 'samples/ddo/org1_feature_attr.json');
    const minted = await jsonDt(['asset', 'dt', '--attr_file', file, '--store_path', './x.csv', '--as', 'org1'], { ...as(bank), cwd });
    expect(minted).toMatchObject({ outcome: 'minted', held: true, daemon: `${bank.daemon.url}/` });
    dt = minted['dt'] as string;
    expect(await jsonDt(argv, as(bank))).toMatchObject({ dt, outcome: 'unchanged', held: false });
    const outside = await jsonDt([...argv, '--store_path', '/etc/passwd'], as(bank), 3);
    expect(outside).toMatchObject({ error: { code: 'DT_DATASET_FORBIDDEN' } });
    expect((await dt$(['asset', 'list']))['assets']).toMatchObject([{ id: dt, ownerName: 'org1', activated: true }]);
    expect(await dt$(['asset', 'show', '--dt', '@org1'])).toMatchObject({ token: { id: dt }, grantedTo: [] });
    const shown = await runDt(['asset', 'show', '--dt', dt], { home });
    expect(shown.stdout).toContain(dt);
    expect(shown.stdout).toContain(`operator    ${tid} version 2`);
  });

  it('asset check: says before minting which condition is not met, and ends with 5', async () => {
    await writeFile(join(home, 'open.json'), JSON.stringify(algorithm('@org1', {})));
    const open = await dt$(['asset', 'check', '--attr-file', 'open.json'], 5);
    expect(open).toMatchObject({ allowed: false, clauses: expect.arrayContaining([expect.objectContaining({ passed: false })]) });
    const shown = await runDt(['asset', 'check', '--attr-file', 'open.json'], { home });
    expect(shown.code).toBe(5);
    expect(shown.stdout).toMatch(/✗ fixed .*\/epoch.*would pass/);
    expect(shown.stdout).toMatch(/✗ denied: 1 of \d+ conditions are not met\n$/);
    expect(await jsonDt(['asset', 'cdt', '--attr-file', 'open.json'], as(third), 5)).toMatchObject({ error: { code: 'DT_POLICY_DENIED' } });
    await writeFile(join(home, 'algorithm.json'), JSON.stringify(algorithm('@org1', 10_001)));
    expect(await dt$(['asset', 'check', '--attr-file', 'algorithm.json'])).toMatchObject({ allowed: true });
    expect(await dt$(['asset', 'check', '--dt', '@org1'])).toMatchObject({ dt, allowed: true });
  });

  it('asset cdt: mints, is granted by the daemon and activated; again it changes nothing', async () => {
    const composed = await jsonDt(['asset', 'cdt', '--attr_file', 'algorithm.json', '--as', 'risk'], as(third));
    expect(composed).toMatchObject({ outcome: 'composed', grants: [{ child: dt, owner: bank.address, by: 'daemon' }] });
    cdt = composed['dt'] as string;
    expect(await jsonDt(['asset', 'cdt', '--attr_file', 'algorithm.json'], as(third))).toMatchObject({ dt: cdt, outcome: 'unchanged' });
    expect(await dt$(['asset', 'check', '--cdt', '@risk'])).toMatchObject({ allowed: true });
    expect((await runDt(['asset', 'list'], { home })).stdout).toMatch(new RegExp(`risk model +@risk +algorithm +3rd +${cdt}`));
  });

  it('job init and job exec: wait, stream states and logs, download, and end with 0', async () => {
    const key = ['--private_key', hex(third.wallet)];
    expect(await dt$(['job', 'init', '--name', 'test', '--desc', 'test_task', ...key])).toEqual({
      task: '1',
      name: 'test',
      description: 'test_task',
    });
    const ended = await runDt(['job', 'exec', '--task_id', '1', '--cdt', cdt, '--outputs', 'results', ...key], { home });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/org1 │ running\n(.*\n)*org1 │ rows 3 of 10001\n(.*\n)*org1 │ succeeded/);
    expect(ended.stdout).toMatch(/✓ org1 {2}credit default features 0-30 {2}dt:ownership:[0-9a-f]{8}… {2}succeeded/);
    expect(JSON.parse(await readFile(join(home, 'results/credit-default-features-0-30/count.json'), 'utf8'))).toEqual({ rows: 3 });
    const json = await jsonDt(['job', 'exec', '--task-id', '1', '--cdt', '@risk', '--outputs', 'more'], as(third));
    expect(json).toMatchObject({
      job: '2',
      task: '1',
      algorithm: cdt,
      shares: [{ state: 'succeeded', files: [expect.stringContaining('count.json')] }],
    });
  });

  it('job status, logs, outputs, list and tasks tell of it', async () => {
    expect(await jsonDt(['job', 'status', '1'], as(third))).toMatchObject({
      job: '1',
      algorithmName: 'risk model',
      shares: [{ state: 'succeeded' }],
    });
    expect(await jsonDt(['job', 'logs', '1'], as(third))).toMatchObject({ shares: [{ log: 'rows 3 of 10001\n' }] });
    expect((await runDt(['job', 'logs', '1'], as(third))).stdout).toBe('rows 3 of 10001\n');
    const followed = await runDt(['job', 'logs', '1', '--follow', '--dt', '@org1'], as(third));
    expect(followed.stdout).toMatch(/^org1 │ queued\n(.*\n)*org1 │ rows 3 of 10001\n(.*\n)*org1 │ succeeded\n$/);
    expect(await jsonDt(['job', 'logs', '1', '-f'], as(third))).toMatchObject({ shares: [{ state: 'succeeded' }] });
    expect(await jsonDt(['job', 'outputs', '1'], as(third))).toMatchObject({
      shares: [{ outputs: [{ name: 'count.json', sizeBytes: 10 }], files: [] }],
    });
    const got = await jsonDt(['job', 'outputs', '1', '--out', 'again'], as(third));
    expect(await readFile(join(home, (got['shares'] as { files: string[] }[])[0]?.files[0] ?? ''), 'utf8')).toBe('{"rows":3}');
    expect((await dt$(['job', 'list']))['jobs']).toMatchObject([
      { id: '1', taskName: 'test', algorithmName: 'risk model', reports: [{ token: dt, state: 'succeeded' }] },
      { id: '2' },
    ]);
    expect((await dt$(['job', 'tasks']))['tasks']).toMatchObject([{ id: '1', jobs: 2, open: true }]);
    const other = await jsonDt(['job', 'status', '1', '--dt', cdt], as(third), 2);
    expect(other).toMatchObject({ error: { code: 'DT_INPUT_INVALID', message: expect.stringContaining('job 1 runs on') } });
  });

  it('does not show a job to a stranger', async () => {
    const stranger = { home, env: { DT_PRIVATE_KEY: hex(Wallet.createRandom()) } };
    for (const command of ['status', 'cancel'])
      expect(await jsonDt(['job', command, '1'], stranger, 8)).toMatchObject({ error: { code: 'DT_JOB_NOT_YOURS' } });
  });

  it('job cancel and job rerun refuse what has ended well', async () => {
    expect(await jsonDt(['job', 'cancel', '1'], as(third), 8)).toMatchObject({ error: { code: 'DT_JOB_STATE' } });
    expect(await jsonDt(['job', 'rerun', '1'], as(third), 8)).toMatchObject({ error: { code: 'DT_JOB_STATE' } });
  });

  it('tracer dfs, union, job and stats: a tree with grants, jobs and reports', async () => {
    const trace = await dt$(['tracer', 'dfs', '--prefix_path', dt, '--detailed', 'x']);
    expect(trace).toMatchObject({
      token: dt,
      children: [{ token: cdt, grant: { state: 'live', until: 0 }, jobs: [{ job: '1', reports: [{ state: 'succeeded' }] }, { job: '2' }] }],
    });
    const short = (await runDt(['tracer', 'dfs', '--prefix-path', '@org1'], { home })).stdout.split('\n');
    expect(short[0]).toMatch(/^credit default features 0-30 {2}dt:ownership:[0-9a-f]{8}… {2}of org1 {2}Dataset$/);
    expect(short[1]).toMatch(/^└─ risk model {2}dt:ownership:[0-9a-f]{8}… {2}of 3rd {2}Algorithm {2}\[granted\]$/);
    expect(short[2]).toMatch(/^ {3}├─ job 1 of task 1 "test" {2}for 3rd {2}\d{4}-/);
    expect(short[3]).toMatch(/^ {3}│ {2}└─ ✓ org1 {2}succeeded {2}on dt:ownership:[0-9a-f]{8}… {2}receipt 0x[0-9a-f]{8}…$/);
    const detailed = (await runDt(['tracer', 'dfs', '--prefix_path', `${dt},${cdt}`, '--detailed', 'x'], { home })).stdout;
    expect(detailed).toContain(`   │        on ${dt}`);
    expect(detailed).toMatch(/receipt 0x[0-9a-f]{64}/);
    expect(await dt$(['tracer', 'dfs', '--prefix-path', `${dt},${dt}`], 2)).toMatchObject({ error: { code: 'DT_INPUT_INVALID' } });
    expect(await dt$(['tracer', 'union', '--cdt', '@risk'])).toMatchObject({ token: cdt, children: [{ token: dt }] });
    expect(await dt$(['tracer', 'job', '1'])).toMatchObject({
      algorithm: { token: cdt },
      shares: [{ token: dt, report: { state: 'succeeded' } }],
    });
    expect((await runDt(['tracer', 'job', '1'], { home })).stdout).toMatch(
      /^job 1 of task 1 "test" {2}for 3rd.*\n│ {2}runs risk model of 3rd/,
    );
    expect(await dt$(['tracer', 'stats'])).toMatchObject({
      tokens: { leaves: 1, composites: 1, activated: 1 },
      jobs: { added: 2, shares: { succeeded: 2 } },
    });
    expect((await runDt(['tracer', 'stats'], { home })).stdout).toContain('1 leaf, 1 composite (1 activated)');
  });

  it('asset revoke, grant and activate: the grant decides from the next check on', async () => {
    expect(await jsonDt(['asset', 'revoke', '--dt', '@org1', '--cdt', '@risk'], as(bank))).toEqual({ dt, composite: cdt, revoked: true });
    const denied = await dt$(['asset', 'check', '--cdt', '@risk'], 5);
    expect(denied).toMatchObject({ allowed: false });
    expect((await runDt(['tracer', 'union', '--cdt', '@risk'], { home })).stdout).toContain('[revoked]');
    expect((await jsonDt(['job', 'exec', '--task-id', '1', '--cdt', '@risk'], as(third), 6))['error']).toMatchObject({
      code: 'DT_CHAIN_REVERTED',
    });
    expect(await jsonDt(['asset', 'grant', '--dt', '@org1', '--cdt', '@risk', '--until', '30'], as(bank))).toMatchObject({
      dt,
      composite: cdt,
    });
    expect(await jsonDt(['asset', 'activate', '--cdt', '@risk'], as(third))).toEqual({ cdt, activated: true });
    expect(await dt$(['asset', 'check', '--cdt', '@risk'])).toMatchObject({ allowed: true });
    expect((await runDt(['asset', 'show', '--dt', '@org1'], { home })).stdout).toMatch(
      new RegExp(`granted to\\n {2}${cdt} {2}granted until \\d{4}-`),
    );
  });

  it('job close and system retire end what they name', async () => {
    expect(await jsonDt(['job', 'close', '--task-id', '1'], as(third))).toEqual({ task: '1', open: false });
    expect(await jsonDt(['job', 'exec', '--task-id', '1', '--cdt', '@risk'], as(third), 6)).toMatchObject({
      error: { code: 'DT_CHAIN_REVERTED' },
    });
    expect(await jsonDt(['system', 'retire', '--op', '@op1'], as(world.system))).toEqual({ tid, retired: true });
    expect(await jsonDt(['system', 'retire', '--op', '@op1'], as(world.system), 3)).toMatchObject({
      error: { code: 'DT_OPERATOR_RETIRED' },
    });
    expect((await dt$(['system', 'ops']))['operators']).toEqual([]);
    expect((await dt$(['system', 'ops', '--retired']))['operators']).toMatchObject([{ id: tid, retired: true }]);
    expect(await dt$(['asset', 'check', '--cdt', '@risk'], 5)).toMatchObject({ allowed: false });
  });

  it('signs with a key of the keystore, the default without being told', async () => {
    await new Keystore(join(home, 'keystore')).import('third', third.wallet.privateKey, PASSWORD);
    await jsonDt(['key', 'use', '--name', 'third'], { home });
    const env = { DT_PASSWORD: PASSWORD };
    expect(await jsonDt(['job', 'init', '--name', 'again'], { home, env })).toMatchObject({ task: '2', description: '' });
    expect(await jsonDt(['job', 'init', '--name', 'x'], { home, env: { DT_PASSWORD: 'wrong' } }, 2)).toMatchObject({
      error: { code: 'DT_KEY_WRONG_PASSWORD' },
    });
    expect((await jsonDt(['job', 'tasks', '--mine'], { home }))['tasks']).toHaveLength(2);
    expect((await jsonDt(['asset', 'list', '--mine'], { home }))['assets']).toMatchObject([{ id: cdt }]);
    // A key that is named is meant more than a variable that is set.
    const both = { ...env, DT_PRIVATE_KEY: hex(bank.wallet) };
    expect(await jsonDt(['asset', 'list', '--mine', '--key', 'third'], { home, env: both })).toMatchObject({ assets: [{ id: cdt }] });
    expect(await jsonDt(['job', 'init', '--name', 'named', '--key', 'third'], { home, env: both })).toMatchObject({ task: '3' });
    expect((await jsonDt(['job', 'tasks', '--mine', '--key', 'third'], { home }))['tasks']).toHaveLength(3);
  });
});
