import { expect, test } from 'vitest';
import type { NewBench } from './store-conformance.js';
import { digest, token } from './store-fixtures.js';
import { withBench } from './with-bench.js';

const TIMES = { idleMs: 60 * 60_000, longestMs: 12 * 3_600_000 };

export function accessTests(newBench: NewBench): void {
  const using = (...work: Parameters<typeof withBench> extends [unknown, infer W] ? [W] : never) => withBench(newBench, ...work);

  test(
    'a code opens one session, whoever comes at once, and no other kind of proof is made of it',
    using(async (bench, store) => {
      const code = { kind: 'code', role: 'owner', label: 'o', scope: undefined, expiresAt: bench.time + 300_000 } as const;
      await store.access.issue(code, digest('code'));
      expect(await store.access.useToken(digest('code'))).toBeUndefined();
      expect(await store.access.tokens()).toEqual([]);
      const sessions = await Promise.all(['a', 'b', 'c'].map((name) => store.access.exchange(digest('code'), digest(name), TIMES)));
      expect(sessions.filter((session) => session !== undefined)).toEqual([expect.objectContaining({ role: 'owner', subject: 'o' })]);

      await store.access.issue({ ...code, expiresAt: bench.time + 300_000 }, digest('late'));
      bench.time += 300_000;
      expect(await store.access.exchange(digest('late'), digest('d'), TIMES)).toBeUndefined();
    }),
  );

  test(
    'a session lives while it is used, not beyond its end, and is still there after a restart',
    using(async (bench, store) => {
      const { endsAt } = await store.access.open({ role: 'owner', subject: '0x1' }, digest('s'), TIMES);
      for (; bench.time + TIMES.idleMs / 2 < endsAt; bench.time += TIMES.idleMs / 2)
        expect(await store.access.useSession(digest('s'), TIMES)).toMatchObject({ subject: '0x1' });
      bench.time = endsAt;
      expect(await store.access.useSession(digest('s'), TIMES)).toBeUndefined();

      const idle = await store.access.open({ role: 'owner', subject: '0x1' }, digest('idle'), TIMES);
      await store.close();
      const again = await bench.open();
      expect(await again.access.liveSession(idle.id)).toEqual(idle);
      bench.time += TIMES.idleMs;
      expect(await again.access.useSession(digest('idle'), TIMES)).toBeUndefined();
      expect(await again.access.sessions()).toEqual([]);
    }),
  );

  test(
    'a token is good until it expires or is revoked, and so are the sessions that it opened',
    using(async (bench, store) => {
      const scope = token('t');
      const given = { kind: 'token', role: 'auditor', label: 'Ms. Li', scope, expiresAt: bench.time + 3_600_000 } as const;
      const issued = await store.access.issue(given, digest('secret'));
      expect(await store.access.useToken(digest('secret'))).toMatchObject({ role: 'auditor', scope });
      expect(await store.access.useToken(digest('other'))).toBeUndefined();
      expect(await store.access.tokens()).toEqual([{ ...issued, usedAt: bench.time }]);

      const session = await store.access.exchange(digest('secret'), digest('s'), TIMES);
      expect(session).toMatchObject({ role: 'auditor', scope, subject: 'Ms. Li', endsAt: given.expiresAt });
      const other = await store.access.open({ role: 'owner', subject: '0x1' }, digest('o'), TIMES);
      expect(await store.access.revoke(issued.id)).toBe(true);
      expect(await store.access.revoke(issued.id)).toBe(false);
      expect(await store.access.useToken(digest('secret'))).toBeUndefined();
      expect(await store.access.exchange(digest('secret'), digest('t'), TIMES)).toBeUndefined();
      expect(await store.access.useSession(digest('s'), TIMES)).toBeUndefined();
      expect(await store.access.sessions()).toEqual([other]);
      expect(await store.access.end(other.id)).toBe(true);
      expect(await store.access.useSession(digest('o'), TIMES)).toBeUndefined();

      await store.access.issue(given, digest('expiring'));
      bench.time = given.expiresAt;
      expect(await store.access.useToken(digest('expiring'))).toBeUndefined();
    }),
  );
}
