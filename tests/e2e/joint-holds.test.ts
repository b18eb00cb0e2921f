import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerHolds } from '../../src/actions/asset/answer-holds.js';
import { parseSignedReceipt, type Receipt } from '../../src/documents/receipt/receipt.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import { heard, type Part, type PartedJob, partedJob } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';

const outcome = ({ state, failure }: RunView): string => `${state} ${failure?.code ?? ''}`;
const APPROVAL = "Bank B waits for its owner's approval, until ";

describe('joint jobs of data whose owners decide', () => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    // Far shorter than an owner takes: who waits for it has to know that it does.
    joint = await createJointWorld(
      inProcess,
      { link: { peerWaitSeconds: 3 } },
      { terms: { b1: { approval: 'manual' }, a0: { outputs: [{ name: 'result.json', hold: true }] } } },
    );
  }, 120_000);
  afterAll(() => joint.close());

  const asked = async (bytes = 20): Promise<PartedJob> => {
    const job = await partedJob(joint, { mode: 'ok', rounds: 2, bytes });
    await job.ask('a0', 'a2', 'c');
    return job;
  };
  const answer = (bank: BankRole, { run }: Part, word: 'approve' | 'refuse', reason: string) =>
    answerHolds(bank.context, { id: run!.id, outcome: word, reason });
  const receiptOf = async ({ party, run }: Part): Promise<Receipt> => parseSignedReceipt(await party.client.receipt(run!.id)).receipt;

  it('wait for the owner beyond the time that they wait for a daemon, and a hold at one holds up no other', async () => {
    const job = await asked();
    const { a0, b1, c } = job.parts;
    await heard(a0, 'Waiting for');
    expect((await b1.ask()).state).toBe('awaiting-approval');
    for (const part of [a0, c]) await heard(part, APPROVAL);
    // Longer than the patience for a daemon, by work of this machine instead of by a clock.
    const from = Date.now();
    while (Date.now() - from < 3_500) await joint.algorithm({ mode: 'ok' });
    await answer(joint.b, b1, 'approve', 'agreed');
    const others = await job.ends('b1', 'a2', 'c');
    expect(others.map(outcome)).toEqual(['succeeded ', 'succeeded ', 'succeeded ']);
    await heard(a0, '"held"');
    const held = await a0.party.client.job(a0.run!.id);
    expect(held).toMatchObject({ state: 'held', outputs: [] });
    await answer(joint.a, a0, 'approve', 'seen');
    expect((await a0.end()).outputs.map(({ name }) => name)).toEqual(['result.json']);
    expect(await receiptOf(a0)).toMatchObject({ outcome: 'succeeded', hold: { outcome: 'approved', reason: 'seen' }, withheld: 0 });
    const { approval, joint: record } = await receiptOf(b1);
    expect(approval).toMatchObject({ outcome: 'approved', by: joint.b.address });
    expect(record?.execution).toBe((await receiptOf(a0)).joint?.execution);
  });

  it('end with the reason of an owner that refuses, before anything runs', async () => {
    const job = await asked();
    const { a0, b1, c } = job.parts;
    await b1.ask();
    for (const part of [a0, c]) await heard(part, APPROVAL);
    await answer(joint.b, b1, 'refuse', 'not with these parties');
    for (const run of await job.ends('a0', 'a2', 'c')) {
      expect(outcome(run), run.failure?.message).toBe('failed DT_JOINT_REFUSED');
      expect(run.failure?.message).toMatch(/^Bank B refused its part.*not with these parties/);
      expect(run.outputs).toEqual([]);
    }
    expect(outcome(await b1.end())).toBe('refused DT_POLICY_REFUSED');
  });

  it('leave the others their results where one owner lets its own part out to nobody', async () => {
    // Something else than what bank B has refused, since that no stands.
    const job = await asked(21);
    const { a0, b1 } = job.parts;
    await b1.ask();
    await answer(joint.b, b1, 'approve', 'agreed');
    expect((await job.ends('b1', 'a2', 'c')).map(outcome)).toEqual(['succeeded ', 'succeeded ', 'succeeded ']);
    await heard(a0, '"held"');
    await answer(joint.a, a0, 'refuse', 'too much in it');
    expect(await a0.end()).toMatchObject({ state: 'refused', outputs: [], failure: { code: 'DT_POLICY_REFUSED' } });
    expect((await receiptOf(a0)).hold).toMatchObject({ outcome: 'refused', reason: 'too much in it' });
  });
});
