import { describe } from 'vitest';
import type { OpenStoreOptions } from '../../../src/tracer-daemon/store/open-store.js';
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';
import type { Store } from '../../../src/tracer-daemon/store/store.js';
import { accessTests } from './access-tests.js';
import { eventTests } from './event-tests.js';
import { recordTests } from './record-tests.js';
import { runTests } from './run-tests.js';
import { stateMachineTests } from './state-machine-tests.js';
import { takeoverTests } from './takeover-tests.js';
import { waitTests } from './wait-tests.js';

/** One empty database. Stores opened through it are closed by `dispose`. */
export class StoreBench {
  readonly url: string;
  readonly #stores: Store[] = [];
  /** The clock of every store opened here; tests turn it. */
  time = 1_800_000_000_000;

  constructor(url: string) {
    this.url = url;
  }

  async open(options: Partial<OpenStoreOptions> = {}): Promise<Store> {
    const store = await openStore({ url: this.url, now: () => this.time, ...options });
    this.#stores.push(store);
    return store;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((store) => store.close()));
  }
}

export type NewBench = () => Promise<StoreBench>;

/** Everything that a back-end of the store must do. */
export function storeConformance(backend: string, newBench: NewBench): void {
  describe(`state store on ${backend}`, () => {
    describe('records', () => recordTests(newBench));
    describe('access', () => accessTests(newBench));
    describe('runs', () => runTests(newBench));
    describe('waits', () => waitTests(newBench));
    describe('takeover', () => takeoverTests(newBench));
    describe('events', () => eventTests(newBench));
    describe('state machine', () => stateMachineTests(newBench));
  });
}
