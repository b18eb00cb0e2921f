import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Lease } from '../../../src/tracer-daemon/store/run.js';
import type { Store } from '../../../src/tracer-daemon/store/store.js';
import { claimed, worker } from './run-tests.js';
import type { NewBench } from './store-conformance.js';
import { address, digest, newRun, problem } from './store-fixtures.js';
import { withBench } from './with-bench.js';

const roomy = { queueLimit: 1000 };

/** Everything that a worker can do with a lease. Each answer must be false once the lease is lost. */
export const withLease = (store: Store, lease: Lease): Promise<readonly boolean[]> =>
  Promise.all([
    store.runs.renewLease(lease, 1000),
    store.runs.advance(lease, 'running'),
    store.runs.advance(lease, 'releasing'),
    store.runs.settle(lease, { outcome: 'failed', failure: problem('DT_JOB_FAILED') }),
    store.runs.finish(lease, digest('receipt')),
    store.runs.giveBack(lease),
    store.events.append(lease, [{ kind: 'log', time: 1, payload: { stream: 'stdout', text: 'from the dead' } }]),
  ]);

export function takeoverTests(newBench: NewBench): void {
  const using = (work: Parameters<typeof withBench>[1]) => withBench(newBench, work);
  const recover = (store: Store, workerId: string, atStart = false) => store.runs.recover({ workerId, atStart });

  test(
    'a run whose lease ran out goes back to the queue, and its old worker can do nothing more',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      await store.runs.enqueue(newRun(2), roomy);
      const dead = await claimed(store, 'dead');
      await store.runs.advance(dead.lease, 'running');
      bench.time += 20_000;
      expect(await store.runs.renewLease(dead.lease, 30_000)).toBe(true);
      expect(await store.runs.nextLeaseExpiry('w2')).toBe(bench.time + 30_000);
      expect(await store.runs.nextLeaseExpiry('dead')).toBeUndefined();
      bench.time += 29_999;
      expect((await recover(store, 'w2')).requeued).toEqual([]);
      bench.time += 1;
      expect((await recover(store, 'dead')).requeued, 'a worker does not take its own runs while it lives').toEqual([]);
      const { requeued, ended, settling } = await recover(store, 'w2');
      expect([ended, settling]).toEqual([[], []]);
      expect(requeued).toMatchObject([{ jobId: 1n, state: 'queued', attempt: 1, workerId: undefined }]);
      expect(await withLease(store, dead.lease)).toEqual(Array(7).fill(false));
      const next = await claimed(store, 'w2');
      expect(next.run, 'its old place in the queue').toMatchObject({ jobId: 1n, attempt: 2 });
      expect(await withLease(store, dead.lease)).toEqual(Array(7).fill(false));
      expect(await withLease(store, { ...next.lease, workerId: 'dead' })).toEqual(Array(7).fill(false));
      expect(await store.runs.advance(next.lease, 'running')).toBe(true);
      const logs = (await store.events.read(next.run.runId, 0, 100)).filter(({ kind }) => kind === 'log');
      expect(logs).toEqual([]);
    }),
  );

  test(
    'out of attempts it ends as interrupted, and its receipt is settled by another worker',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1, { maxAttempts: 2 }), roomy);
      for (const attempt of [1, 2]) {
        expect((await claimed(store, 'dead')).run.attempt).toBe(attempt);
        bench.time += 60_000;
        const { requeued, ended } = await recover(store, 'w2');
        expect([requeued.length, ended.length]).toEqual(attempt === 1 ? [1, 0] : [0, 1]);
      }
      expect(await store.runs.claim(worker('w2'))).toBeUndefined();
      const settling = await store.runs.claimSettling(worker('w2'));
      expect(settling?.run).toMatchObject({ outcome: 'failed', failure: { code: 'DT_JOB_INTERRUPTED', details: { limit: 2 } } });
      if (settling === undefined) throw new Error('nothing to settle');
      expect(await store.runs.finish(settling.lease, digest('receipt'))).toBe(true);
      expect(await store.runs.get(settling.lease.runId)).toMatchObject({
        state: 'failed',
        settlement: 'pending',
        failure: { code: 'DT_JOB_INTERRUPTED' },
      });
    }),
  );

  test(
    'a run that was settling resumes settling with the same outcome; one that was asked to stop ends as canceled',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      await store.runs.enqueue(newRun(2), roomy);
      const one = await claimed(store, 'dead');
      await store.runs.settle(one.lease, { outcome: 'failed', failure: problem('DT_JOB_FAILED') });
      const two = await claimed(store, 'dead');
      await store.runs.requestCancel(two.run.runId, address('alice'));
      bench.time += 60_000;
      const { requeued, ended, settling } = await recover(store, 'w2');
      expect(requeued).toEqual([]);
      expect(settling).toMatchObject([{ jobId: 1n, outcome: 'failed' }]);
      expect(ended).toMatchObject([{ jobId: 2n, outcome: 'canceled', failure: { code: 'DT_JOB_CANCELED' } }]);
      expect(await withLease(store, one.lease)).toEqual(Array(7).fill(false));
      const resumed = [await store.runs.claimSettling(worker('w2')), await store.runs.claimSettling(worker('w2'))];
      expect(resumed.map((c) => c?.run.jobId)).toEqual([1n, 2n]);
      expect(await store.runs.claimSettling(worker('w2'))).toBeUndefined();
    }),
  );

  test(
    'at its start a worker takes the runs of its earlier life, at once, and leaves the others alone',
    using(async (_, store) => {
      for (const job of [1, 2]) await store.runs.enqueue(newRun(job), roomy);
      await claimed(store, 'w1');
      await claimed(store, 'w2');
      const { requeued } = await recover(store, 'w1', true);
      expect(requeued.map(({ jobId }) => jobId)).toEqual([1n]);
      expect((await store.runs.counts()).staging).toBe(1);
    }),
  );

  test(
    'given back by an orderly stop: the attempt is not counted, a canceled or settling one settles',
    using(async (_, store) => {
      for (const job of [1, 2, 3]) await store.runs.enqueue(newRun(job, { maxAttempts: 1 }), roomy);
      const [one, two, three] = [await claimed(store), await claimed(store), await claimed(store)];
      await store.runs.advance(one.lease, 'running');
      await store.runs.requestCancel(two.run.runId, address('alice'));
      await store.runs.settle(three.lease, { outcome: 'refused', failure: problem('DT_JOB_REVOKED') });
      for (const { lease } of [one, two, three]) expect(await store.runs.giveBack(lease)).toBe(true);
      for (const { lease } of [one, two, three]) expect(await withLease(store, lease)).toEqual(Array(7).fill(false));
      expect((await claimed(store)).run).toMatchObject({ jobId: 1n, attempt: 1 });
      const left = [await store.runs.claimSettling(worker('w2')), await store.runs.claimSettling(worker('w2'))];
      expect(left.map((c) => [c?.run.jobId, c?.run.outcome])).toEqual([
        [2n, 'canceled'],
        [3n, 'refused'],
      ]);
    }),
  );

  test('two processes claim 200 runs, each exactly once', { timeout: 120_000 }, async () => {
    const bench = await newBench();
    try {
      const store = await bench.open();
      const expected = new Set<string>();
      for (let job = 1; job <= 200; job += 1) {
        const added = await store.runs.enqueue(newRun(job), roomy);
        if (added.outcome === 'accepted') expected.add(added.run.runId);
      }
      expect(expected.size).toBe(200);
      const script = fileURLToPath(new URL('./claim-worker.ts', import.meta.url));
      const workers = ['one', 'two'].map((id) => {
        const child = spawn(process.execPath, ['--import', 'tsx', script, bench.url, id], { stdio: ['pipe', 'pipe', 'inherit'] });
        return { child, lines: createInterface({ input: child.stdout }), ended: once(child, 'close'), got: [] as string[] };
      });
      await Promise.all(workers.map(async ({ lines }) => expect((await once(lines, 'line'))[0]).toBe('ready')));
      for (const { child, lines, got } of workers) {
        lines.on('line', (line: string) => got.push(line));
        child.stdin.write('go\n');
      }
      const codes = await Promise.all(workers.map(async ({ ended }) => (await ended)[0]));
      expect(codes).toEqual([0, 0]);
      const all = workers.flatMap(({ got }) => got);
      expect(all).toHaveLength(200);
      expect(new Set(all)).toEqual(expected);
      expect((await store.runs.counts()).succeeded).toBe(200);
      for (const { got } of workers) expect(got.length, 'both took part').toBeGreaterThan(0);
    } finally {
      await bench.dispose();
    }
  });
}
