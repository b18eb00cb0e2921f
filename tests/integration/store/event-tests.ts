import { expect, test } from 'vitest';
import type { NewRunEvent, RunEvent, Store } from '../../../src/tracer-daemon/store/store.js';
import type { WakeSignal } from '../../../src/tracer-daemon/store/waker.js';
import { claimed, runToEnd } from './run-tests.js';
import type { NewBench } from './store-conformance.js';
import { address, digest, newRun } from './store-fixtures.js';
import { withBench } from './with-bench.js';

const roomy = { queueLimit: 100 };
const log = (text: string, time = 1): NewRunEvent => ({ kind: 'log', time, payload: { stream: 'stdout', text } });
const texts = (events: readonly RunEvent[]): string[] => events.flatMap((event) => (event.kind === 'log' ? [event.payload.text] : []));

/** Resolves with the first signal that fits. Subscribe before the change, await after it. */
function signalled(store: Store, kind: WakeSignal['kind'], runId?: string): Promise<WakeSignal> {
  return new Promise((resolve) => {
    const end = store.waker.subscribe((signal) => {
      if (signal.kind !== kind || (runId !== undefined && !('runId' in signal && signal.runId === runId))) return;
      end();
      resolve(signal);
    });
  });
}

export function eventTests(newBench: NewBench): void {
  const using = (work: Parameters<typeof withBench>[1]) => withBench(newBench, work);

  test(
    'events keep their order and content, and are read on from any number',
    using(async (bench, store) => {
      await store.runs.enqueue(newRun(1), roomy);
      const { run, lease } = await claimed(store);
      const progress: NewRunEvent = {
        kind: 'progress',
        time: bench.time,
        payload: { stage: 'stage', done: 0.5, nested: { a: [1, null] } },
      };
      expect(await store.events.append(lease, [log('ein "Wort"\n\u0001 ✓', 5), progress])).toBe(true);
      expect(await store.events.append({ runId: run.runId }, [])).toBe(true);
      expect(await store.events.append({ runId: 'nobody' }, [log('x')])).toBe(false);
      const all = await store.events.read(run.runId, 0, 100);
      expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      expect(all.slice(2)).toEqual([
        { runId: run.runId, seq: 3, ...log('ein "Wort"\n\u0001 ✓', 5) },
        { runId: run.runId, seq: 4, ...progress },
      ]);
      expect(await store.events.read(run.runId, 1, 2)).toEqual(all.slice(1, 3));
      expect(await store.events.read(run.runId, 4, 10)).toEqual([]);
      expect((await store.runs.get(run.runId))?.lastEventSeq).toBe(4);
    }),
  );

  test(
    'a large batch is one commit; many writers leave no gap',
    using(async (bench, store) => {
      const other = await bench.open();
      await store.runs.enqueue(newRun(1), roomy);
      const { run, lease } = await claimed(store);
      const many = Array.from({ length: 2500 }, (_, i) => log(`line ${i}`));
      expect(await store.events.append(lease, many)).toBe(true);
      expect(texts(await store.events.read(run.runId, 2, 5000))).toEqual(many.map(({ payload }) => payload['text']));
      await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).events.append(lease, [log(`a${i}`), log(`b${i}`)])));
      const tail = await store.events.read(run.runId, 2502, 5000);
      expect(tail.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => 2503 + i));
      const names = texts(tail);
      for (let i = 0; i < 40; i += 2) expect(names[i + 1], 'a batch stays together').toBe(`b${names[i]?.slice(1)}`);
    }),
  );

  test(
    'follow gives everything once, live, and ends with the run; aborted it ends quietly',
    using(async (bench, store) => {
      const writer = store.backend === 'postgres' ? await bench.open() : store;
      await store.runs.enqueue(newRun(1), roomy);
      const mine = await claimed(writer);
      const { runId } = mine.run;
      const seen: RunEvent[] = [];
      let reached = (): void => undefined;
      const following = (async () => {
        for await (const batch of store.events.follow(runId, { afterSeq: 1, signal: new AbortController().signal, batch: 7 })) {
          seen.push(...batch);
          reached();
        }
      })();
      for (let i = 0; i < 30; i += 1) {
        const arrived = new Promise<void>((resolve) => {
          reached = () => texts(seen).includes(`live ${i}`) && resolve();
        });
        await writer.events.append(mine.lease, [log(`live ${i}`), log(`more ${i}`)]);
        if (i % 3 === 0) await arrived;
      }
      await runToEnd(writer, mine, 'succeeded');
      await following;
      expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: seen.length }, (_, i) => i + 2));
      expect(seen).toHaveLength(1 + 60 + 4);
      expect(seen.at(-1)).toMatchObject({ kind: 'state', payload: { state: 'succeeded' } });

      await store.runs.enqueue(newRun(2), roomy);
      const second = await claimed(writer);
      const stop = new AbortController();
      const quiet: RunEvent[] = [];
      for await (const batch of store.events.follow(second.run.runId, { afterSeq: 0, signal: stop.signal })) {
        quiet.push(...batch);
        // Aborted while it waits for more, not while the consumer has the floor.
        setImmediate(() => stop.abort());
      }
      expect(quiet).toHaveLength(2);
      const nothing: unknown[] = [];
      for await (const batch of store.events.follow('nobody', { afterSeq: 0, signal: new AbortController().signal })) nothing.push(batch);
      expect(nothing).toEqual([]);
    }),
  );

  test(
    'the waker tells of new work, cancel requests, events, and receipts to anchor, in every process that shares the store',
    using(async (bench, store) => {
      const listener = store.backend === 'postgres' ? await bench.open() : store;
      const queued = Promise.all([signalled(listener, 'queued'), signalled(store, 'queued')]);
      await store.runs.enqueue(newRun(1), roomy);
      await queued;
      const mine = await claimed(store);
      const { runId } = mine.run;
      const cancel = signalled(listener, 'cancel', runId);
      await store.runs.requestCancel(runId, address('alice'));
      await cancel;
      const events = signalled(listener, 'events', runId);
      await store.events.append(mine.lease, [log('x')]);
      await events;
      const pending = signalled(listener, 'pending-settlement');
      await runToEnd(store, mine, 'succeeded');
      await pending;
      await store.runs.enqueue(newRun(2), roomy);
      const other = await store.runs.list({ jobId: 2n });
      const settling = signalled(listener, 'settling');
      await store.runs.requestCancel(other[0]?.runId ?? '', address('alice'));
      await settling;
    }),
  );

  test(
    'a listener that left hears nothing, and what is not committed is not told',
    using(async (_, store) => {
      const heard: WakeSignal[] = [];
      const leave = store.waker.subscribe((signal) => heard.push(signal));
      leave();
      const told: WakeSignal[] = [];
      store.waker.subscribe((signal) => told.push(signal));
      await store.runs.enqueue(newRun(1), { queueLimit: 0 });
      await store.runs.recordRefusal(newRun(2), {
        failure: { code: 'DT_JOB_FAILED', message: '', hint: '', details: {} },
        receiptDigest: digest('r'),
      });
      const last = signalled(store, 'queued');
      await store.runs.enqueue(newRun(3), roomy);
      await last;
      expect(heard).toEqual([]);
      expect(told.filter(({ kind }) => kind === 'queued')).toHaveLength(1);
      expect(told.filter(({ kind }) => kind === 'pending-settlement')).toHaveLength(1);
    }),
  );
}
