import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../../src/actions/asset/compose-asset.js';
import { publishOperator } from '../../../src/actions/system/publish-operator.js';
import type { TokenId } from '../../../src/documents/ids.js';
import { Keystore } from '../../../src/keys/keystore.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../../support/world.js';
import { homeIn, jsonDt, runDt, startDt } from './dt-program.js';

/** Does what its argument says: ends well, ends with 3, or waits until it is ended. */
const OBEDIENT = `
import { readFileSync, writeFileSync } from 'node:fs';
const { order } = JSON.parse(readFileSync('args.json', 'utf8'));
console.log('order', order);
if (order === 'fail') {
  console.error('\\u001b[31mcannot\\u001b[0m go on');
  process.exit(3);
}
writeFileSync('outputs/result.txt', order);
if (order === 'wait') setInterval(() => console.log('waiting'), 200);
`;

describe('jobs that do not go well', () => {
  let world: World;
  let a: BankRole;
  let b: BankRole;
  let third: Role;
  let home: string;
  let env: Record<string, string>;
  let leaves: { a: TokenId; b: TokenId };
  let task: string;

  beforeAll(async () => {
    world = await createWorld();
    [a, b, third] = [await world.bank('Bank A'), await world.bank('Bank B'), await world.role('Fintech')];
    home = await homeIn(world, 'jobs');
    env = { DT_PRIVATE_KEY: third.wallet.privateKey.slice(2) };
    const template = await publish(world, 'obedient', OBEDIENT, { order: {} });
    const leaf = async (bank: BankRole, name: string): Promise<TokenId> => {
      const services = [{ index: 'run', template, constraint: { order: {} }, path: './inputs/x.csv' }];
      return mintLeaf(bank, { name, services, storePath: await bank.data('x.csv', 'id\n1\n') });
    };
    leaves = { a: await leaf(a, 'numbers'), b: await leaf(b, 'numbers') };
    task = (await third.context.ledger.createTask('orders', '')).toString();
  });
  afterAll(() => world.close());

  /** An algorithm with an order for each bank. */
  const algorithm = async (orderA: string, orderB: string): Promise<TokenId> => {
    const step = (order: string) => ({ service: 'run', constraint: { order } });
    const attributes = compositeAttributes(`${orderA} and ${orderB}`, 'Algorithm', { [leaves.a]: step(orderA), [leaves.b]: step(orderB) });
    return (await composeAsset(third.context, { attributes })).dt;
  };

  interface Share {
    readonly ownerName: string;
    readonly state: string;
    readonly run?: string;
    readonly finishedAt?: string;
  }
  /** Shares come in the order of the algorithm's tree, which is by token id. */
  const sharesOf = (result: Readonly<Record<string, unknown>>): readonly Share[] =>
    [...(result['shares'] as readonly Share[])].sort((left, right) => left.ownerName.localeCompare(right.ownerName));

  it('tracer index: is whole, and is built again in another file when that is asked for', async () => {
    const own = { home: await homeIn(world, 'index') };
    const first = await jsonDt(['tracer', 'index'], own);
    expect(first).toMatchObject({ state: 'whole', rows: { organizations: 3, operators: 1, tokens: 2, tasks: 1, jobs: 0 } });
    const { path, rows, blockHash } = await jsonDt(['tracer', 'index', '--rebuild'], own);
    expect({ rows, blockHash }).toEqual({ rows: first['rows'], blockHash: first['blockHash'] });
    expect(path).not.toBe(first['path']);
    expect(await jsonDt(['tracer', 'index'], own)).toMatchObject({ state: 'whole', path, rows });
  });

  it('exec: shows every share, downloads what there is, and ends with the error of the one that failed', async () => {
    const cdt = await algorithm('well', 'fail');
    const ended = await runDt(['job', 'exec', '--task-id', task, '--cdt', cdt, '--outputs', 'mixed'], { home, env });
    expect(ended.code, ended.stderr).toBe(8);
    expect(ended.stdout).toMatch(/✓ Bank A {2}numbers .* succeeded/);
    expect(ended.stdout).toMatch(/✗ Bank B {2}numbers .* failed/);
    expect(ended.stdout).toMatch(/→ Next: dt job explain \d+\n$/);
    expect(ended.stderr).toMatch(/✗ The operator ended with exit code 3.*\n(.*\n)* {2}cannot go on\n {2}DT_JOB_OPERATOR_FAILED\n {2}→ /);
    // What the operator wrote cannot colour or move anything on the terminal of its reader.
    expect(ended.stderr).toMatch(/^Bank B │ cannot go on$/m);
    expect(ended.stdout + ended.stderr).not.toContain('\u001b[31m');
    // Both assets are called numbers, so the folders carry their owners.
    expect(await readFile(join(home, 'mixed/bank-a-numbers/result.txt'), 'utf8')).toBe('well');
    const json = await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env }, 8);
    expect(json).toMatchObject({ error: { code: 'DT_JOB_OPERATOR_FAILED' } });
    expect(sharesOf(json)).toMatchObject([
      { state: 'succeeded' },
      { state: 'failed', isProblem: false, failure: { code: 'DT_JOB_OPERATOR_FAILED' } },
    ]);
    // To ask how it went is answered, so it does not fail.
    const job = String(json['job']);
    expect(sharesOf(await jsonDt(['job', 'status', job], { home, env }))).toMatchObject([{ state: 'succeeded' }, { state: 'failed' }]);
    const why = await runDt(['job', 'explain', job], { home, env });
    expect(why.code, why.stderr).toBe(0);
    expect(why.stdout).toMatch(
      /^Job \d+: failed at Bank B {2}numbers .*\n✗ The operator ended with exit code 3 at Bank B\. DT_JOB_OPERATOR_FAILED\n/,
    );
    expect(why.stdout).toMatch(/ {4}log: cannot go on\n[\s\S]*receipt of Bank B: failed/);
    expect(why.stdout).toMatch(
      / {2}→ .*\n {6}dt job logs \d+ --dt dt:ownership:[0-9a-f]{64}\nBeside it:\n {2}✓ Bank A {2}numbers {2}succeeded\n/,
    );
    expect(await jsonDt(['job', 'explain', job], { home, env })).toMatchObject({
      job,
      status: 'failed',
      code: 'DT_JOB_OPERATOR_FAILED',
      at: { ownerName: 'Bank B' },
      next: { command: expect.stringContaining(`dt job logs ${job}`) },
      others: [{ ownerName: 'Bank A', state: 'succeeded' }],
    });
    const logs = await runDt(['job', 'logs', job], { home, env });
    expect(logs.stdout.split('\n').sort()).toEqual(['', 'Bank A │ order well', 'Bank B │ cannot go on', 'Bank B │ order fail']);
  });

  it('exec and rerun: a daemon that is down is named, the other share runs, and rerun makes up for it', async () => {
    const cdt = await algorithm('well', 'well');
    await b.daemon.close();
    const json = await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env }, 7);
    expect(json).toMatchObject({ error: { code: 'DT_PEER_UNREACHABLE' } });
    expect(sharesOf(json)).toMatchObject([
      { ownerName: 'Bank A', state: 'succeeded' },
      { ownerName: 'Bank B', state: 'unreachable', isProblem: true },
    ]);
    const job = String(json['job']);
    const blind = sharesOf(await jsonDt(['job', 'status', job], { home, env }, 7));
    expect(blind).toMatchObject([{ state: 'succeeded' }, { state: 'unreachable' }]);
    expect(await jsonDt(['job', 'explain', job], { home, env })).toMatchObject({
      code: 'DT_PEER_UNREACHABLE',
      at: { ownerName: 'Bank B' },
    });
    const outputs = await runDt(['job', 'outputs', job, '--out', 'partial'], { home, env });
    expect(outputs.code).toBe(7);
    expect(await readFile(join(home, 'partial/bank-a-numbers/result.txt'), 'utf8')).toBe('well');
    await b.restart();
    const seen = sharesOf(await jsonDt(['job', 'status', job], { home, env }));
    expect(seen).toMatchObject([{ state: 'succeeded' }, { state: 'absent' }]);
    expect(await jsonDt(['job', 'explain', job], { home, env })).toMatchObject({
      status: 'waiting',
      at: { ownerName: 'Bank B' },
      next: { command: `dt job rerun ${job}` },
    });
    const again = await runDt(['job', 'rerun', job, '--outputs', 'whole'], { home, env });
    expect(again.code, again.stderr).toBe(0);
    expect(await readFile(join(home, 'whole/bank-b-numbers/result.txt'), 'utf8')).toBe('well');
    expect(await jsonDt(['job', 'rerun', job], { home, env }, 8)).toMatchObject({ error: { code: 'DT_JOB_STATE' } });
  });

  it('rerun: runs a failed share again and leaves the one that succeeded', async () => {
    const cdt = await algorithm('well', 'fail');
    const first = await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt, '--wait'], { home, env }, 8);
    const again = await jsonDt(['job', 'rerun', String(first['job'])], { home, env }, 8);
    const [[before, failed], [after, repeated]] = [sharesOf(first), sharesOf(again)];
    expect(after).toEqual(before);
    expect(repeated).toMatchObject({ state: 'failed' });
    expect(repeated?.finishedAt).not.toBe(failed?.finishedAt);
    // What was said before is not said again as if it happened now.
    const { stderr } = await runDt(['job', 'rerun', String(first['job'])], { home, env });
    expect(stderr.match(/^Bank B │ order fail$/gm)).toHaveLength(1);
    expect(stderr.match(/^Bank B │ failed$/gm)).toHaveLength(1);
  });

  it('exec --detach, logs --follow and cancel: a job is left, watched live and ended share by share', async () => {
    const cdt = await algorithm('wait', 'wait');
    const started = await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt, '--detach'], { home, env });
    const job = String(started['job']);
    expect(started).not.toHaveProperty('error');
    const follower = startDt(['job', 'logs', job, '--follow'], { home, env });
    await follower.until(/Bank A │ waiting[\s\S]*Bank B │ waiting|Bank B │ waiting[\s\S]*Bank A │ waiting/);
    const one = await jsonDt(['job', 'cancel', job, '--dt', leaves.a, '--reason', 'wrong data'], { home, env });
    expect(one['shares']).toMatchObject([{ ownerName: 'Bank A' }]);
    await follower.until(/Bank A │ canceled/);
    const rest = await runDt(['job', 'cancel', job], { home, env });
    expect(rest.code, rest.stderr).toBe(0);
    const { code, stdout } = await follower.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/Bank B │ canceled\n$/);
    const status = await jsonDt(['job', 'status', job], { home, env });
    expect(sharesOf(status)).toMatchObject([{ state: 'canceled' }, { state: 'canceled' }]);
    expect(await jsonDt(['job', 'cancel', job], { home, env }, 8)).toMatchObject({ error: { code: 'DT_JOB_STATE' } });
  });

  it('outputs: of a job that released nothing ends with why, not with a check mark', async () => {
    const failed = String(
      (await jsonDt(['job', 'exec', '--task-id', task, '--cdt', await algorithm('fail', 'fail')], { home, env }, 8))['job'],
    );
    for (const more of [[], ['--out', 'nothing']]) {
      const ended = await runDt(['job', 'outputs', failed, ...more], { home, env });
      expect(ended.code).toBe(8);
      expect(ended.stdout).not.toMatch(/0 files|Next/);
      expect(ended.stderr).toMatch(/✗ The operator ended with exit code 3[\s\S]*DT_JOB_OPERATOR_FAILED\n {2}→ /);
    }
    const waiting = await algorithm('wait', 'wait');
    const job = String((await jsonDt(['job', 'exec', '--task-id', task, '--cdt', waiting, '--detach'], { home, env }))['job']);
    expect(await jsonDt(['job', 'outputs', job], { home, env }, 8)).toMatchObject({ error: { code: 'DT_JOB_NOT_FINISHED' } });
    await jsonDt(['job', 'cancel', job], { home, env });
    expect(await jsonDt(['job', 'outputs', job, '--out', 'nothing either'], { home, env }, 8)).toMatchObject({
      error: { code: 'DT_JOB_CANCELED' },
    });
    const mixed = { error: { code: 'DT_INPUT_OTHER_JOB', details: { path: 'nothing', job: failed } } };
    expect(await jsonDt(['job', 'outputs', job, '--out', 'nothing'], { home, env }, 2)).toMatchObject(mixed);
    const again = ['job', 'exec', '--task-id', task, '--cdt', waiting, '--outputs', 'nothing'];
    expect(await jsonDt(again, { home, env }, 2)).toMatchObject(mixed);
  });

  it('status, outputs, logs, cancel: a job of somebody else is said to be that, with whose it is', async () => {
    const cdt = await algorithm('well', 'well');
    const job = String((await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env }))['job']);
    const stranger = { DT_PRIVATE_KEY: (await world.role('Stranger')).wallet.privateKey };
    for (const command of ['status', 'explain', 'outputs', 'logs', 'cancel', 'rerun']) {
      const ended = await runDt(['job', command, job], { home, env: stranger });
      expect(ended, command).toMatchObject({ code: 8, stdout: '' });
      expect(ended.stderr).toMatch(
        new RegExp(`✗ Job ${job} was added by .*${third.address}.* DT_JOB_NOT_YOURS\n {2}→ Sign with .*--key NAME`),
      );
    }
    const verified = await runDt(['tracer', 'verify', job], { home, env: stranger });
    expect(verified).toMatchObject({ code: 9, stdout: expect.stringMatching(new RegExp(`^job ${job} [^]*Bank B: .*no receipt`)) });
    expect(verified.stdout).toContain(', who did not add this job');
    expect(verified.stderr).toMatch(/DT_RECEIPT_UNVERIFIED\n {2}→ .*--key/);
    // Who owns a share sees that share.
    const owner = { DT_PRIVATE_KEY: b.wallet.privateKey };
    expect(sharesOf(await jsonDt(['job', 'status', job], { home, env: owner }))).toMatchObject([
      { state: 'absent' },
      { state: 'succeeded' },
    ]);
  });

  it('what comes next is typed with the key and the chain that this command was given', async () => {
    await new Keystore(join(home, 'keystore')).import('third', third.wallet.privateKey, 'secret');
    const given = ['--key', 'third', '--rpc', world.chain.url];
    const cdt = await algorithm('well', 'well');
    const named = { home, env: { DT_PASSWORD: 'secret' } };
    const ended = await runDt(['job', 'exec', '--task-id', task, '--cdt', cdt, ...given], named);
    const job = /^Job (\d+)$/m.exec(ended.stdout)?.[1] ?? 'none';
    expect(ended.stdout).toContain(`Next: dt job outputs ${job} --out <folder> --key third --rpc ${world.chain.url}\n`);
    // A variable is there for the next command too.
    const listed = await runDt(['job', 'status', job], { ...named, env: { ...named.env, DT_KEY: 'third', DT_RPC: world.chain.url } });
    expect(listed.stdout).toContain(`Next: dt job outputs ${job} --out <folder>\n`);
    const fetched = await runDt(['job', 'exec', '--task-id', task, '--cdt', cdt, '--outputs', 'named', ...given], named);
    expect(fetched.stdout).toMatch(new RegExp(`Next: dt tracer job \\d+ --key third --rpc ${world.chain.url}\n`));
  });

  it('exec: ctrl-c leaves the job alone and says how to come back', async () => {
    const cdt = await algorithm('wait', 'well');
    const watcher = startDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env });
    await watcher.until(/Bank A │ waiting[\s\S]*Bank B │ succeeded|Bank B │ succeeded[\s\S]*Bank A │ waiting/);
    watcher.child.kill('SIGINT');
    const { code, stdout } = await watcher.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/… Bank A .* running\n/);
    const job = /Job (\d+) goes on at one daemon\.\n {2}watch it {3}dt job logs \d+ --follow\n/.exec(stdout)?.[1] ?? 'none';
    const status = await jsonDt(['job', 'status', job], { home, env });
    expect(sharesOf(status)).toMatchObject([{ state: 'running' }, { state: 'succeeded' }]);
    await jsonDt(['job', 'cancel', job], { home, env });
  });

  it('exec: what the chain refuses is said with the ids that it names', async () => {
    const cdt = await algorithm('well', 'well!');
    await a.context.ledger.revoke(leaves.a, cdt);
    const refused = await jsonDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env }, 6);
    expect(refused).toMatchObject({ error: { code: 'DT_CHAIN_REVERTED', message: expect.stringContaining(leaves.a) } });
  });

  it('exec: what a daemon refuses is shown condition by condition', async () => {
    const cdt = await algorithm('once', 'more');
    // Other code than the owners agreed to.
    const params = { order: {} };
    const content = {
      metadata: { main: { type: 'Operation', name: 'obedient' } },
      runtime: 'node',
      operation: '// other',
      params,
    } as const;
    await publishOperator(world.system.context, { content, update: true });
    const refused = await runDt(['job', 'exec', '--task-id', task, '--cdt', cdt], { home, env });
    expect(refused.code).toBe(5);
    expect(refused.stdout).toMatch(/✗ Bank A {2}numbers .* refused\n/);
    expect(refused.stderr).toMatch(/✗ \d conditions are not met. DT_POLICY_DENIED\n/);
    expect(refused.stderr).toMatch(
      /✗ operator dt:ownership:[0-9a-f]{8}… \/services\/0\/descriptor\/version would pass: version 1 of its code/,
    );
  });
});

describe('what cannot be used is refused before anything is written', () => {
  let world: World;
  let home: string;
  let third: Role;

  beforeAll(async () => {
    world = await createWorld();
    third = await world.role('Fintech');
    home = await homeIn(world, 'bad');
    await mkdir(join(home, 'folder'));
    await writeFile(join(home, 'broken.json'), '{"metadata": ');
    await writeFile(join(home, 'twice.json'), '{"metadata": 1, "metadata": 2}');
    await writeFile(join(home, 'name.json'), JSON.stringify({ child_dts: ['@nobody'] }));
    await writeFile(
      join(home, 'op.json'),
      JSON.stringify({ metadata: { main: { type: 'Operation', name: 'x' } }, operation: 'gone.mjs', params: 'p.json' }),
    );
    await writeFile(join(home, 'p.json'), '[]');
    await writeFile(join(home, 'large.json'), `"${'x'.repeat(9 * 1024 * 1024)}"`);
  });
  afterAll(() => world.close());

  const cases: readonly [argv: string, code: number, error: string][] = [
    ['asset dt', 2, 'DT_INPUT_MISSING'],
    ['asset dt --attr-file nowhere.json', 2, 'DT_INPUT_FILE'],
    ['asset dt --attr-file folder', 2, 'DT_INPUT_FILE'],
    ['asset dt --attr-file broken.json', 2, 'DT_INPUT_JSON'],
    ['asset dt --attr-file twice.json', 2, 'DT_INPUT_JSON'],
    ['asset dt --attr-file large.json', 2, 'DT_INPUT_TOO_LARGE'],
    ['asset cdt --attr-file name.json', 2, 'DT_NAME_UNKNOWN'],
    ['asset cdt --attr-file name.json --until 2001-01-01', 2, 'DT_INPUT_INVALID'],
    ['asset cdt --attr-file name.json --as a/b', 2, 'DT_INPUT_INVALID'],
    ['asset show --dt @nobody', 2, 'DT_NAME_UNKNOWN'],
    ['asset show --dt dt:ownership:12', 2, 'DT_INPUT_INVALID'],
    [`asset show --dt dt:ownership:${'1'.repeat(64)}`, 3, 'DT_ASSET_UNKNOWN'],
    ['asset show --nonsense', 2, 'DT_INPUT_INVALID'],
    ['system op --attr-file op.json', 2, 'DT_INPUT_FILE'],
    ['system org --name x --address 0x12', 2, 'DT_INPUT_INVALID'],
    ['system org --name x --role king --address 0x12', 2, 'DT_INPUT_INVALID'],
    [`system retire --op dt:ownership:${'1'.repeat(64)}`, 3, 'DT_OPERATOR_UNKNOWN'],
    ['job status', 2, 'DT_INPUT_MISSING'],
    ['job status 0', 2, 'DT_INPUT_INVALID'],
    ['job status 99', 8, 'DT_JOB_UNKNOWN'],
    ['job exec --task-id 1', 2, 'DT_INPUT_MISSING'],
    ['tracer job 99', 8, 'DT_JOB_UNKNOWN'],
    ['tracer dfs --prefix-path ,', 2, 'DT_INPUT_INVALID'],
    ['system orgs --rpc http://127.0.0.1:1', 6, 'DT_CHAIN_UNREACHABLE'],
    ['system orgs --address-book nowhere.json', 2, 'DT_CONFIG_NO_ADDRESS_BOOK'],
    ['asset list --mine', 2, 'DT_INPUT_MISSING'],
    ['daemon login', 7, 'DT_PEER_NO_DAEMON'],
  ];
  it.each(cases)('dt %s ends with %i, %s', async (argv, code, error) => {
    const env = argv.includes('--mine') ? {} : { DT_PRIVATE_KEY: third.wallet.privateKey };
    const before = (await third.context.ledger.head()).block;
    expect(await jsonDt(argv.split(' '), { home, env }, code)).toMatchObject({ error: { code: error } });
    expect((await third.context.ledger.head()).block).toBe(before);
  });

  it('says on stderr what happened and what to do, and ends with the same code without --json', async () => {
    for (const [argv, code, error] of [cases[0], cases[9], cases[19]] as typeof cases) {
      const plain = await runDt(argv.split(' '), { home, env: { DT_PRIVATE_KEY: third.wallet.privateKey } });
      expect(plain).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(new RegExp(`✗ .*${error}\\n {2}→ `)) });
    }
    const flag = await runDt(['asset', 'show', '--nonsense'], { home });
    expect(flag).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Nonexistent flag: --nonsense') });
  });

  it('names what stands in the way: the file with an unknown name, a configuration that exists', async () => {
    const env = { DT_PRIVATE_KEY: third.wallet.privateKey };
    const unknown = await runDt(['asset', 'cdt', '--attr-file', 'name.json'], { home, env });
    expect(unknown.stderr).toContain('No token or operator is called @nobody on this machine; name.json names it. DT_NAME_UNKNOWN');
    const init = ['daemon', 'init', '--config', 'daemon.yaml', '--key', 'bank'];
    expect(await runDt([...init, '--data', 'nowhere'], { home })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no folder nowhere'),
    });
    const again = await runDt(init, { home });
    expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/There is a configuration at .*DT_CONFIG_EXISTS\n.*--force/) });
  });

  it('needs a key to sign where nobody can be asked for one', async () => {
    expect(await jsonDt(['job', 'init', '--name', 'x'], { home }, 2)).toMatchObject({ error: { code: 'DT_INPUT_MISSING' } });
    const keyless = await runDt(['job', 'init', '--name', 'x'], { home });
    expect(keyless.stderr).toContain('dt key create');
    const bad = await runDt(['job', 'init', '--name', 'x', '--private_key', 'abc123'], { home });
    expect(bad.code).toBe(2);
    expect(bad.stderr).not.toContain('abc123');
  });
});
