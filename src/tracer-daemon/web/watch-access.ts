import type { DaemonDeps } from '../deps.js';
import type { Access } from './prove-access.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * An open stream ends with the session or token that opened it: calls back once when that is revoked or over, also when the store cannot say.
 * A signed request has nothing that could be revoked. @returns what ends the watch
 */
export function watchAccess(deps: Pick<DaemonDeps, 'store' | 'now'>, access: Access | undefined, onEnd: () => void): () => void {
  if (access === undefined) return () => undefined;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const check = async (): Promise<void> => {
    const endsAt = await endOf(deps, access).catch(() => undefined);
    if (isOver) return;
    clearTimeout(timer);
    if (endsAt === undefined) {
      stop();
      onEnd();
    } else timer = setTimeout(() => void check(), Math.min(LONGEST_TIMER_MS, Math.max(0, endsAt - deps.now())));
  };
  const unsubscribe = deps.store.waker.subscribe(({ kind }) => {
    if (kind === 'access' || kind === 'resync') void check();
  });
  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
    unsubscribe();
  };
  void check();
  return stop;
}

/** When it ends at the latest, in milliseconds since 1970; undefined: it has ended. */
async function endOf({ store }: Pick<DaemonDeps, 'store'>, { sessionId, tokenId }: Access): Promise<number | undefined> {
  if (sessionId !== undefined) return (await store.access.liveSession(sessionId))?.endsAt;
  return (await store.access.tokens()).find(({ id }) => id === tokenId)?.expiresAt;
}
