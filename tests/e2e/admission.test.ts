import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { partiesOf } from '../../src/actions/job/job-parties.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { SignedRequest } from '../../src/documents/job/typed-data.js';
import { type ComputeRequest, computeBody } from '../../src/documents/job/wire.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import { freshEnvelope, signRequest } from '../../src/peers/signer.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

const OPERATOR = `import { writeFileSync } from 'node:fs'; writeFileSync('outputs/done.txt', 'done');`;
const PARAMS = { flag: {}, level: {}, note: {}, model: { lr: {}, steps: {} } };
const CONSTRAINT = { flag: false, level: 0, note: '', model: { lr: { $match: { type: 'number', maximum: 0.1 } }, steps: {} } };
const ARGUMENTS = { flag: false, level: 0, note: '', model: { lr: 0.01, steps: 5 } };

/** What every door of a daemon refuses, and that it says why. Each case leaves the world as it was. */
describe('admission', () => {
  let world: World;
  let bank: BankRole;
  let fintech: Role;
  let stranger: Role;
  let operator: TokenId;
  let leaf: TokenId;
  let algorithm: TokenId;
  let task: bigint;

  const error = async (work: Promise<unknown>): Promise<ToolkitError> =>
    work.then(
      () => expect.fail('it was not refused'),
      (thrown) => thrown as ToolkitError,
    );
  const compose = (name: string, constraint: object, who = fintech) =>
    composeAsset(who.context, {
      attributes: compositeAttributes(name, 'Algorithm', { [leaf]: { service: 'run', constraint: constraint as never } }),
    });
  const newJob = (): Promise<bigint> => fintech.context.ledger.addJob(task, algorithm);
  /** A request for a fresh job, with anything changed before or after it is signed. */
  const request = async (
    change: Partial<ComputeRequest> = {},
    role: Role = fintech,
    job?: bigint,
  ): Promise<{ signed: ComputeRequest; signature: string }> => {
    const id = job ?? (await newJob());
    const { specDigest } = await partiesOf(fintech.context, id);
    const signed: ComputeRequest = {
      type: 'compute',
      job: id,
      algorithm,
      dataToken: leaf,
      spec: specDigest,
      ...freshEnvelope(bank.address),
      ...change,
    };
    return { signed, signature: await signRequest(role.wallet, role.context.ledger.ref, signed) };
  };
  const post = async (body: unknown, path = '/v1/jobs'): Promise<{ status: number; code: string; details: Record<string, unknown> }> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(bank.daemon.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });
    const answer = (await response.json()) as { code: string; details: Record<string, unknown> };
    return { status: response.status, code: answer.code, details: answer.details };
  };
  const send = async (change: Partial<ComputeRequest> = {}, role?: Role) => {
    const { signed, signature } = await request(change, role);
    return post(computeBody(signed, signature));
  };

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A', { jobs: { queueLimit: 3, requestMaxBytes: 1 << 20 } });
    fintech = await world.role('Fintech C');
    stranger = await world.role('Stranger');
    operator = await publish(world, 'op', OPERATOR, PARAMS);
    leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'run', template: operator, constraint: CONSTRAINT, path: './inputs/a.csv' }],
      storePath: await bank.data('a.csv', 'id\n1\n'),
    });
    algorithm = (await compose('algorithm', ARGUMENTS)).dt;
    task = await fintech.context.ledger.createTask('t', 'd');
  });
  afterAll(() => world.close());

  it('lets the right request through', async () => {
    const { shares } = await execJob(fintech.context, { task, algorithm, wait: true });
    expect(shares.map(({ run }) => run?.state)).toEqual(['succeeded']);
  });

  describe('composition', () => {
    it.each([
      ['false where false is required', { ...ARGUMENTS, flag: true }, '/services/0/descriptor/constraint/flag'],
      ['0 where 0 is required', { ...ARGUMENTS, level: 1 }, '/services/0/descriptor/constraint/level'],
      ['the empty string where it is required', { ...ARGUMENTS, note: 'x' }, '/services/0/descriptor/constraint/note'],
      ['null is not any', { ...ARGUMENTS, note: null }, '/services/0/descriptor/constraint/note'],
      ['a $match', { ...ARGUMENTS, model: { lr: 0.2, steps: 5 } }, '/services/0/descriptor/constraint/model/lr'],
      ['a missing nested key', { ...ARGUMENTS, model: { lr: 0.01 } }, '/services/0/descriptor/constraint/model/steps'],
      ['an extra nested key', { ...ARGUMENTS, model: { lr: 0.01, steps: 5, more: 1 } }, '/services/0/descriptor/constraint/model/more'],
      ['an object where a value is', { ...ARGUMENTS, level: { a: 1 } }, '/services/0/descriptor/constraint/level'],
      ['a parameter left open', { ...ARGUMENTS, model: { lr: 0.01, steps: {} } }, '/services/0/descriptor/constraint/model/steps'],
    ])('refuses %s', async (name, constraint, pointer) => {
      const refused = await error(compose(name, constraint));
      expect(refused.code).toBe('DT_POLICY_DENIED');
      expect(refused.exitCode).toBe(5);
      expect(refused.details['clauses']).toEqual(expect.arrayContaining([expect.objectContaining({ of: leaf, pointer, passed: false })]));
    });

    it('refuses a service that the leaf does not have', async () => {
      const attributes = compositeAttributes('x', 'Algorithm', { [leaf]: { service: 'other', constraint: ARGUMENTS } });
      const refused = await error(composeAsset(fintech.context, { attributes }));
      expect(refused.message).toContain('one of the services run');
    });

    it('refuses a leaf of an unknown operator', async () => {
      const unknown = `dt:ownership:${'ab'.repeat(32)}` as TokenId;
      const refused = await error(mintLeaf(bank, { name: 'x', services: [{ index: 'run', template: unknown, constraint: {} }] }));
      expect(refused).toMatchObject({ code: 'DT_OPERATOR_UNKNOWN', message: expect.stringContaining(unknown) });
    });

    it('refuses a leaf whose constraint has other keys than the operator', async () => {
      const refused = await error(
        mintLeaf(bank, { name: 'x', services: [{ index: 'run', template: operator, constraint: { flag: {} } }] }),
      );
      expect(refused.code).toBe('DT_POLICY_DENIED');
    });

    it('refuses a child that does not exist', async () => {
      const attributes = compositeAttributes('x', 'Algorithm', {
        [`dt:ownership:${'cd'.repeat(32)}` as TokenId]: { service: 'run', constraint: ARGUMENTS },
      });
      expect((await error(composeAsset(fintech.context, { attributes }))).code).toBe('DT_ASSET_UNKNOWN');
    });

    it('mints nothing of what it refuses', async () => {
      expect((await error(compose('refused', { ...ARGUMENTS, level: 1 }))).code).toBe('DT_POLICY_DENIED');
      const events = await fintech.context.ledger.events();
      expect(events.flatMap((event) => (event.kind === 'token-minted' ? [event.token] : []))).toEqual([leaf, algorithm]);
    });
  });

  describe('requests', () => {
    it.each<[string, () => Promise<{ status: number; code: string }>, number, string]>([
      ['of someone who does not own the algorithm', () => send({}, stranger), 403, 'DT_POLICY_DENIED'],
      ['for another daemon', () => send({ daemon: stranger.address }), 401, 'DT_AUTH_SIGNATURE_INVALID'],
      ['that expired', () => send({ expiry: 1_000_000_000 }), 401, 'DT_AUTH_EXPIRED'],
      ['that would be good for too long', () => send({ expiry: 99_000_000_000 }), 401, 'DT_AUTH_TOO_FAR'],
      ['for another spec', () => send({ spec: `0x${'11'.repeat(32)}` as never }), 403, 'DT_POLICY_DENIED'],
      ['for a job that does not exist', () => send({ job: 999n }), 404, 'DT_JOB_UNKNOWN'],
      ['for another algorithm', () => send({ algorithm: leaf }), 400, 'DT_INPUT_INVALID'],
    ])('refuses one %s', async (_, ask, status, code) => {
      expect(await ask()).toMatchObject({ status, code });
    });

    it('refuses a signature for another chain', async () => {
      const { signed } = await request();
      const signature = await signRequest(fintech.wallet, { ...fintech.context.ledger.ref, chainId: 1 }, signed);
      expect(await post(computeBody(signed, signature))).toMatchObject({ status: 403, code: 'DT_POLICY_DENIED' });
    });

    it('refuses a signature for another job', async () => {
      const { signature } = await request();
      const { signed } = await request();
      expect(await post(computeBody(signed, signature))).toMatchObject({ status: 403, code: 'DT_POLICY_DENIED' });
    });

    it('refuses the same request twice, also after a restart', async () => {
      const { signed, signature } = await request();
      const body = computeBody(signed, signature);
      expect((await post(body)).status).toBe(202);
      expect(await post(body)).toMatchObject({ status: 401, code: 'DT_AUTH_REPLAYED' });
      await bank.daemon.close();
      await bank.restart();
      expect(await post(body)).toMatchObject({ status: 401, code: 'DT_AUTH_REPLAYED' });
    });

    it('refuses a body that names what the asset fixes', async () => {
      const { signed, signature } = await request();
      const body = computeBody(signed, signature);
      expect(await post({ ...body, arguments: ARGUMENTS })).toMatchObject({ status: 403, code: 'DT_POLICY_FIXED_PARAMETER' });
      expect(await post({ ...body, request: { ...body.request, operation: 'x' } })).toMatchObject({
        status: 403,
        code: 'DT_POLICY_FIXED_PARAMETER',
      });
    });

    it.each([
      ['broken JSON', '{"request":', 400, 'DT_INPUT_JSON'],
      ['10 MB', `{"request":"${'x'.repeat(10 << 20)}"}`, 413, 'DT_INPUT_TOO_LARGE'],
      ['a list', '[]', 400, 'DT_INPUT_INVALID'],
      ['a key twice', '{"signature":"0x","signature":"0x"}', 400, 'DT_INPUT_JSON'],
      [
        '10,000 keys',
        JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]))),
        413,
        'DT_INPUT_TOO_LARGE',
      ],
      ['deep nesting', `{"request":${'['.repeat(5000)}${']'.repeat(5000)}}`, 413, 'DT_INPUT_TOO_LARGE'],
    ])('refuses %s', async (_, body, status, code) => {
      expect(await post(body)).toMatchObject({ status, code });
    });

    it('answers unknown paths and proofs that are none', async () => {
      expect(await (await fetch(`${bank.daemon.url}/v1/nothing`)).json()).toMatchObject({ code: 'DT_HTTP_NOT_FOUND' });
      expect(await (await fetch(`${bank.daemon.url}/v1/jobs`)).json()).toMatchObject({ code: 'DT_AUTH_MISSING' });
      const garbage = { headers: { authorization: `DT ${randomBytes(40).toString('base64url')}` } };
      expect(await (await fetch(`${bank.daemon.url}/v1/jobs`, garbage)).json()).toMatchObject({ code: 'DT_AUTH_SIGNATURE_INVALID' });
    });
  });

  describe('scope of reads', () => {
    it('shows a job to its consumer and the owner, and to nobody else', async () => {
      const job = await newJob();
      const { parties, specDigest } = await partiesOf(fintech.context, job);
      const client = parties[0]!.client;
      const run = await client.compute({ job, algorithm, dataToken: leaf, spec: specDigest });
      const as = async (role: Role) => (await partiesOf(role.context, job)).parties[0]!.client;
      expect((await (await as(bank)).job(run.id)).id).toBe(run.id);
      for (const read of ['job', 'logs', 'receipt', 'cancel', 'rerun'] as const) {
        const outsider = await as(stranger);
        expect((await error(outsider[read](run.id))).code, read).toBe('DT_JOB_UNKNOWN');
      }
      expect((await error((await as(stranger)).output(run.id, 'done.txt'))).code).toBe('DT_JOB_UNKNOWN');
      expect(await (await as(stranger)).jobs()).toEqual([]);
    });

    it('shows paths of data to the owner only', async () => {
      const { parties } = await partiesOf(bank.context, await newJob());
      expect((await parties[0]!.client.assets())[0]).toHaveProperty('path');
      const { parties: others } = await partiesOf(fintech.context, await newJob());
      expect((await others[0]!.client.assets())[0]).not.toHaveProperty('path');
    });

    it('refuses a proof for another path or method', async () => {
      const envelope = freshEnvelope(bank.address);
      const signed: SignedRequest = {
        type: 'http',
        method: 'GET',
        path: '/v1/assets',
        body: `0x${'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}` as never,
        ...envelope,
      };
      const signature = await signRequest(bank.wallet, bank.context.ledger.ref, signed);
      const authorization = `DT ${Buffer.from(JSON.stringify({ ...envelope, signature })).toString('base64url')}`;
      const answer = await fetch(`${bank.daemon.url}/v1/jobs`, { headers: { authorization } });
      // It recovers to an address nobody owns, which sees nothing.
      expect(await answer.json()).toEqual({ jobs: [] });
    });
  });

  describe('the state of the world', () => {
    it('refuses more jobs than the owner allows, by name, and does not forget them when it starts again', async () => {
      const limited = await mintLeaf(bank, {
        name: 'asked rarely',
        services: [{ index: 'run', template: operator, constraint: CONSTRAINT, path: './inputs/a.csv', runs: { limit: 2 } }],
        storePath: await bank.data('rare.csv', 'id\n1\n'),
      });
      const composed = await composeAsset(fintech.context, {
        attributes: compositeAttributes('rare', 'Algorithm', { [limited]: { service: 'run', constraint: ARGUMENTS as never } }),
      });
      const exec = async () => (await execJob(fintech.context, { task, algorithm: composed.dt, wait: true })).shares[0];
      expect((await exec())?.run?.state).toBe('succeeded');
      expect((await exec())?.run?.state).toBe('succeeded');
      await bank.daemon.close();
      await bank.restart();
      const { problem } = (await exec()) ?? {};
      expect(problem?.code).toBe('DT_POLICY_DENIED');
      expect(problem?.details['clauses']).toEqual([
        expect.objectContaining({ of: limited, pointer: '/services/0/runs', rule: 'runs', required: { limit: 2 } }),
      ]);
    });

    it('refuses a job on a closed task', async () => {
      const closed = await fintech.context.ledger.createTask('closed', '');
      const job = await fintech.context.ledger.addJob(closed, algorithm);
      await fintech.context.ledger.closeTask(closed);
      expect((await error(fintech.context.ledger.addJob(closed, algorithm))).message).toContain('TaskNotOpen');
      const { specDigest, parties } = await partiesOf(fintech.context, job);
      const refused = await error(parties[0]!.client.compute({ job, algorithm, dataToken: leaf, spec: specDigest }));
      expect(refused.details['clauses']).toEqual([expect.objectContaining({ rule: 'task', wouldPass: expect.stringContaining('closed') })]);
    });

    it('refuses data that vanished or changed since minting', async () => {
      const path = await bank.data('b.csv', 'id\n1\n');
      const other = await mintLeaf(bank, {
        name: 'b',
        services: [{ index: 'run', template: operator, constraint: CONSTRAINT }],
        storePath: path,
      });
      const attributes = compositeAttributes('b', 'Algorithm', { [other]: { service: 'run', constraint: ARGUMENTS } });
      const { dt } = await composeAsset(fintech.context, { attributes });
      await writeFile(path, 'id\n2\n');
      const changed = await execJob(fintech.context, { task, algorithm: dt, wait: true });
      expect(changed.shares[0]?.run).toMatchObject({ state: 'failed', failure: { code: 'DT_DATASET_CHANGED' } });
      const { rm } = await import('node:fs/promises');
      await rm(path);
      const vanished = await execJob(fintech.context, { task, algorithm: dt, wait: true });
      expect(vanished.shares[0]?.run).toMatchObject({ state: 'failed', failure: { code: 'DT_DATASET_VANISHED' } });
      expect(JSON.stringify(vanished.shares[0]?.run)).not.toContain(path);
    });

    it('refuses data outside of its folders', async () => {
      const refused = await error(
        mintLeaf(bank, { name: 'etc', services: [{ index: 'run', template: operator, constraint: CONSTRAINT }], storePath: '/etc/passwd' }),
      );
      expect(refused.code).toBe('DT_DATASET_FORBIDDEN');
    });

    it('refuses when a grant is revoked, and runs again when it is given back', async () => {
      await bank.context.ledger.revoke(leaf, algorithm);
      expect((await error(newJob())).message).toContain('TokenGrantNotLive');
      await bank.context.ledger.grant(leaf, algorithm, 0);
      const job = await newJob();
      await bank.context.ledger.revoke(leaf, algorithm);
      const { signed, signature } = await request({}, fintech, job);
      expect(await post(computeBody(signed, signature))).toMatchObject({ status: 403, code: 'DT_POLICY_DENIED' });
      await bank.context.ledger.grant(leaf, algorithm, 0);
    });

    it('names the daemon that is down, and does not hide the others', async () => {
      await bank.daemon.close();
      const { shares } = await execJob(fintech.context, { task, algorithm, wait: true });
      expect(shares[0]?.problem).toMatchObject({ code: 'DT_PEER_UNREACHABLE', exitCode: 7 });
      await bank.restart();
    });
  });
});
