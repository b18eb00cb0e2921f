import { useEffect, useState } from 'preact/hooks';
import type { RunState } from '../../api/types.js';
import { useApp } from '../../app.js';

export interface StageEvent {
  readonly time: number;
  readonly state: RunState;
  readonly attempt: number;
  readonly anchored?: string;
  readonly cancelRequestedBy?: string;
}

export interface ProgressEvent {
  readonly time: number;
  readonly text: string;
}

export interface LogLine {
  readonly time: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface RunEvents {
  readonly stages: readonly StageEvent[];
  readonly progress: readonly ProgressEvent[];
  readonly log: readonly LogLine[];
}

const nothing: RunEvents = { stages: [], progress: [], log: [] };
const MOST_LINES = 20_000;

/** What happened in a run from its beginning, live until it ends. Many lines at once are drawn once. */
export function useRunEvents(id: string | undefined): RunEvents {
  const { http } = useApp();
  const [events, setEvents] = useState(nothing);
  useEffect(() => {
    if (id === undefined) return;
    const stages: StageEvent[] = [];
    const progress: ProgressEvent[] = [];
    const log: LogLine[] = [];
    let frame: number | undefined;
    const draw = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setEvents({ stages: [...stages], progress: [...progress], log: log.slice(-MOST_LINES) });
      });
    };
    // The browser goes on where a connection broke: each event has its number.
    const source = new EventSource(http.url(`/v1/jobs/${encodeURIComponent(id)}/events`));
    const on = <T>(name: string, take: (event: T) => void): void =>
      source.addEventListener(name, (event) => {
        take(JSON.parse((event as MessageEvent<string>).data) as T);
        draw();
      });
    on<StageEvent>('state', (event) => stages.push(event));
    on<LogLine>('log', (event) => log.push(event));
    on<{ time: number; text?: unknown; reason?: unknown }>('progress', ({ time, text, reason }) => {
      const said = text ?? reason;
      if (typeof said === 'string') progress.push({ time, text: said });
    });
    source.addEventListener('end', () => source.close());
    return () => {
      source.close();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [http, id]);
  return events;
}
