import { expect, test } from 'vitest';
import type { OwnerAnswer } from '../../../src/documents/receipt/receipt.js';
import type { WakeSignal } from '../../../src/tracer-daemon/store/waker.js';
import type { NewBench } from './store-conformance.js';
import { address, codeOf, digest, newRun, problem, token } from './store-fixtures.js';
import { withBench } from './with-bench.js';

const roomy = { queueLimit: 10 };
const by = { workerId: 'w', leaseMs: 5_000 };
const said = (outcome: OwnerAnswer['outcome'], more: Partial<OwnerAnswer> = {}): OwnerAnswer => ({
  outcome,
  at: '2026-01-02T03:04:05.000Z',
  subject: digest('subject'),
  ...more,
});
const approved = said('approved', { by: address('owner'), reason: 'fine' });

/** Runs that wait for their owner, and what ends them meanwhile. */
export function waitTests(newBench: NewBench): void {
  const using = (work: Parameters<typeof withBench>[1]) => withBench(newBench, work);

  test(
    'a request that its owner has to approve is for no worker until it is approved, also in another process',
    using(async (bench, store) => {
      const { run } = (await store.runs.enqueue(newRun(1, { awaitsUntil: bench.time + 1000 }), roomy)) as { run: { runId: string } };
      expect(run).toMatchObject({ state: 'awaiting-approval', deadlineAt: bench.time + 1000, attempt: 0 });
      expect(await store.runs.claim(by)).toBeUndefined();
      const again = await bench.open();
      expect(await again.runs.recover({ workerId: 'w', atStart: true })).toEqual({ requeued: [], ended: [], settling: [] });
      expect(await again.runs.answer(run.runId, approved)).toMatchObject({ state: 'queued', approval: approved, deadlineAt: undefined });
      expect(await codeOf(store.runs.answer(run.runId, approved))).toBe('DT_JOB_STATE');
      expect((await store.runs.claim(by))?.run).toMatchObject({ runId: run.runId, state: 'staging', attempt: 1 });
      expect((await store.runs.lastApproved(token('leaf')))?.runId).toBe(run.runId);
      expect(await store.runs.lastApproved(token('other'))).toBeUndefined();
    }),
  );

  test(
    'a yes that comes after the deadline is none, even before anybody has noticed; a no is still one',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1, { awaitsUntil: bench.time }), roomy);
      const { runId } = (await store.runs.find(1n, token('leaf')))!;
      expect(await codeOf(store.runs.answer(runId, approved))).toBe('DT_JOB_STATE');
      expect(await store.runs.get(runId)).toMatchObject({ state: 'awaiting-approval' });
      expect(await store.runs.answer(runId, said('expired'))).toMatchObject({ state: 'settling', outcome: 'refused' });
    }),
  );

  test(
    'one that is refused, or not answered in time, settles as refused with its reason and cannot be run again',
    using(async (bench, store) => {
      for (const [job, outcome] of [
        [1, 'refused'],
        [2, 'expired'],
      ] as const) {
        await store.runs.enqueue(newRun(job, { awaitsUntil: bench.time + 1000 }), roomy);
        const { runId } = (await store.runs.find(BigInt(job), token('leaf')))!;
        const refusal = { failure: problem('DT_POLICY_DENIED'), decisionDigest: digest('no') };
        expect(await store.runs.answer(runId, said(outcome), refusal)).toMatchObject({ state: 'settling', outcome: 'refused' });
        const claimed = (await store.runs.claimSettling(by))!;
        await store.runs.finish(claimed.lease, undefined);
        expect(await store.runs.get(runId)).toMatchObject({ state: 'refused', approval: { outcome }, decisionDigest: digest('no') });
        expect(await codeOf(store.runs.rerun(runId, roomy))).toBe('DT_JOB_STATE');
      }
      // A no can be withdrawn, once; that there was no answer cannot.
      const { runId } = (await store.runs.find(1n, token('leaf')))!;
      expect(await store.runs.answer(runId, approved)).toMatchObject({ state: 'refused', outcome: 'refused', approval: approved });
      expect(await codeOf(store.runs.answer(runId, approved))).toBe('DT_JOB_STATE');
      expect(await codeOf(store.runs.answer((await store.runs.find(2n, token('leaf')))!.runId, approved))).toBe('DT_JOB_STATE');
      expect(await codeOf(store.runs.answer('none', approved))).toBe('DT_JOB_UNKNOWN');
    }),
  );

  test(
    'a worker hands a request back for approval without using an attempt, and outputs over to be looked at',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      const first = (await store.runs.claim(by))!;
      const until = { deadlineAt: bench.time + 1000, grantsEndAt: undefined };
      expect(await codeOf(store.runs.park(first.lease, 'held', until))).toBe('DT_JOB_STATE');
      expect(await store.runs.park(first.lease, 'awaiting-approval', until)).toBe(true);
      expect(await store.runs.get(first.run.runId)).toMatchObject({ state: 'awaiting-approval', attempt: 0, workerId: undefined });
      expect(await store.runs.park(first.lease, 'awaiting-approval', until)).toBe(false);

      await store.runs.answer(first.run.runId, approved);
      const second = (await store.runs.claim(by))!;
      await store.runs.advance(second.lease, 'running');
      await store.runs.advance(second.lease, 'releasing');
      expect(await store.runs.park(second.lease, 'held', { ...until, grantsEndAt: bench.time + 500 })).toBe(true);
      expect(await store.runs.advance(second.lease, 'running')).toBe(false);
      expect(await (await bench.open()).runs.recover({ workerId: 'w', atStart: true })).toMatchObject({ requeued: [], ended: [] });
      expect(await store.runs.answer(second.run.runId, approved)).toMatchObject({
        state: 'settling',
        outcome: 'succeeded',
        hold: approved,
      });
      const settling = (await store.runs.claimSettling(by))!;
      await store.runs.finish(settling.lease, digest('receipt'));
      expect(await store.runs.get(settling.run.runId)).toMatchObject({ state: 'succeeded', settlement: 'pending' });
    }),
  );

  test(
    'whatever waits can be canceled, or lose what it was allowed by; what is worked on cannot',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1, { awaitsUntil: bench.time + 1000 }), roomy);
      await store.runs.enqueue(newRun(2, { awaitsUntil: bench.time + 1000 }), roomy);
      await store.runs.enqueue(newRun(3), roomy);
      await store.runs.enqueue(newRun(4), roomy);
      const id = async (job: bigint): Promise<string> => (await store.runs.find(job, token('leaf')))!.runId;
      expect(await store.runs.requestCancel(await id(1n), address('alice'))).toBe('canceled');
      expect(await store.runs.endWaiting(await id(2n), problem('DT_JOB_REVOKED'))).toBe(true);
      const { run } = (await store.runs.claim(by))!;
      expect(await store.runs.endWaiting(run.runId, problem('DT_JOB_REVOKED'))).toBe(false);
      expect(await store.runs.endWaiting(await id(4n), problem('DT_JOB_REVOKED'))).toBe(true);
      const states = await Promise.all([1n, 2n, 3n, 4n].map(async (job) => (await store.runs.find(job, token('leaf')))!));
      expect(states.map(({ state, outcome, deadlineAt }) => [state, outcome, deadlineAt])).toEqual([
        ['settling', 'canceled', undefined],
        ['settling', 'failed', undefined],
        ['staging', undefined, undefined],
        ['settling', 'failed', undefined],
      ]);
    }),
  );

  test(
    'what is due next is a deadline, the end of a grant, or that of a retention time, the shorter of two',
    using(async (bench, store) => {
      const { time } = bench;
      const signals: WakeSignal['kind'][] = [];
      store.waker.subscribe(({ kind }) => signals.push(kind));
      expect(await store.runs.nextDue(1000)).toBeUndefined();
      await store.runs.enqueue(newRun(1, { retentionMs: 300 }), roomy);
      const { lease } = (await store.runs.claim(by))!;
      await store.runs.settle(lease, { outcome: 'failed', failure: problem('DT_JOB_FAILED') });
      await store.runs.finish(lease, undefined);
      expect(await store.runs.nextDue(1000)).toBe(time + 300);
      expect(await store.runs.nextDue(200)).toBe(time + 200);
      expect(await store.runs.expirable({ now: time + 299, retentionMs: 1000 })).toEqual([]);
      expect(await store.runs.expirable({ now: time + 300, retentionMs: 1000 })).toHaveLength(1);
      await store.runs.enqueue(newRun(2, { awaitsUntil: time + 100, grantsEndAt: time + 50 }), roomy);
      expect(await store.runs.nextDue(1000)).toBe(time + 50);
      const { runId } = (await store.runs.find(2n, token('leaf')))!;
      await store.runs.setGrantsEnd(runId, undefined);
      expect(await store.runs.nextDue(1000)).toBe(time + 100);
      expect(await store.runs.list({ dueAt: time + 99 })).toEqual([]);
      expect((await store.runs.list({ dueAt: time + 100 })).map((run) => run.runId)).toEqual([runId]);
      await expect.poll(() => signals.includes('due')).toBe(true);
    }),
  );

  test(
    'requests that wait for approval do not fill the queue, nor does the queue fill theirs',
    using(async (bench, store) => {
      const one = { queueLimit: 1 };
      const asking = (job: number) => store.runs.enqueue(newRun(job, { awaitsUntil: bench.time + 1000 }), one);
      expect((await asking(1)).outcome).toBe('accepted');
      expect((await asking(2)).outcome).toBe('full');
      expect((await store.runs.enqueue(newRun(3), one)).outcome).toBe('accepted');
      expect((await store.runs.enqueue(newRun(4), one)).outcome).toBe('full');
    }),
  );
}
