import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonOf } from '../../src/actions/action-context.js';
import { checkAsset } from '../../src/actions/asset/check-asset.js';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import { type Party, partiesOf } from '../../src/actions/job/job-parties.js';
import { traceUnion } from '../../src/actions/tracer/trace-lifecycle.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import { parseAssetAttributes } from '../../src/documents/ddo/ddo.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import { explainRun } from '../../src/tracer-daemon/explain-run.js';
import type { Run } from '../../src/tracer-daemon/store/run.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

/** Does what its `mode` says; waits for ever, so that a test decides when it ends. */
const OPERATOR = `
import { readFileSync, writeFileSync, symlinkSync } from 'node:fs';
const { mode } = JSON.parse(readFileSync('args.json', 'utf8'));
console.log('mode', mode);
if (mode === 'fail') { console.error('bad row 7'); process.exit(3); }
if (mode === 'link') symlinkSync('/etc/passwd', 'outputs/p');
if (mode === 'wait') setInterval(() => {}, 1000); else writeFileSync('outputs/ok.txt', mode);
`;

describe('what may happen to a job', () => {
  let world: World;
  let bank: BankRole;
  let fintech: Role;
  let operator: TokenId;
  let leaf: TokenId;
  let task: bigint;
  const algorithms = new Map<string, TokenId>();

  const algorithm = async (mode: string): Promise<TokenId> => {
    const known = algorithms.get(mode);
    if (known !== undefined) return known;
    const attributes = compositeAttributes(`do ${mode}`, 'Algorithm', { [leaf]: { service: 'run', constraint: { mode } } });
    const { dt } = await composeAsset(fintech.context, { attributes });
    algorithms.set(mode, dt);
    return dt;
  };
  const submit = async (mode: string): Promise<{ party: Party; run: RunView; job: bigint; dt: TokenId }> => {
    const dt = await algorithm(mode);
    const { shares, job } = await execJob(fintech.context, { task, algorithm: dt, wait: false });
    const share = shares[0]!;
    if (share.problem !== undefined) throw share.problem;
    return { party: share.party, run: share.run!, job, dt };
  };
  /** Resolves when the run reaches a state, by its event stream. */
  const reaches = async ({ party, run }: { party: Party; run: RunView }, state: string): Promise<void> => {
    for await (const event of party.client.events(run.id)) if (event.event === 'state' && JSON.parse(event.data).state === state) return;
    throw new Error(`never ${state}`);
  };
  const code = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'no error',
      (error: ToolkitError) => error.code,
    );

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A', { jobs: { queueLimit: 2, concurrency: 1, attempts: 2 }, sandbox: { limits: { wallSeconds: 600 } } });
    fintech = await world.role('Fintech C');
    operator = await publish(world, 'modes', OPERATOR, { mode: {} });
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'run', template: operator, constraint: { mode: {} } }],
      storePath: await bank.data('a.csv', 'id\n1\n'),
    });
    task = await fintech.context.ledger.createTask('t', 'd');
  });
  afterAll(() => world.close());

  it('a failed operator gives its exit code and last lines, a receipt, and can be run again', async () => {
    const { party, run } = await submit('fail');
    const ended = await followRun(party, run);
    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_OPERATOR_FAILED' }, outputs: [] });
    expect(ended.failure?.message).toContain('exit code 3');
    expect(ended.failure?.message).toContain('bad row 7');
    expect(await party.client.logs(run.id)).toBe('mode fail\nbad row 7\n');
    const { deps } = bank.daemon;
    expect(await explainRun(deps, (await deps.store.runs.get(run.id)) as Run)).toMatchObject({
      status: 'failed',
      code: 'DT_JOB_OPERATOR_FAILED',
      at: { ownerName: 'Bank A', token: leaf },
      evidence: expect.arrayContaining(['log: bad row 7']),
    });
    // At once: it waits itself until the receipt of the first run is on the chain.
    await party.client.rerun(run.id);
    const again = await followRun(party, run);
    expect(again).toMatchObject({ state: 'failed' });
    expect(again.receipt).not.toBe(ended.receipt);
    await expect.poll(async () => (await party.client.job(run.id)).settlement, { timeout: 10_000 }).toBe('anchored');
  });

  it('a job that is run again asks its data again: the limit of runs holds for its consumer, and the owner may', async () => {
    const limited = await mintLeaf(bank, {
      name: 'asked once',
      services: [{ index: 'run', template: operator, constraint: { mode: {} }, runs: { limit: 1 } }],
      storePath: await bank.data('once.csv', 'id\n1\n'),
    });
    const attributes = compositeAttributes('once', 'Algorithm', { [limited]: { service: 'run', constraint: { mode: 'fail' } } });
    const { dt } = await composeAsset(fintech.context, { attributes });
    const { party, run } = (await execJob(fintech.context, { task, algorithm: dt, wait: true })).shares[0]!;
    const again = async (by: typeof party.client): Promise<string> => {
      await by.rerun(run!.id);
      const { state, failure } = await followRun(party, run!);
      return `${state} ${failure?.code}`;
    };
    expect(await again(party.client)).toBe('refused DT_POLICY_DENIED');
    expect((await followRun(party, run!)).failure?.details?.['clauses']).toEqual([expect.objectContaining({ rule: 'runs' })]);
    expect(await again(daemonOf(bank.context, bank.address, new URL(bank.daemon.url)))).toBe('failed DT_JOB_OPERATOR_FAILED');
  });

  it('an output that may not leave refuses all of them', async () => {
    const { party, run } = await submit('link');
    expect(await followRun(party, run)).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_OUTPUT_REFUSED' }, outputs: [] });
    expect(await code(party.client.output(run.id, 'p'))).toBe('DT_JOB_OUTPUT_UNKNOWN');
  });

  it('a running job is canceled by its consumer, and its outputs do not exist', async () => {
    const running = await submit('wait');
    await reaches(running, 'running');
    await running.party.client.cancel(running.run.id, 'wrong data');
    const events: string[] = [];
    for await (const event of running.party.client.events(running.run.id)) events.push(event.data);
    expect(events.some((data) => data.includes('wrong data') && data.includes(fintech.address))).toBe(true);
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'canceled', failure: { code: 'DT_JOB_CANCELED' } });
    expect(await code(running.party.client.cancel(running.run.id))).toBe('DT_JOB_STATE');
  });

  it('a full queue refuses, and a queued job can be canceled', async () => {
    const running = await submit('wait');
    await reaches(running, 'running');
    const first = await submit('a');
    const second = await submit('b');
    expect(await code(submit('c'))).toBe('DT_JOB_QUEUE_FULL');
    await first.party.client.cancel(first.run.id);
    expect(await followRun(first.party, first.run)).toMatchObject({ state: 'canceled' });
    await running.party.client.cancel(running.run.id);
    expect(await followRun(second.party, second.run)).toMatchObject({ state: 'succeeded' });
  });

  it('a revoked grant ends the running job', async () => {
    const running = await submit('wait');
    await reaches(running, 'running');
    await bank.context.ledger.revoke(leaf, running.dt);
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_REVOKED' } });
    await bank.context.ledger.grant(leaf, running.dt, 0);
  });

  it('a grant that runs out ends the running job', async () => {
    const dt = await algorithm('wait');
    const { time } = await bank.context.ledger.head();
    await bank.context.ledger.grant(leaf, dt, Math.max(time, Math.floor(Date.now() / 1000)) + 3);
    const running = await submit('wait');
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_REVOKED' } });
    expect(await code(submit('wait'))).toBe('DT_CHAIN_REVERTED');
    await bank.context.ledger.grant(leaf, dt, 0);
  });

  it('a stopped daemon gives its running job back and runs it after the start', async () => {
    const running = await submit('wait');
    await reaches(running, 'running');
    await bank.daemon.close();
    await bank.restart();
    await reaches(running, 'running');
    await running.party.client.cancel(running.run.id);
    expect(await followRun(running.party, running.run)).toMatchObject({ state: 'canceled' });
  });

  it('the same job is taken once', async () => {
    const { job, dt, party, run } = await submit('once');
    const { specDigest } = await partiesOf(fintech.context, job);
    expect(await code(party.client.compute({ job, algorithm: dt, dataToken: leaf, spec: specDigest }))).toBe('DT_JOB_EXISTS');
    await followRun(party, run);
  });

  it('outputs are sent by byte range', async () => {
    const { party, run } = await submit('range-test');
    await followRun(party, run);
    const part = await party.client.output(run.id, 'ok.txt', 6);
    expect([part.status, await part.text()]).toEqual([206, 'test']);
  });

  it('a retired operator and a new version of its code need the owner again', async () => {
    const own = await publish(world, 'versioned', OPERATOR, { mode: {} });
    const other = await mintLeaf(bank, {
      name: 'v',
      services: [{ index: 'run', template: own, constraint: { mode: {} } }],
      storePath: await bank.data('v.csv', 'id\n1\n'),
    });
    const { dt } = await composeAsset(fintech.context, {
      attributes: compositeAttributes('v', 'Algorithm', { [other]: { service: 'run', constraint: { mode: 'x' } } }),
    });
    const { publishOperator } = await import('../../src/actions/system/publish-operator.js');
    const content = {
      metadata: { main: { type: 'Operation', name: 'versioned' } },
      runtime: 'node' as const,
      operation: `${OPERATOR} // 2`,
      params: { mode: {} },
    };
    expect(await publishOperator(world.system.context, { content, update: true })).toMatchObject({ version: 2, outcome: 'updated' });
    const { shares } = await execJob(fintech.context, { task, algorithm: dt, wait: true });
    expect(shares[0]?.problem).toMatchObject({ code: 'DT_POLICY_DENIED' });
    expect(shares[0]?.problem?.message).toContain('version 1 of its code');
    await world.system.context.ledger.retireOperator(own);
    const retired = await execJob(fintech.context, { task, algorithm: dt, wait: true });
    expect(retired.shares[0]?.problem?.message).toContain('not retired');
  });

  it('a tree of four levels with several services runs, and every level is checked', async () => {
    const bankB = await world.bank('Bank B');
    const aggregator = await world.role('Aggregator');
    const service = (index: string, constraint: JsonObject) => ({ index, template: operator, constraint });
    const a = await mintLeaf(bank, {
      name: 'deep a',
      services: [service('closed', { mode: 'never' }), service('open', { mode: {} })],
      storePath: await bank.data('d.csv', 'id\n1\n'),
    });
    const b = await mintLeaf(bankB, {
      name: 'deep b',
      services: [service('open', { mode: { $match: { enum: ['x', 'y'] } } })],
      storePath: await bankB.data('d.csv', 'id\n1\n'),
    });
    const union = parseAssetAttributes({
      metadata: { main: { type: 'Dataset', name: 'union' } },
      child_dts: [a, b],
      services: [
        {
          index: 'wide',
          endpoint: '',
          descriptor: {
            workflow: {
              [a]: { service: 'open', constraint: { mode: {} } },
              [b]: { service: 'open', constraint: { mode: { $match: { enum: ['x', 'y'] } } } },
            },
          },
          attributes: {},
        },
        {
          index: 'narrow',
          endpoint: '',
          descriptor: {
            workflow: { [a]: { service: 'open', constraint: { mode: 'x' } }, [b]: { service: 'open', constraint: { mode: 'x' } } },
          },
          attributes: {},
        },
      ],
    });
    const { dt: one } = await composeAsset(aggregator.context, { attributes: union });
    const above = compositeAttributes('union of unions', 'Dataset', {
      [one]: { service: 'wide', constraint: { [a]: { mode: { $match: { type: 'string', maxLength: 3 } } }, [b]: { mode: 'y' } } },
    });
    const { dt: two } = await composeAsset(aggregator.context, { attributes: above });
    const final = (modes: Record<string, string>) =>
      compositeAttributes(`deep ${JSON.stringify(modes)}`, 'Algorithm', {
        [two]: { service: 'default', constraint: { [one]: { [a]: { mode: modes['a']! }, [b]: { mode: modes['b']! } } } },
      });
    // The aggregator runs no daemon: it grants by hand.
    const attributes = final({ a: 'x', b: 'y' });
    const missing = await code(composeAsset(fintech.context, { attributes }));
    expect(missing).toBe('DT_PEER_NO_ENDPOINT');
    const [minted] = await fintech.context.index.read((index) => index.tokens({ newestFirst: true, limit: 1 }));
    await aggregator.context.ledger.grant(two, minted!.id, 0);
    const { dt } = await composeAsset(fintech.context, { attributes });
    const { shares } = await execJob(fintech.context, { task, algorithm: dt, wait: true });
    expect(shares.map(({ run, problem }) => problem?.message ?? run?.state)).toEqual(['succeeded', 'succeeded']);
    expect((await traceUnion(fintech.context, dt)).children[0]?.children[0]?.children.map(({ name }) => name)).toEqual([
      'deep a',
      'deep b',
    ]);
    expect((await checkAsset(fintech.context, dt)).allowed).toBe(true);

    const widened = await composeAsset(fintech.context, { attributes: final({ a: 'x', b: 'x' }) }).catch((error: ToolkitError) => error);
    expect(widened).toMatchObject({ code: 'DT_POLICY_DENIED' });
    // A grant far below dies: nothing above can be run.
    await bankB.context.ledger.revoke(b, one);
    expect(await code(execJob(fintech.context, { task, algorithm: dt, wait: true }))).toBe('DT_CHAIN_REVERTED');
    expect((await checkAsset(fintech.context, dt)).allowed).toBe(false);
  });
});
