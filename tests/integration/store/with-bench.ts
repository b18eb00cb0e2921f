import type { Store } from '../../../src/tracer-daemon/store/store.js';
import type { NewBench, StoreBench } from './store-conformance.js';

export const withBench =
  (newBench: NewBench, work: (bench: StoreBench, store: Store) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const bench = await newBench();
    try {
      await work(bench, await bench.open());
    } finally {
      await bench.dispose();
    }
  };
