import { expect, test } from 'vitest';
import type { Bytes32 } from '../../../src/documents/ids.js';
import { provenRoot } from '../../../src/documents/receipt/merkle.js';
import type { ClaimedRun } from '../../../src/tracer-daemon/store/run.js';
import type { Store } from '../../../src/tracer-daemon/store/store.js';
import type { NewBench } from './store-conformance.js';
import { address, codeOf, digest, newRun, problem, token } from './store-fixtures.js';
import { withBench } from './with-bench.js';

const LEASE_MS = 30_000;
const roomy = { queueLimit: 100 };
export const worker = (workerId: string) => ({ workerId, leaseMs: LEASE_MS });

export async function claimed(store: Store, workerId = 'w1'): Promise<ClaimedRun> {
  const got = await store.runs.claim(worker(workerId));
  if (got === undefined) throw new Error('The queue is empty.');
  return got;
}

/** From staging to its end. */
export async function runToEnd(
  store: Store,
  { lease }: ClaimedRun,
  outcome: 'succeeded' | 'failed' | 'refused',
  receipt = true,
): Promise<void> {
  expect(await store.runs.advance(lease, 'running')).toBe(true);
  if (outcome === 'succeeded') expect(await store.runs.advance(lease, 'releasing')).toBe(true);
  const end = outcome === 'succeeded' ? { outcome } : { outcome, failure: problem('DT_JOB_FAILED') };
  expect(await store.runs.settle(lease, end)).toBe(true);
  expect(await store.runs.finish(lease, receipt ? digest(`receipt ${lease.runId}`) : undefined)).toBe(true);
}

/** Whatever waits goes to the chain; its root. */
async function anchored(store: Store): Promise<Bytes32> {
  const plan = await store.runs.claimAnchor({ ...worker('w1'), limit: 100 });
  if (plan === undefined) throw new Error('Nothing waits.');
  expect(await store.runs.markAnchored(plan.root, digest('tx'))).toBe(true);
  return plan.root;
}

export function runTests(newBench: NewBench): void {
  const using = (work: Parameters<typeof withBench>[1]) => withBench(newBench, work);

  test(
    'a run is accepted once for its job and token, and read back whole',
    using(async (bench, store) => {
      const run = newRun(2n ** 200n, { runId: '0b0e7f1c-58bb-4b27-9a5e-0d9a3a8f5a11' });
      const first = await store.runs.enqueue(run, roomy);
      if (first.outcome !== 'accepted') throw new Error(first.outcome);
      expect(first.run).toMatchObject({
        ...run,
        state: 'queued',
        attempt: 0,
        settlement: 'none',
        createdAt: bench.time,
        queuedAt: bench.time,
      });
      const second = await store.runs.enqueue(newRun(2n ** 200n, { consumer: address('mallory') }), roomy);
      expect(second).toEqual({ outcome: 'exists', run: first.run });
      const otherToken = await store.runs.enqueue(newRun(2n ** 200n, { token: token('other leaf') }), roomy);
      expect(otherToken.outcome).toBe('accepted');
      expect(await store.runs.get(first.run.runId)).toEqual(first.run);
      expect(await store.runs.find(2n ** 200n, run.token)).toEqual(first.run);
      expect(await store.runs.find(3n, run.token)).toBeUndefined();
      expect(await store.runs.get('nobody')).toBeUndefined();
    }),
  );

  test(
    'never more than the limit are queued and never two for one job, whoever asks at once',
    using(async (bench, store) => {
      const other = await bench.open();
      const different = await Promise.all(
        Array.from({ length: 30 }, (_, i) => (i % 2 ? store : other).runs.enqueue(newRun(i + 1), { queueLimit: 10 })),
      );
      expect(different.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(10);
      expect(different.filter(({ outcome }) => outcome === 'full')).toHaveLength(20);
      expect((await store.runs.counts()).queued).toBe(10);
      const same = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).runs.enqueue(newRun(99), roomy)));
      expect(same.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
      expect(new Set(same.map((result) => ('run' in result ? result.run.runId : '')))).toHaveProperty('size', 1);
    }),
  );

  test(
    'never more jobs than a quota has, whoever asks at once; what ended counts, what was refused at the door does not',
    using(async (bench, store) => {
      const other = await bench.open();
      const quota = { token: token('leaf'), operator: token('operator'), since: bench.time, limit: 4 };
      const refusal = { failure: problem('DT_POLICY_DENIED') };
      await store.runs.recordRefusal(newRun(1), refusal);
      await store.runs.enqueue(newRun(2, { token: token('other leaf') }), roomy);
      await store.runs.enqueue(newRun(3, { operator: token('other operator') }), roomy);
      const asked = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other).runs.enqueue(newRun(i + 10), { ...roomy, quota })),
      );
      expect(asked.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(4);
      expect(asked.filter(({ outcome }) => outcome === 'spent')).toHaveLength(8);
      const accepted = asked.flatMap((result) => (result.outcome === 'accepted' ? [result.run] : []));
      const last = Math.max(...accepted.map(({ seq }) => seq));
      expect([await store.runs.countTowards(quota), await store.runs.countTowards(quota, last)]).toEqual([4, 3]);
      // Ended or canceled before its start: each is one job all the same.
      for (const { runId } of accepted.slice(1)) await store.runs.requestCancel(runId, address('alice'));
      let mine = await claimed(store);
      while (mine.run.runId !== accepted[0]?.runId) mine = await claimed(store);
      await runToEnd(store, mine, 'failed', false);
      // Run again by its consumer it asks the data once more, as soon as it has begun; run again by its owner it does not.
      const again = async (byOwner: boolean) => {
        const queued = await store.runs.rerun(mine.run.runId, { ...roomy, byOwner });
        const before = await store.runs.countTowards(quota);
        await runToEnd(store, await claimed(store), 'failed', false);
        return [queued.again, before, await store.runs.countTowards(quota)];
      };
      expect(await again(false)).toEqual([1, 4, 5]);
      expect(await again(true)).toEqual([undefined, 5, 5]);
      expect(await again(false)).toEqual([2, 5, 6]);
      expect((await store.runs.enqueue(newRun(50), { ...roomy, quota })).outcome).toBe('spent');
      const ofBob = { ...quota, consumer: address('bob'), limit: 1 };
      expect((await store.runs.enqueue(newRun(51, { consumer: address('bob') }), { ...roomy, quota: ofBob })).outcome).toBe('accepted');
      expect((await store.runs.enqueue(newRun(52, { consumer: address('bob') }), { ...roomy, quota: ofBob })).outcome).toBe('spent');
      bench.time += 1000;
      const later = { ...quota, since: bench.time };
      expect((await store.runs.enqueue(newRun(53), { ...roomy, quota: later })).outcome).toBe('accepted');
      expect(await store.runs.countTowards(later)).toBe(1);
    }),
  );

  test(
    'a whole life: claimed first in first out, run, released, settled, anchored',
    using(async (bench, store) => {
      for (const jobId of [5, 3, 4]) await store.runs.enqueue(newRun(jobId), roomy);
      bench.time += 1000;
      const mine = await claimed(store);
      expect(mine.run).toMatchObject({
        jobId: 5n,
        state: 'staging',
        attempt: 1,
        startedAt: bench.time,
        workerId: 'w1',
        leaseExpiresAt: bench.time + LEASE_MS,
      });
      expect((await claimed(store)).run.jobId).toBe(3n);
      expect((await claimed(store)).run.jobId).toBe(4n);
      expect(await store.runs.claim(worker('w1'))).toBeUndefined();

      const { lease } = mine;
      const report = {
        level: 'namespaces',
        layers: ['network'],
        limits: { wallMs: 1, cpuSeconds: 1, memoryBytes: 1, processes: 1, diskBytes: 1, logBytes: 1 },
      } as const;
      expect(await store.runs.advance(lease, 'running', { decisionDigest: digest('second decision') })).toBe(true);
      expect(await codeOf(store.runs.advance(lease, 'running'))).toBe('DT_JOB_STATE');
      expect(await codeOf(store.runs.settle(lease, { outcome: 'succeeded' }))).toBe('DT_JOB_STATE');
      expect(await codeOf(store.runs.finish(lease, digest('receipt')))).toBe('DT_JOB_STATE');
      expect(await store.runs.advance(lease, 'releasing', { sandbox: report })).toBe(true);
      expect(await store.runs.settle(lease, { outcome: 'succeeded' })).toBe(true);
      expect(await store.runs.pendingSettlements()).toEqual([]);
      bench.time += 1000;
      expect(await store.runs.finish(lease, digest('receipt'))).toBe(true);
      const done = await store.runs.get(lease.runId);
      expect(done).toMatchObject({
        state: 'succeeded',
        outcome: 'succeeded',
        settlement: 'pending',
        receiptDigest: digest('receipt'),
        decisionDigest: digest('second decision'),
        specDigest: digest('spec 5'),
        sandbox: report,
        finishedAt: bench.time,
        workerId: undefined,
        leaseExpiresAt: undefined,
        failure: undefined,
      });
      expect(await store.runs.pendingSettlements()).toEqual([done]);
      const root = await anchored(store);
      expect(await store.runs.markAnchored(root, digest('tx'))).toBe(false);
      expect(await store.runs.markAnchored(digest('another root'), digest('tx'))).toBe(false);
      expect(await store.runs.pendingSettlements()).toEqual([]);
      expect(await store.runs.get(lease.runId)).toMatchObject({ settlement: 'anchored', settlementTransaction: digest('tx') });
      const states = (await store.events.read(lease.runId, 0, 100)).map(
        ({ kind, payload }) => kind === 'state' && 'state' in payload && payload.state,
      );
      expect(states).toEqual(['queued', 'staging', 'running', 'releasing', 'settling', 'succeeded', 'succeeded']);
    }),
  );

  test(
    'a refusal is a finished run, and cannot be run again',
    using(async (_, store) => {
      const failure = problem('DT_POLICY_DENIED');
      const stored = await store.runs.recordRefusal(newRun(8), { failure, receiptDigest: digest('refusal') });
      expect(stored.outcome).toBe('stored');
      // A bigint in the details of a problem comes back as text.
      expect(stored.run).toMatchObject({
        state: 'refused',
        outcome: 'refused',
        settlement: 'pending',
        failure: { ...failure, details: { ...failure.details, id: '5' } },
      });
      expect(stored.run.startedAt).toBeUndefined();
      expect(await store.runs.recordRefusal(newRun(8), { failure })).toEqual({ outcome: 'exists', run: stored.run });
      expect(await store.runs.enqueue(newRun(8), roomy)).toEqual({ outcome: 'exists', run: stored.run });
      expect(await store.runs.pendingSettlements()).toHaveLength(1);
      await anchored(store);
      expect(await codeOf(store.runs.rerun(stored.run.runId, roomy))).toBe('DT_JOB_STATE');
      const quiet = await store.runs.recordRefusal(newRun(9), { failure });
      expect(quiet.run.settlement).toBe('none');
    }),
  );

  test(
    'rerun: to the end of the queue with fresh attempts, within the limit, after the first receipt is anchored',
    using(async (_, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      const first = await claimed(store);
      const { runId } = first.run;
      expect(await codeOf(store.runs.rerun(runId, roomy))).toBe('DT_JOB_STATE');
      await runToEnd(store, first, 'failed');
      expect(await codeOf(store.runs.rerun('nobody', roomy))).toBe('DT_JOB_UNKNOWN');
      expect(await codeOf(store.runs.rerun(runId, roomy))).toBe('DT_JOB_STATE');
      await anchored(store);
      await store.runs.enqueue(newRun(2), roomy);
      expect(await codeOf(store.runs.rerun(runId, { queueLimit: 1 }))).toBe('DT_JOB_QUEUE_FULL');
      const again = await store.runs.rerun(runId, { ...roomy, requestDigest: digest('new request') });
      expect(again).toMatchObject({
        state: 'queued',
        attempt: 0,
        settlement: 'none',
        requestDigest: digest('new request'),
        specDigest: digest('spec 1'),
      });
      for (const key of ['outcome', 'failure', 'receiptDigest', 'anchor', 'settlementTransaction', 'startedAt', 'finishedAt'] as const) {
        expect(again[key], key).toBeUndefined();
      }
      expect((await claimed(store)).run.jobId).toBe(2n);
      const second = await claimed(store);
      expect(second.run).toMatchObject({ runId, attempt: 1 });
      expect(second.lease.fence).toBeGreaterThan(first.lease.fence);
      expect(await store.runs.advance(first.lease, 'running')).toBe(false);
      await runToEnd(store, second, 'refused', false);
      expect((await store.runs.rerun(runId, roomy)).state).toBe('queued');
      await runToEnd(store, await claimed(store), 'succeeded', false);
      expect(await codeOf(store.runs.rerun(runId, roomy))).toBe('DT_JOB_STATE');
    }),
  );

  test(
    'list filters and pages, newest first; counts has every state',
    using(async (_, store) => {
      for (let job = 1; job <= 7; job += 1) await store.runs.enqueue(newRun(job, { consumer: address(job % 2 ? 'alice' : 'bob') }), roomy);
      await store.runs.enqueue(newRun(7, { token: token('second') }), roomy);
      await runToEnd(store, await claimed(store), 'failed');
      const jobs = async (filter?: Parameters<typeof store.runs.list>[0]) =>
        (await store.runs.list(filter)).map(({ jobId }) => Number(jobId));
      expect(await jobs()).toEqual([7, 7, 6, 5, 4, 3, 2, 1]);
      expect(await jobs({ consumer: address('bob') })).toEqual([6, 4, 2]);
      expect(await jobs({ states: ['failed', 'running'] })).toEqual([1]);
      expect(await jobs({ states: [] })).toEqual([]);
      expect(await jobs({ jobId: 7n })).toEqual([7, 7]);
      expect(await jobs({ jobId: 7n, token: token('second') })).toEqual([7]);
      const page = await store.runs.list({ limit: 3 });
      expect(await jobs({ limit: 3, before: page.at(-1)?.seq ?? 0 })).toEqual([5, 4, 3]);
      expect(await store.runs.counts()).toEqual({
        'awaiting-approval': 0,
        queued: 7,
        staging: 0,
        running: 0,
        releasing: 0,
        held: 0,
        settling: 0,
        succeeded: 0,
        failed: 1,
        canceled: 0,
        refused: 0,
      });
    }),
  );

  test(
    'receipts that wait go to the chain together, with a proof each, oldest first and within the limit',
    using(async (bench, store) => {
      for (const job of [1, 2, 3]) {
        await store.runs.enqueue(newRun(job), roomy);
        await runToEnd(store, await claimed(store), 'succeeded');
        bench.time += 10;
      }
      const first = await store.runs.claimAnchor({ ...worker('w1'), limit: 2 });
      const second = await store.runs.claimAnchor({ ...worker('w1'), limit: 2 });
      expect(await store.runs.claimAnchor({ ...worker('w1'), limit: 2 })).toBeUndefined();
      expect([first, second].map((plan) => plan?.runs.map(({ jobId }) => jobId))).toEqual([[1n, 2n], [3n]]);
      for (const plan of [first, second])
        for (const run of plan?.runs ?? []) {
          expect(run.anchor?.root).toBe(plan?.root);
          expect(provenRoot(run.receiptDigest!, run.anchor!.proof)).toBe(plan?.root);
        }
      expect(await store.runs.markAnchored(second!.root, digest('tx'))).toBe(true);
      expect((await store.runs.pendingSettlements()).map(({ jobId }) => jobId)).toEqual([1n, 2n]);
      expect(await store.runs.find(3n, token('leaf'))).toMatchObject({ settlement: 'anchored', settlementTransaction: digest('tx') });
    }),
  );

  test(
    'a plan is held by one process, and comes again as it was when its write is not confirmed',
    using(async (bench, store) => {
      const other = await bench.open();
      for (const job of [1, 2]) {
        await store.runs.enqueue(newRun(job), roomy);
        await runToEnd(store, await claimed(store), 'succeeded');
        bench.time += 10;
      }
      const by = (workerId: string) => ({ workerId, leaseMs: 5000, limit: 2 });
      const plans = await Promise.all([store, other, store].map((each, i) => each.runs.claimAnchor(by(`w${i}`))));
      const [plan, ...more] = plans.filter((each) => each !== undefined);
      expect(plan?.runs.map(({ jobId }) => jobId)).toEqual([1n, 2n]);
      expect(more).toEqual([]);

      await store.runs.enqueue(newRun(3), roomy);
      await runToEnd(store, await claimed(store), 'failed');
      bench.time += 4999;
      expect((await other.runs.claimAnchor(by('w')))?.runs.map(({ jobId }) => jobId)).toEqual([3n]);
      expect(await other.runs.claimAnchor(by('w'))).toBeUndefined();
      bench.time += 1;
      const again = await other.runs.claimAnchor({ ...by('w'), limit: 1 });
      expect(again).toMatchObject({ root: plan?.root, runs: plan?.runs.map(({ runId, anchor }) => ({ runId, anchor })) });
      expect(await other.runs.markAnchored(again!.root, digest('tx'))).toBe(true);
      expect((await store.runs.pendingSettlements()).map(({ jobId }) => jobId)).toEqual([3n]);
    }),
  );

  test(
    'expiry: only what is finished, anchored and old; the row stays and the events go',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      const run = await claimed(store);
      await runToEnd(store, run, 'failed');
      await store.runs.enqueue(newRun(2), roomy);
      const { runId } = run.run;
      bench.time += 1000;
      expect(await store.runs.expirable({ now: bench.time, retentionMs: 1 })).toEqual([]);
      expect(await store.runs.markExpired(runId)).toBe(false);
      await anchored(store);
      expect(await store.runs.expirable({ now: bench.time - 1000, retentionMs: 1 })).toEqual([]);
      expect((await store.runs.expirable({ now: bench.time, retentionMs: 1 })).map((r) => r.runId)).toEqual([runId]);
      expect(await store.runs.markExpired(runId)).toBe(true);
      expect(await store.runs.markExpired(runId)).toBe(false);
      expect(await store.runs.expirable({ now: bench.time, retentionMs: 1 })).toEqual([]);
      expect(await store.events.read(runId, 0, 100)).toEqual([]);
      expect(await store.runs.enqueue(newRun(1), roomy)).toMatchObject({ outcome: 'exists', run: { runId, expiredAt: bench.time } });
      const again = await store.runs.rerun(runId, roomy);
      expect(again.expiredAt).toBeUndefined();
      expect(await store.runs.markExpired(runId)).toBe(false);
    }),
  );
}
