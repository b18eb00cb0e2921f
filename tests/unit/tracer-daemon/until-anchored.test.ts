import { describe, expect, it } from 'vitest';
import { untilAnchored } from '../../../src/tracer-daemon/pipeline/until-anchored.js';
import type { Run } from '../../../src/tracer-daemon/store/run.js';
import { LocalWaker } from '../../../src/tracer-daemon/store/waker.js';

/** Far longer than the test may take. */
const NEVER_MS = 2 ** 31 - 1;

describe('waiting for the receipt of a run', () => {
  const storeOf = (settlements: readonly (Run['settlement'] | Error)[]) => {
    const waker = new LocalWaker();
    const left = [...settlements];
    const asked: string[] = [];
    const get = async (runId: string): Promise<Run> => {
      asked.push(runId);
      const settlement = left.shift();
      if (settlement instanceof Error) throw settlement;
      return { settlement } as Run;
    };
    return { waker, asked, deps: { store: { waker, runs: { get } } } as unknown as Parameters<typeof untilAnchored>[0] };
  };

  it('is over at once where it is there, or none is due', async () => {
    for (const settlement of ['anchored', 'none'] as const) await untilAnchored(storeOf([settlement]).deps, 'run', NEVER_MS);
  });

  it('ends with the signal of that run, and looks at no other', async () => {
    const { waker, asked, deps } = storeOf(['pending', 'pending', 'anchored']);
    const waiting = untilAnchored(deps, 'run', NEVER_MS);
    for (const runId of ['other', 'run', 'another']) waker.emit({ kind: 'events', runId });
    waker.emit({ kind: 'resync' });
    await waiting;
    waker.emit({ kind: 'events', runId: 'run' });
    expect(asked).toEqual(['run', 'run', 'run']);
  });

  it('gives up after its time, so that the answer can say what is missing', async () => {
    const { asked, deps } = storeOf(['pending']);
    await untilAnchored(deps, 'run', 1);
    expect(asked).toEqual(['run']);
  });

  it('throws what the store throws', async () => {
    await expect(untilAnchored(storeOf([new Error('no disk')]).deps, 'run', NEVER_MS)).rejects.toThrow('no disk');
  });
});
