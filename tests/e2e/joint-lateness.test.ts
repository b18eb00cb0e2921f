import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execJob } from '../../src/actions/job/exec-job.js';
import { rerunJob } from '../../src/actions/job/rerun-job.js';
import type { RunView } from '../../src/peers/run-view.js';
import { createSandbox } from '../../src/sandbox/create-sandbox.js';
import { loadConfig } from '../../src/tracer-daemon/config/load-config.js';
import { startDaemon } from '../../src/tracer-daemon/start-daemon.js';
import { heard, type PartName, partedJob, partNames, releasedFiles } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import { type BankRole, PASSWORD } from '../support/world.js';

const all = (text: string): readonly string[] => partNames.map(() => text);
const outcomes = (runs: readonly RunView[]): readonly string[] => runs.map(({ state, failure }) => `${state} ${failure?.code ?? ''}`);
const succeeded = all('succeeded ');
const others = (name: PartName): readonly PartName[] => partNames.filter((part) => part !== name);

describe.each([
  ['patient', 20],
  ['impatient', 6],
] as const)('%s daemons of joint jobs whose parties come late, not, or go', (temper, peerWaitSeconds) => {
  let joint: JointWorld<BankRole>;
  const ownerOf = (name: PartName): BankRole => (name === 'b1' ? joint.b : name === 'c' ? joint.c : joint.a);
  const expectNothingReleased = (runs: readonly RunView[], names: readonly PartName[]): void => {
    for (const [i, run] of runs.entries()) {
      expect(run.outputs).toEqual([]);
      expect(releasedFiles(ownerOf(names[i] as PartName), run.id)).toEqual([]);
    }
  };
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds }, jobs: { concurrency: 1 } });
  });
  afterAll(() => joint.close());

  if (temper === 'patient')
    it.each(['a2', 'b1', 'c'] as const)('%s comes last: the others have waited, and it runs', async (late) => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask(...others(late));
      for (const name of others(late)) if (name !== 'a2' && ownerOf(name) !== ownerOf(late)) await heard(job.parts[name], 'Waiting for');
      await sleep(1_000); // late by more than any connection takes
      await job.ask(late);
      expect(outcomes(await job.ends(...partNames))).toEqual(succeeded);
    });

  if (temper === 'impatient')
    it.each([
      ['c', 'Third C'],
      ['b1', 'Bank B'],
      ['a2', 'Bank A'],
    ] as const)('%s never comes: all others name %s', async (absent, name) => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask(...others(absent));
      const runs = await job.ends(...others(absent));
      for (const run of runs) {
        // Its own daemon gives up first where only one of its tokens is missing, and says so.
        expect(outcomes([run])[0]).toMatch(absent === 'a2' ? /^failed DT_JOINT_PEER_(ABSENT|FAILED)$/ : /^failed DT_JOINT_PEER_ABSENT$/);
        expect(run.failure?.message).toContain(`${name} did not come to the joint job within ${peerWaitSeconds} s`);
      }
      expectNothingReleased(runs, others(absent));
    });

  if (temper === 'impatient')
    it.each([[['a0', 'a2', 'b1']], [['b1', 'a2', 'a0']]] as const)('after a failure all run again, in the order c, %s', async (order) => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask('a0', 'b1', 'a2');
      for (const { failure } of await job.ends('a0', 'b1', 'a2')) expect(failure?.code).toBe('DT_JOINT_PEER_ABSENT');
      for (const name of ['a0', 'b1', 'a2'] as const)
        await expect.poll(async () => (await job.parts[name].end()).settlement, { timeout: 20_000 }).toBe('anchored');
      await job.ask('c');
      for (const name of order) await job.parts[name].rerun();
      const runs = await job.ends(...partNames);
      expect(outcomes(runs)).toEqual(succeeded);
      expect(runs.map(({ outputs }) => outputs.length)).toEqual([1, 1, 0, 1]);
    });

  if (temper === 'patient')
    it('a daemon that is down when the others come, and is there again in time', async () => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask('b1');
      await joint.b.daemon.close();
      await job.ask('a0', 'a2', 'c');
      await heard(job.parts.a0, 'Waiting for');
      await heard(job.parts.c, 'Waiting for');
      await joint.b.restart();
      expect(outcomes(await job.ends(...partNames))).toEqual(succeeded);
    });

  if (temper === 'patient')
    it('a daemon that is down when the job is asked for: the others end at once with that; a rerun makes up for it', async () => {
      const algorithm = await joint.algorithm({ mode: 'ok' });
      await joint.b.daemon.close();
      const { job, shares } = await execJob(joint.c.context, { task: joint.task, algorithm, wait: true });
      const untilReported = async (): Promise<void> => {
        for (const { party, run } of shares)
          if (run !== undefined)
            await expect.poll(async () => (await party.client.job(run.id)).settlement, { timeout: 20_000 }).not.toBe('pending');
      };
      const endOf = (name: string) => shares.filter(({ party }) => party.ownerName === name);
      for (const { run } of [...endOf('Bank A'), ...endOf('Third C')]) {
        expect(outcomes([run as RunView])).toEqual(['canceled DT_JOB_CANCELED']);
        expect(run?.failure?.message).toMatch(/canceled by 0x.*: Bank B cannot take part: The daemon at .* does not answer/);
      }
      expect(endOf('Bank B')).toMatchObject([{ run: undefined, problem: { code: 'DT_PEER_UNREACHABLE' } }]);
      await untilReported();
      for (const { state, failure } of (await rerunJob(joint.c.context, { job, wait: true })).shares)
        expect(`${state} ${failure?.code}`).toMatch(/^canceled DT_JOB_CANCELED$|^unreachable DT_PEER_UNREACHABLE$/);
      await untilReported();
      await joint.b.restart();
      const again = await rerunJob(joint.c.context, { job, wait: true });
      expect(again.shares.map(({ state }) => state)).toEqual(all('succeeded'));
    });

  if (temper === 'patient')
    it('a daemon that is restarted while it waits', async () => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask('a0', 'a2', 'b1');
      await heard(job.parts.b1, 'Waiting for');
      await joint.b.daemon.close();
      await joint.b.restart();
      await job.ask('c');
      expect(outcomes(await job.ends(...partNames))).toEqual(succeeded);
    });

  if (temper === 'patient')
    it('a daemon that is started again while the chain is down: its run waits for the chain, and the others for it', async () => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask('a0', 'a2', 'b1');
      await heard(job.parts.b1, 'Waiting for');
      await joint.b.daemon.close();
      // All but the third party's have come; it is asked before the chain goes.
      await job.ask('c');
      await heard(job.parts.c, 'Waiting for');
      await joint.world.chain.close();
      await joint.b.restart();
      await joint.world.restartChain();
      expect(outcomes(await job.ends(...partNames))).toEqual(succeeded);
    });

  if (temper === 'patient')
    it.each(['a0', 'b1', 'a2'] as const)('canceled at %s while they wait: all end', async (name) => {
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask('a0', 'b1', 'a2');
      await heard(job.parts.a0, 'Waiting for');
      await heard(job.parts.b1, 'Waiting for');
      const { client } = job.parts[name].party;
      await client.cancel((job.parts[name].run as RunView).id);
      const runs = await job.ends('a0', 'b1', 'a2');
      expect(outcomes([await job.parts[name].end()])).toEqual(['canceled DT_JOB_CANCELED']);
      for (const run of runs) {
        expect(run.state).not.toBe('succeeded');
        // Who had not met the canceled one yet finds it absent.
        expect(run.failure?.message).toMatch(/canceled by 0x|did not come to the joint job/);
      }
      expectNothingReleased(runs, ['a0', 'b1', 'a2']);
    });

  if (temper === 'patient')
    it.each(['a0', 'a2', 'b1', 'c'] as const)('canceled at %s while it runs: all end, and name who', async (name) => {
      const job = await partedJob(joint, { mode: 'ok', rounds: 600, pauseMs: 100 });
      await job.ask(...partNames);
      for (const part of partNames) await heard(job.parts[part], '"running"');
      await job.parts[name].party.client.cancel((job.parts[name].run as RunView).id);
      const runs = await job.ends(...partNames);
      for (const [i, run] of runs.entries()) {
        const isOwn = ownerOf(partNames[i] as PartName) === ownerOf(name);
        expect(outcomes([run])).toEqual([isOwn ? 'canceled DT_JOB_CANCELED' : 'failed DT_JOINT_PEER_FAILED']);
        expect(run.failure?.message).toContain('canceled by 0x');
      }
      expectNothingReleased(runs, partNames);
    });

  if (temper === 'patient')
    it('two joint jobs at once between daemons with one place, submitted in opposite orders', async () => {
      const one = await partedJob(joint, { mode: 'ok', rounds: 5, pauseMs: 50 });
      const two = await partedJob(joint, { mode: 'ok', rounds: 5, pauseMs: 50 });
      await Promise.all([one.ask('a0'), two.ask('b1')]);
      await Promise.all([two.ask('a0', 'a2'), one.ask('b1', 'c')]);
      await Promise.all([two.ask('c'), one.ask('a2')]);
      expect(outcomes(await one.ends(...partNames))).toEqual(succeeded);
      expect(outcomes(await two.ends(...partNames))).toEqual(succeeded);
    });

  if (temper === 'patient')
    it('daemons with sandboxes of different strength compute together', async () => {
      const { a } = joint;
      const port = new URL(a.daemon.url).port;
      await a.daemon.close();
      const config = await loadConfig(join(a.folder, 'daemon.yaml'), { DT_DAEMON__LISTEN__PORT: port });
      a.daemon = await startDaemon(config, { password: PASSWORD, sandbox: await createSandbox({ level: 'process' }) });
      const job = await partedJob(joint, { mode: 'ok' });
      await job.ask(...partNames);
      expect(outcomes(await job.ends(...partNames))).toEqual(succeeded);
      const levels = await Promise.all(
        (['a0', 'b1'] as const).map(async (name) => {
          const { receipt } = (await job.parts[name].party.client.receipt((await job.parts[name].end()).id)) as {
            receipt: { sandbox: { level: string } };
          };
          return receipt.sandbox.level;
        }),
      );
      expect(levels).toEqual(['process', joint.b.daemon.deps.sandbox.level]);
    });
});
