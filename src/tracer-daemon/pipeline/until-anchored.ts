import type { DaemonDeps } from '../deps.js';

/**
 * Resolves when the receipt of a run that has ended is on the chain, or after `limitMs`, whichever comes first. A rerun needs it: what the
 * earlier receipt says would otherwise never get there.
 */
export async function untilAnchored({ store }: Pick<DaemonDeps, 'store'>, runId: string, limitMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      leave();
      finish();
    };
    const look = (): void => {
      store.runs.get(runId).then(
        (run) => run?.settlement !== 'pending' && end(resolve),
        (error) => end(() => reject(error)),
      );
    };
    const leave = store.waker.subscribe((signal) => {
      if (signal.kind === 'resync' || ('runId' in signal && signal.runId === runId)) look();
    });
    const timer = setTimeout(() => end(resolve), limitMs);
    // A daemon that stops does not stay for it.
    timer.unref();
    look();
  });
}
