import { expect, test } from 'vitest';
import { NONCE_GRACE_MS } from '../../../src/tracer-daemon/store/nonce-store.js';
import type { NewBench } from './store-conformance.js';
import { address, codeOf, digest, token } from './store-fixtures.js';
import { withBench } from './with-bench.js';

export function recordTests(newBench: NewBench): void {
  const using = (...work: Parameters<typeof withBench> extends [unknown, infer W] ? [W] : never) => withBench(newBench, ...work);
  const alice = address('alice');

  test(
    'a nonce is good once for its signer, also after a restart',
    using(async (bench, store) => {
      const use = { signer: alice, nonce: 'n1', expiresAt: bench.time + 60_000 };
      expect(await store.nonces.useNonce(use)).toBe(true);
      expect(await store.nonces.useNonce(use)).toBe(false);
      expect(await store.nonces.useNonce({ ...use, signer: address('bob') })).toBe(true);
      expect(await store.nonces.useNonce({ ...use, nonce: 'n2' })).toBe(true);
      await store.close();
      const again = await bench.open();
      expect(await again.nonces.useNonce(use)).toBe(false);
    }),
  );

  test(
    'of many uses at once one wins, over two stores',
    using(async (bench, store) => {
      const other = await bench.open();
      const use = { signer: alice, nonce: 'race', expiresAt: bench.time + 60_000 };
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).nonces.useNonce(use)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    }),
  );

  test(
    'a nonce is forgotten only after its expiry and the grace time, and an expired one is never good',
    using(async (bench, store) => {
      const start = bench.time;
      const use = (nonce: string, expiresAt: number) => store.nonces.useNonce({ signer: alice, nonce, expiresAt });
      expect(await use('old', start + 1000)).toBe(true);
      expect(await use('expired', start)).toBe(false);
      bench.time = start + 1000 + NONCE_GRACE_MS;
      expect(await use('pruner 1', bench.time + 1000)).toBe(true);
      expect(await use('old', bench.time + 1000)).toBe(false);
      bench.time += 1;
      expect(await use('pruner 2', bench.time + 1000)).toBe(true);
      // Its row is gone: the same word would be taken again, and the request that carried it first has long expired.
      expect(await use('old', bench.time + 1000)).toBe(true);
      expect(await codeOf(use('', bench.time + 1000))).toBe('DT_INPUT_INVALID');
      expect(await codeOf(use('x'.repeat(201), bench.time + 1000))).toBe('DT_INPUT_INVALID');
    }),
  );

  test(
    'datasets are held, replaced, listed and dropped',
    using(async (bench, store) => {
      const one = { token: token('a'), path: '/data/ä b.csv', sizeBytes: 5_000_000_000, sha256: digest('a'), addedAt: bench.time };
      const two = { token: token('b'), path: '/data/b.csv', sizeBytes: 0, sha256: digest('b'), addedAt: bench.time + 1 };
      await store.datasets.hold(one);
      await store.datasets.hold(two);
      expect(await store.datasets.get(one.token)).toEqual(one);
      expect(await store.datasets.get(token('c'))).toBeUndefined();
      expect(await store.datasets.list()).toEqual([one, two]);
      const moved = { ...one, path: '/data/new.csv', sha256: digest('new'), sizeBytes: 3, addedAt: bench.time + 2 };
      await store.datasets.hold(moved);
      await store.close();
      const again = await bench.open();
      expect(await again.datasets.list()).toEqual([two, moved]);
      expect(await again.datasets.drop(two.token)).toBe(true);
      expect(await again.datasets.drop(two.token)).toBe(false);
      expect(await again.datasets.list()).toEqual([moved]);
    }),
  );

  test('the audit of requests is bounded, filtered, paged and prunable', async () => {
    const bench = await newBench();
    try {
      const store = await bench.open({ auditRows: 5 });
      const record = (n: number, requester = n % 2 ? alice : undefined) => ({
        time: bench.time + n,
        requester,
        action: `GET /v1/jobs/${n}`,
        jobId: n % 2 ? 10n ** 25n + BigInt(n) : undefined,
        token: n % 2 ? token('leaf') : undefined,
        status: n % 2 ? 200 : 403,
        code: n % 2 ? undefined : 'DT_AUTH_FORBIDDEN',
      });
      for (let n = 1; n <= 8; n += 1) await store.requests.record(record(n));
      const all = await store.requests.list();
      expect(all.map(({ seq, ...rest }) => rest)).toEqual([8, 7, 6, 5, 4].map((n) => record(n)));
      expect((await store.requests.list({ requester: alice })).map(({ time }) => time - bench.time)).toEqual([7, 5]);
      const page = await store.requests.list({ limit: 2 });
      expect(await store.requests.list({ limit: 2, before: page.at(-1)?.seq ?? 0 })).toEqual(all.slice(2, 4));
      expect(await store.requests.prune(bench.time + 7)).toBe(3);
      expect((await store.requests.list()).map(({ time }) => time - bench.time)).toEqual([8, 7]);
      await store.requests.record(record(9));
      expect((await store.requests.list()).length).toBe(3);
    } finally {
      await bench.dispose();
    }
  });

  test(
    'opening again changes nothing, and two may open an empty database at once',
    using(async (bench, store) => {
      await store.ping();
      const [a, b] = await Promise.all([bench.open(), bench.open()]);
      await Promise.all([a.ping(), b.ping()]);
      const fresh = await newBench();
      try {
        const stores = await Promise.all([fresh.open(), fresh.open(), fresh.open()]);
        await stores[0].datasets.hold({ token: token('a'), path: '/a', sizeBytes: 1, sha256: digest('a'), addedAt: 1 });
        expect(await stores[2].datasets.list()).toHaveLength(1);
      } finally {
        await fresh.dispose();
      }
    }),
  );
}
