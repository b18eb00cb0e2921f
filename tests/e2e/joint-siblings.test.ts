import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSignedReceipt, type Receipt } from '../../src/documents/receipt/receipt.js';
import type { RunView } from '../../src/peers/run-view.js';
import { type Part, type PartedJob, partedJob, partNames, releasedFiles } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';

const outcome = ({ state, failure }: RunView): string => `${state} ${failure?.code ?? ''}`;

describe('two runs of one seat, of which a kill leaves one without the other', () => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 6 }, jobs: { attempts: 3 } });
  });
  afterAll(() => joint.close());

  const receiptOf = async ({ party, run }: Part): Promise<Receipt> => parseSignedReceipt(await party.client.receipt(run!.id)).receipt;
  const folderOf = ({ run }: Part): string => join(joint.a.folder, 'jobs', run!.id);
  const succeeded = async (): Promise<PartedJob> => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask(...partNames);
    expect((await job.ends(...partNames)).map(outcome)).toEqual(partNames.map(() => 'succeeded '));
    for (const part of Object.values(job.parts)) await part.settled();
    return job;
  };
  /** What the store knows of the run when its daemon is killed while it is at this state. */
  const killedAt = async (state: 'running' | 'releasing', { run }: Part, meanwhile: () => Promise<void> = async () => undefined) => {
    await joint.a.daemon.close();
    const store = new DatabaseSync(join(joint.a.folder, 'state.db'));
    const left = store.prepare(
      `update runs set state = ?, worker_id = 'killed', lease_expires_at = 0, outcome = null, failure = null, receipt_digest = null,
       settlement = 'none', settlement_transaction = null, anchor_root = null, anchor_proof = null, finished_at = null where run_id = ?`,
    );
    expect(left.run(state, run!.id).changes).toBe(1);
    store.close();
    await meanwhile();
    await joint.a.restart();
  };

  it('the one that leads releases what all have confirmed, though its sibling has ended well and no peer is there', async () => {
    const { parts } = await succeeded();
    const { joint: record, exit, usage, sandbox } = await receiptOf(parts.a0);
    await joint.b.daemon.close();
    await killedAt('releasing', parts.a0, () =>
      writeFile(
        join(folderOf(parts.a0), 'finished.json'),
        JSON.stringify({ record, exit: { exitCode: exit?.code, exitSignal: null, aborted: false, ...usage, report: sandbox } }),
      ),
    );
    const run = await parts.a0.end();
    await joint.b.restart();
    expect(outcome(run)).toBe('succeeded ');
    expect(run.outputs.map(({ name }) => name)).toEqual(['result.json']);
    expect(releasedFiles(joint.a, run.id)).toEqual(['result.json']);
    expect((await receiptOf(parts.a0)).joint).toEqual(record);
  });

  it('the one that leads and has lost its result says so', async () => {
    const { parts } = await succeeded();
    await killedAt('releasing', parts.a0, async () => rmSync(folderOf(parts.a0), { recursive: true }));
    const run = await parts.a0.end();
    expect(outcome(run)).toBe('failed DT_JOINT_ALREADY_RELEASED');
    expect(releasedFiles(joint.a, run.id)).toEqual([]);
  });

  it('the one that brings data ends as well as the one that leads has', async () => {
    const { parts } = await succeeded();
    const led = await receiptOf(parts.a0);
    await killedAt('releasing', parts.a2);
    expect(outcome(await parts.a2.end())).toBe('succeeded ');
    expect(await receiptOf(parts.a2)).toMatchObject({ outputs: [], joint: led.joint, exit: led.exit, usage: led.usage });
  });

  it('the one that brings data ends with the one that leads, which has failed', async () => {
    const { parts, ...job } = await partedJob(joint, { mode: 'ok' });
    await job.ask('a0', 'a2', 'c');
    const [a0] = await job.ends('a0', 'a2', 'c');
    expect(outcome(a0 as RunView)).toBe('failed DT_JOINT_PEER_ABSENT');
    for (const part of [parts.a0, parts.a2]) await part.settled();
    await killedAt('running', parts.a2);
    const a2 = await parts.a2.end();
    expect(outcome(a2)).toBe('failed DT_JOINT_PEER_FAILED');
    expect(a2.failure?.message).toContain('Bank B did not come');
  });

  it('the one that brings data does not wait for ever for the one that leads', async () => {
    const { parts, ...job } = await partedJob(joint, { mode: 'ok' });
    await job.ask('a2');
    const a2 = await parts.a2.end();
    expect(outcome(a2)).toBe('failed DT_JOINT_PEER_ABSENT');
    expect(a2.failure?.message).toContain(joint.tokens.a0);
  });
});
