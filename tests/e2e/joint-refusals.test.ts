import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobExplanation } from '../../src/actions/job/job-explanation.js';
import { registerOrganization } from '../../src/actions/system/register-organization.js';
import { digestOf } from '../../src/documents/canonical.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import { eventsOf, heard, type PartedJob, type PartName, partedJob, partNames, releasedFiles } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole, Role } from '../support/world.js';

const ownerOf = (joint: JointWorld<BankRole>, name: PartName): BankRole => (name === 'b1' ? joint.b : name === 'c' ? joint.c : joint.a);
const outcome = ({ state, failure }: RunView): string => `${state} ${failure?.code ?? ''}`;
const setProvider = (joint: JointWorld<BankRole>, { address }: Role, isProvider: boolean) =>
  registerOrganization(joint.world.system.context, { address, isProvider, isAggregator: true });

/** No operator was started, nothing was agreed on, nothing was listed or lies ready to be fetched. */
async function expectNothingRan(joint: JointWorld<BankRole>, job: PartedJob, names: readonly PartName[]): Promise<void> {
  for (const name of names) {
    const run = await job.parts[name].end();
    const { states, logs } = await eventsOf(job.parts[name]);
    expect(states).not.toContain('running');
    expect(logs).toBe(0);
    expect(run.outputs).toEqual([]);
    expect(releasedFiles(ownerOf(joint, name), run.id)).toEqual([]);
    await expect(heard({ ...job.parts[name], run }, 'All parties agree')).rejects.toThrow('it ended without');
  }
}

/** What the chain holds of the leaves' receipts. */
const reported = async (joint: JointWorld<BankRole>, job: PartedJob, token: TokenId): Promise<string | undefined> =>
  (await joint.c.context.index.read((index) => index.job(job.job)))?.reports.get(token)?.state;

describe('refusals of a joint job', () => {
  let joint: JointWorld<BankRole>;
  let other: Role;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 20 } });
    other = await joint.world.role('Other D');
  });
  afterAll(() => joint.close());

  const another = digestOf({ spec: 'another' });

  it.each([
    ['before the others come', true],
    ['while they wait', false],
  ])('one token refused at the door, its owner having accepted the other, %s', async (_, isFirst) => {
    const job = await partedJob(joint, { mode: 'ok' });
    const refuse = () => expect(job.parts.a2.ask(another)).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    if (isFirst) await refuse();
    await job.ask('a0', 'b1', 'c');
    if (!isFirst) {
      await heard(job.parts.b1, 'Waiting for');
      await heard(job.parts.c, 'Waiting for');
      await refuse();
    }
    const [a0, b1, a2, c] = await job.ends(...partNames);
    expect(outcome(a2 as RunView)).toBe('refused DT_POLICY_DENIED');
    for (const run of [a0, b1, c] as RunView[]) {
      expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
      expect(run.failure?.message).toMatch(/^Bank A refused its part.*a signature over the job spec/);
    }
    await expectNothingRan(joint, job, partNames);
    await expect.poll(() => reported(joint, job, joint.tokens.a2), { timeout: 20_000 }).toBe('refused');
    await expect.poll(() => reported(joint, job, joint.tokens.b1), { timeout: 20_000 }).toBe('failed');
  });

  it('a party without a link key on chain is named with what helps, before the job is added', async () => {
    const { a, b, c } = joint;
    const before = (await c.context.index.read((index) => index.jobs())).length;
    const endpoints = { '0': a.address, '1': b.address, '2': other.address };
    const refused = await joint.exec({ mode: 'ok' }, { endpoints }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'DT_POLICY_DENIED' });
    expect(String(refused)).toMatch(/link key on chain; start the daemon of Other D, which publishes it: `dt daemon run`/);
    expect((await c.context.index.read((index) => index.jobs())).length).toBe(before);
  });

  it.each(['a0', 'b1'] as const)('an owner that is no provider any more refuses %s at its door, and the others hear why', async (name) => {
    const job = await partedJob(joint, { mode: 'ok' });
    const owner = ownerOf(joint, name);
    const others = partNames.filter((part) => ownerOf(joint, part) !== owner);
    await job.ask(...others);
    await setProvider(joint, owner, false);
    try {
      await expect(job.parts[name].ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
      for (const run of await job.ends(...others)) {
        expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
        expect(run.failure?.message).toMatch(new RegExp(`^${owner.name} refused its part.*registered as provider`));
      }
      await expectNothingRan(joint, job, [name, ...others]);
    } finally {
      await setProvider(joint, owner, true);
    }
  });

  it('the helper of a job that is not its own refuses', async () => {
    const algorithm = await joint.algorithm({ mode: 'ok' }, { by: other });
    const task = await other.context.ledger.createTask('t', 'd');
    const job = await partedJob(joint, {}, { algorithm, by: other, task });
    await job.ask('a0', 'b1', 'a2');
    await expect(job.parts.c.ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    for (const run of await job.ends('a0', 'b1', 'a2')) {
      expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
      expect(run.failure?.message).toMatch(/^Third C refused its part.*joint\.help: any/);
    }
    expect(await jobExplanation(other.context, job.job)).toMatchObject({
      status: 'failed',
      code: 'DT_POLICY_DENIED',
      at: { ownerName: 'Third C' },
      evidence: expect.arrayContaining([expect.stringContaining('joint.help: any')]),
    });
    await expectNothingRan(joint, job, partNames);
  });

  it('what somebody else asks for is refused to him alone', async () => {
    const job = await partedJob(joint, { mode: 'ok' });
    const { specDigest, parties } = job.resolved;
    const theirs = await partedJob(joint, {}, { algorithm: job.algorithm });
    const { client } = theirs.parts.a0.party;
    const forged = Object.create(client, { options: { value: { ...Reflect.get(client, 'options'), signer: other.wallet } } });
    const [first] = parties;
    const asked = forged.compute({ job: job.job, algorithm: job.algorithm, dataToken: first?.token, spec: specDigest });
    await expect(asked).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    await job.ask(...partNames);
    expect((await job.ends(...partNames)).map(outcome)).toEqual(['succeeded ', 'succeeded ', 'succeeded ', 'succeeded ']);
  });

  it('refused when the run starts, after its door had accepted it; all of them run again once the reason is gone', async () => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask('b1', 'c');
    await setProvider(joint, joint.a, true);
    await job.ask('a0');
    // A stopped daemon gives its runs back; started again it decides again.
    await joint.a.daemon.close();
    await setProvider(joint, joint.a, false);
    await joint.a.restart();
    try {
      const [a0, b1, c] = await job.ends('a0', 'b1', 'c');
      expect(outcome(a0 as RunView)).toBe('refused DT_POLICY_DENIED');
      for (const run of [b1, c] as RunView[]) {
        expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
        expect(run.failure?.message).toMatch(/^Bank A refused its part.*registered as provider/);
      }
      await expectNothingRan(joint, job, ['a0', 'b1', 'c']);
      await expect.poll(() => reported(joint, job, joint.tokens.a0), { timeout: 20_000 }).toBe('refused');
      await expect.poll(() => reported(joint, job, joint.tokens.b1), { timeout: 20_000 }).toBe('failed');
    } finally {
      await setProvider(joint, joint.a, true);
    }
    await job.ask('a2');
    for (const name of ['a0', 'b1', 'c'] as const) await job.parts[name].rerun();
    expect((await job.ends(...partNames)).map(outcome)).toEqual(['succeeded ', 'succeeded ', 'succeeded ', 'succeeded ']);
  });

  it('a grant that is revoked before anybody asks: all refuse', async () => {
    const job = await partedJob(joint, { mode: 'ok' });
    await joint.b.context.ledger.revoke(joint.tokens.b1, job.algorithm);
    for (const name of partNames) await expect(job.parts[name].ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    await expectNothingRan(joint, job, partNames);
  });

  it('a grant that is revoked while they wait: all end, and who comes later is refused', async () => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask('a0', 'b1', 'a2');
    await heard(job.parts.a0, 'Waiting for');
    await heard(job.parts.b1, 'Waiting for');
    await joint.b.context.ledger.revoke(joint.tokens.b1, job.algorithm);
    for (const run of await job.ends('a0', 'b1', 'a2')) expect(run.failure?.message).toMatch(/grant .*revoked|grant was revoked/i);
    await expect(job.parts.c.ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    await expectNothingRan(joint, job, partNames);
  });

  it('a grant that is revoked while it runs ends it everywhere', async () => {
    const job = await partedJob(joint, { mode: 'ok', rounds: 600, pauseMs: 100 });
    await job.ask(...partNames);
    for (const name of partNames) await heard(job.parts[name], '"running"');
    await joint.b.context.ledger.revoke(joint.tokens.b1, job.algorithm);
    const runs = await job.ends(...partNames);
    for (const [i, run] of runs.entries()) {
      expect(['failed DT_JOB_REVOKED', 'failed DT_JOINT_PEER_FAILED']).toContain(outcome(run));
      expect(run.failure?.message).toMatch(/grant .*revoked|grant was revoked/i);
      expect(run.outputs).toEqual([]);
      expect(releasedFiles(ownerOf(joint, partNames[i] as PartName), run.id)).toEqual([]);
    }
  });

  // Last: the operator does not come back.
  it('an operator that is retired while parties wait ends it for all of them, and who comes later is refused', async () => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask('a0', 'a2', 'c');
    await heard(job.parts.a0, 'Waiting for');
    await heard(job.parts.c, 'Waiting for');
    await joint.world.system.context.ledger.retireOperator(joint.operator);
    await expect(job.parts.b1.ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    for (const run of await job.ends('a0', 'a2', 'c')) {
      expect(['failed DT_JOB_REVOKED', 'failed DT_JOINT_PEER_FAILED']).toContain(outcome(run));
      expect(run.failure?.message).toMatch(/its operator was retired/);
    }
    await expectNothingRan(joint, job, partNames);
  });
});

describe('a helper that helps nobody', () => {
  it('refuses also the job of its own organization', async () => {
    const joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 20 }, joint: { help: 'none' } });
    try {
      const job = await partedJob(joint, { mode: 'ok' });
      await expect(job.parts.c.ask()).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
      await job.ask('a0', 'b1', 'a2');
      for (const run of await job.ends('a0', 'b1', 'a2')) {
        expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
        expect(run.failure?.message).toMatch(/^Third C refused its part.*a daemon that helps/);
      }
      await expectNothingRan(joint, job, partNames);
    } finally {
      await joint.close();
    }
  });
});
