import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkReceipt } from '../../src/actions/job/check-receipt.js';
import { jobExplanation } from '../../src/actions/job/job-explanation.js';
import type { RunView } from '../../src/peers/run-view.js';
import { heard, type PartedJob, type PartName, partedJob, partNames, releasedFiles } from '../support/joint-parts.js';
import { asProcess, createJointWorld, inProcess, type JointWorld, jointOf } from '../support/joint-world.js';
import { ScriptedPeer, sentOn, type Talk } from '../support/scripted-peer.js';
import type { BankProcess, BankRole } from '../support/world.js';

const MODE = { mode: 'ok', rounds: 4, bytes: 50 };
/** Random points in time, the same in every run of the suite, spread over the whole of a job. */
const KILLS = 12;
const LONGEST_MS = 1_500;
/** On a machine with ten times the work that it can do a killed daemon took 20 s to be there again. */
const BUSY_MS = 240_000;

const outcomes = (runs: readonly RunView[]): readonly string[] => runs.map(({ state, failure }) => `${state} ${failure?.code ?? ''}`);
const succeeded = partNames.map(() => 'succeeded ');

async function executionsOf(
  joint: JointWorld<BankRole | BankProcess>,
  job: PartedJob,
  names: readonly PartName[],
): Promise<readonly string[]> {
  return Promise.all(
    names.map(async (name) => {
      const { party } = job.parts[name];
      const { receipt } = await checkReceipt(joint.c.context.ledger.ref, party, await job.parts[name].end());
      return jointOf(receipt).execution;
    }),
  );
}

describe.each([
  ['patient', 120],
  ['impatient', 20],
] as const)('%s daemons of a joint job that are killed or frozen', (temper, peerWaitSeconds) => {
  let joint: JointWorld<BankProcess>;
  const banks = (): readonly BankProcess[] => [joint.a, joint.b, joint.c];
  const ownerOf = (name: PartName): BankProcess => (name === 'b1' ? joint.b : name === 'c' ? joint.c : joint.a);
  const expectNothingReleased = (runs: readonly RunView[], names: readonly PartName[]): void => {
    for (const [i, run] of runs.entries()) {
      expect(run.outputs).toEqual([]);
      expect(releasedFiles(ownerOf(names[i] as PartName), run.id)).toEqual([]);
    }
  };
  beforeAll(async () => {
    joint = await createJointWorld(asProcess, { link: { peerWaitSeconds, graceSeconds: 3 }, jobs: { attempts: 3 } });
  });
  afterAll(() => joint.close());

  const expectAllWell = async (job: PartedJob): Promise<void> => {
    const runs = await job.ends(...partNames);
    expect(outcomes(runs)).toEqual(succeeded);
    expect(runs.map(({ outputs }) => outputs.length)).toEqual([1, 1, 0, 1]);
    expect(new Set(await executionsOf(joint, job, partNames)).size).toBe(1);
  };

  if (temper === 'patient')
    it.each(Array.from({ length: KILLS }, (_, i) => i))(
      'kill -9 at point %i: it is started again, and the job ends well at all parties, once',
      async (i) => {
        const victim = banks()[i % 3] as BankProcess;
        const job = await partedJob(joint, { ...MODE, pauseMs: i % 2 === 0 ? 0 : 100 });
        await job.ask(...partNames);
        await sleep(((i * 0.618) % 1) * LONGEST_MS);
        await victim.kill('SIGKILL');
        await victim.restart();
        await expectAllWell(job);
      },
      BUSY_MS,
    );

  if (temper === 'impatient')
    it('killed while they wait and not started again: the others name it, and release nothing; then all run again', async () => {
      const job = await partedJob(joint, MODE);
      await job.ask('a0', 'b1', 'a2');
      await heard(job.parts.b1, 'Waiting for');
      await joint.b.kill('SIGKILL');
      await job.ask('c');
      const left = ['a0', 'a2', 'c'] as const;
      const runs = await job.ends(...left);
      for (const run of runs) expect(run.failure?.message).toMatch(/Bank B (did not come|was lost)/);
      expectNothingReleased(runs, left);
      const why = { status: 'failed', code: 'DT_PEER_UNREACHABLE', at: { ownerName: 'Bank B' } };
      expect(await jobExplanation(joint.c.context, job.job)).toMatchObject(why);
      await joint.b.restart();
      const b1 = await job.parts.b1.end();
      expect(b1.failure?.code).toBe('DT_JOINT_PEER_ABSENT');
      expectNothingReleased([b1], ['b1']);
      await Promise.all(partNames.map((name) => job.parts[name].rerun()));
      await expectAllWell(job);
    });

  if (temper === 'impatient')
    it('killed while it runs and not started again: the others name it, and release nothing; then all run again', async () => {
      const job = await partedJob(joint, { ...MODE, rounds: 40, pauseMs: 100 });
      await job.ask(...partNames);
      for (const name of partNames) await heard(job.parts[name], '"running"');
      await joint.c.kill('SIGKILL');
      const left = ['a0', 'b1', 'a2'] as const;
      const runs = await job.ends(...left);
      for (const run of runs) expect(run.failure?.message).toMatch(/Third C (did not come|was lost)/);
      expectNothingReleased(runs, left);
      await joint.c.restart();
      const c = await job.parts.c.end();
      expect(c.failure?.code).toBe('DT_JOINT_PEER_ABSENT');
      expectNothingReleased([c], ['c']);
      await Promise.all(partNames.map((name) => job.parts[name].rerun()));
      await expectAllWell(job);
    });

  if (temper === 'impatient')
    it(
      'frozen while it runs, for longer than a link may be silent: the others name it, and release nothing; then all run again',
      async () => {
        const job = await partedJob(joint, { ...MODE, rounds: 15, pauseMs: 100 });
        await job.ask(...partNames);
        for (const name of partNames) await heard(job.parts[name], '"running"');
        process.kill(joint.b.pid(), 'SIGSTOP');
        const left = ['a0', 'a2', 'c'] as const;
        try {
          const runs = await job.ends(...left);
          for (const run of runs) {
            expect(run.failure?.code).toMatch(/^DT_JOINT_PEER_/);
            expect(run.failure?.message).toMatch(/Bank B (did not come|was lost)/);
          }
          expectNothingReleased(runs, left);
        } finally {
          process.kill(joint.b.pid(), 'SIGCONT');
        }
        const b1 = await job.parts.b1.end();
        expect(b1.failure?.code).toMatch(/^DT_JOINT_PEER_/);
        expectNothingReleased([b1], ['b1']);
        await Promise.all(partNames.map((name) => job.parts[name].rerun()));
        await expectAllWell(job);
      },
      BUSY_MS,
    );

  if (temper === 'patient')
    it('frozen for longer than a heartbeat while it runs: it ends well', async () => {
      const job = await partedJob(joint, { ...MODE, rounds: 15, pauseMs: 100 });
      await job.ask(...partNames);
      for (const name of partNames) await heard(job.parts[name], '"running"');
      process.kill(joint.b.pid(), 'SIGSTOP');
      await sleep(6_000);
      process.kill(joint.b.pid(), 'SIGCONT');
      await expectAllWell(job);
    });
});

/** Bank B's part up to its results, said truly. */
async function finish(talk: Talk): Promise<string> {
  const execution = await talk.agree();
  const data = await talk.compute(execution, MODE.rounds, MODE.bytes);
  await talk.say({ kind: 'done', execution, sent: sentOn(data) });
  await talk.hear('done');
  return execution;
}

describe('a party that vanishes between its confirmation to one and to the other', () => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 3 } });
  });
  afterAll(() => joint.close());

  /** A has heard of it that all is well and releases; C has not. */
  const untilHalf = async (): Promise<{ job: PartedJob; execution: string }> => {
    const algorithm = await joint.algorithm(MODE);
    // Its documents come to the others while bank B's daemon is there.
    const before = await partedJob(joint, {}, { algorithm });
    await before.ask(...partNames);
    expect(outcomes(await before.ends(...partNames))).toEqual(succeeded);
    await joint.b.daemon.close();
    const peer = await ScriptedPeer.open(joint.b, [joint.a, joint.c]);
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask('a0', 'a2', 'c');
    const talks = await Promise.all([joint.a, joint.c].map(({ address }) => peer.control(address, job)));
    const [execution] = await Promise.all(talks.map(finish));
    await talks[0]?.say({ kind: 'confirmed', execution: execution as string });
    await talks[0]?.hear('confirmed');
    expect(outcomes(await job.ends('a0', 'a2'))).toEqual(['succeeded ', 'succeeded ']);
    await peer.close();
    return { job, execution: execution as string };
  };

  const comeBack = async (job: PartedJob, execution: string): Promise<void> => {
    const peer = await ScriptedPeer.open(joint.b, [joint.a, joint.c]);
    try {
      const talk = await peer.control(joint.c.address, job);
      expect(await talk.agree({ finished: execution }).catch(() => execution)).toBe(execution);
      const c = await job.parts.c.end();
      expect(outcomes([c])).toEqual(['succeeded ']);
      expect(c.outputs.map(({ name }) => name)).toEqual(['result.json']);
      expect(new Set(await executionsOf(joint, job, ['a0', 'a2', 'c']))).toEqual(new Set([execution]));
    } finally {
      await peer.close();
      await joint.b.restart();
    }
  };

  it('comes back: the other releases as well, by the records of the one that has', async () => {
    const { job, execution } = await untilHalf();
    await comeBack(job, execution);
  });

  it('stays away, and comes back later: the other has kept its results, and a rerun of it releases them', async () => {
    const { job, execution } = await untilHalf();
    const c = await job.parts.c.end();
    expect(c.failure?.code).toMatch(/^DT_JOINT_PEER_(ABSENT|LOST)$/);
    expect(c.failure?.message).toContain('Bank B');
    expect(c.outputs).toEqual([]);
    expect(releasedFiles(joint.c, c.id)).toEqual([]);
    expect(existsSync(join(joint.c.folder, 'jobs', c.id, 'inputs'))).toBe(false);
    // The receipt of the failure goes on the chain first, a helper's too.
    await expect.poll(async () => (await job.parts.c.end()).settlement, { timeout: 30_000 }).not.toBe('pending');
    await job.parts.c.rerun();
    await comeBack(job, execution);
  });
});
