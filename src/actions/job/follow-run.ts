import { isObject } from '../../documents/canonical.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';

export interface RunListener {
  onState?(party: Party, state: string): void;
  onLog?(party: Party, stream: string, text: string): void;
  /** What the daemon is doing, for people. */
  onNote?(party: Party, text: string): void;
}

/**
 * Follows one share to its end by the daemon's event stream, and returns its last state.
 * @param after what `lastEventOf` said before a rerun, so that earlier attempts are not told as if they ran now
 * @throws DT_PEER_UNREACHABLE
 */
export async function followRun(
  party: Party,
  run: RunView,
  listener: RunListener = {},
  signal?: AbortSignal,
  after?: string,
): Promise<RunView> {
  for await (const event of party.client.events(run.id, signal, after)) {
    const data = parseData(event.data, party.client.url);
    if (event.event === 'state' && typeof data['state'] === 'string') listener.onState?.(party, data['state']);
    if (event.event === 'progress' && typeof data['text'] === 'string') listener.onNote?.(party, data['text']);
    if (event.event === 'log' && typeof data['text'] === 'string') listener.onLog?.(party, String(data['stream']), data['text']);
  }
  return party.client.job(run.id);
}

/** Of a share that has ended: where its events end. */
export async function lastEventOf(party: Party, run: RunView, signal?: AbortSignal): Promise<string | undefined> {
  let last: string | undefined;
  for await (const { id } of party.client.events(run.id, signal)) if (id !== '') last = id;
  return last;
}

function parseData(text: string, url: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw new ToolkitError('DT_PEER_ANSWER', { url, reason: 'an event is not a JSON object' });
}
