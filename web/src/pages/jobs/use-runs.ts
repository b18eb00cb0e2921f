import { useEffect, useState } from 'preact/hooks';
import { type Problem, problemOf } from '../../api/http.js';
import type { Run } from '../../api/types.js';
import { useApp } from '../../app.js';

const PAGE = 250;
const MOST = 5000;

export interface Runs {
  readonly runs: readonly Run[];
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
}

/** All runs, newest first: read in pages once, then kept by what the daemon tells. */
export function useRuns(): Runs {
  const { http, live } = useApp();
  const [state, setState] = useState<Runs>({ runs: [], problem: undefined, isLoading: true });
  useEffect(() => {
    let round = 0;
    const known = new Map<string, Run>();
    const show = (isLoading: boolean): void => {
      const runs = [...known.values()].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(b.job) - Number(a.job));
      setState({ runs, problem: undefined, isLoading });
    };
    const read = async (): Promise<void> => {
      round += 1;
      const mine = round;
      let before: number | undefined;
      let count = 0;
      do {
        const query: string = before === undefined ? '' : `&before=${before}`;
        const page = await http.get<{ jobs: readonly Run[]; next?: number }>(`/v1/jobs?limit=${PAGE}${query}`);
        if (mine !== round) return;
        for (const run of page.jobs) known.set(run.id, run);
        count += page.jobs.length;
        before = page.jobs.length < PAGE ? undefined : page.next;
        show(before !== undefined);
      } while (before !== undefined && count < MOST);
    };
    const start = (): void => {
      read().catch((error: unknown) => setState((past) => ({ ...past, problem: problemOf(error), isLoading: false })));
    };
    start();
    let frame: number | undefined;
    const unsubscribe = live.subscribe((topic, run) => {
      if (topic === 'everything') start();
      if (run === undefined) return;
      known.set(run.id, run);
      // Many at once are drawn once.
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        show(false);
      });
    });
    return () => {
      round += 1;
      unsubscribe();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [http, live]);
  return state;
}
