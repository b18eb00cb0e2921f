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

export type PeerWord = 'waiting' | 'allowed' | 'refused' | 'agreed' | 'computed' | 'confirmed' | 'ended' | 'lost';

/** How far another party of a joint job says that it is. */
export interface PeerEvent {
  readonly time: number;
  readonly seat: string;
  readonly organization: string;
  readonly word: PeerWord;
}

export interface LogLine {
  readonly time: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface RunEvents {
  readonly stages: readonly StageEvent[];
  readonly progress: readonly ProgressEvent[];
  readonly peers: readonly PeerEvent[];
  readonly log: readonly LogLine[];
}

const nothing: RunEvents = { stages: [], progress: [], peers: [], log: [] };
const MOST_LINES = 20_000;

/** What happened in a run from its beginning, live until it ends; what came to the chain after its end is read when it has. Many lines at once are drawn once. */
export function useRunEvents(id: string | undefined, isAnchored: boolean): RunEvents {
  const { http } = useApp();
  const [events, setEvents] = useState(nothing);
  useEffect(() => {
    if (id === undefined) return;
    const stages: StageEvent[] = [];
    const progress: ProgressEvent[] = [];
    const peers: PeerEvent[] = [];
    const log: LogLine[] = [];
    let frame: number | undefined;
    const draw = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setEvents({ stages: [...stages], progress: [...progress], peers: [...peers], log: log.slice(-MOST_LINES) });
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
    on<{ time: number; text?: unknown; reason?: unknown } | (PeerEvent & { joint: 'peer' })>('progress', (event) => {
      if ('word' in event) {
        peers.push(event);
        return;
      }
      const said = event.text ?? event.reason;
      if (typeof said === 'string') progress.push({ time: event.time, text: said });
    });
    source.addEventListener('end', () => source.close());
    return () => {
      source.close();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [http, id, isAnchored]);
  return events;
}
