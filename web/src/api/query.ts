import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app.js';
import { type Problem, problemOf } from './http.js';
import type { Topic } from './live.js';

export interface Query<T> {
  /** The last answer; it stays while a newer one is on its way or fails. */
  readonly data: T | undefined;
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** An answer of the daemon, asked for again when one of the topics is told. Without a path nothing is asked. */
export function useQuery<T>(path: string | undefined, on: readonly Topic[] = []): Query<T> {
  const { http, live } = useApp();
  const [state, setState] = useState<{ path: string | undefined; data?: T; problem?: Problem }>({ path });
  const turn = useRef(0);
  const reload = useCallback(() => {
    if (path === undefined) return;
    turn.current += 1;
    const mine = turn.current;
    http.get<T>(path).then(
      (data) => mine === turn.current && setState({ path, data }),
      (error: unknown) =>
        mine === turn.current && setState((before) => ({ ...(before.path === path && before), path, problem: problemOf(error) })),
    );
  }, [http, path]);
  useEffect(reload, [reload]);
  const topics = on.join();
  useEffect(() => {
    const wanted = topics.split(',');
    return live.subscribe((topic) => {
      if (topic === 'everything' || wanted.includes(topic)) reload();
    });
  }, [live, reload, topics]);
  const mine = state.path === path ? state : undefined;
  return {
    data: mine?.data,
    problem: mine?.problem,
    isLoading: path !== undefined && mine?.data === undefined && mine?.problem === undefined,
    reload,
  };
}

export interface Change {
  readonly isBusy: boolean;
  readonly problem: Problem | undefined;
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
}

/** Something that the user does: busy while it lasts, and why it failed. */
export function useChange(): Change {
  const [state, setState] = useState<{ isBusy: boolean; problem?: Problem }>({ isBusy: false });
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setState({ isBusy: true });
    try {
      await work();
      setState({ isBusy: false });
      return true;
    } catch (error) {
      setState({ isBusy: false, problem: problemOf(error) });
      return false;
    }
  }, []);
  const clear = useCallback(() => setState({ isBusy: false }), []);
  return { ...state, problem: state.problem, run, clear };
}
