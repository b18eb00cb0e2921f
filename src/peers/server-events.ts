import { ToolkitError } from '../errors/toolkit-error.js';

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads a text/event-stream (HTML Living Standard, section 9.2) until the server sends the event `end`, connecting again with
 * Last-Event-ID when the connection breaks before that.
 * @param after id of the event before the first that is wanted
 * @throws DT_PEER_UNREACHABLE after `attempts` connections in a row that brought nothing
 */
export async function* serverEvents(
  connect: (lastEventId: string | undefined) => Promise<Response>,
  url: string,
  signal?: AbortSignal,
  after?: string,
  attempts = 5,
): AsyncGenerator<ServerEvent> {
  let last = after;
  let failures = 0;
  const stopped = (): boolean => signal?.aborted === true;
  while (!stopped()) {
    try {
      const response = await connect(last);
      if (response.body === null) throw new Error('empty answer');
      for await (const event of parseEvents(response.body, url)) {
        failures = 0;
        if (event.id !== '') last = event.id;
        if (event.event === 'end') return;
        yield event;
      }
      failures += 1;
    } catch (error) {
      if (stopped()) return;
      if (error instanceof ToolkitError && !error.retryable) throw error;
      failures += 1;
      if (failures >= attempts) throw error;
    }
    if (failures >= attempts) throw new ToolkitError('DT_PEER_UNREACHABLE', { url, reason: 'the stream of events keeps breaking' });
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** failures));
  }
}

/** One event; a daemon cuts its lines far below. */
const LONGEST_EVENT = 16 << 20;

async function* parseEvents(body: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    // What was searched before holds no end but at its very last character.
    let end = Math.max(0, rest.length - 1);
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > LONGEST_EVENT) throw new ToolkitError('DT_PEER_ANSWER', { url, reason: 'an event has no end' });
    for (end = rest.indexOf('\n\n', end); end >= 0; end = rest.indexOf('\n\n')) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const field = (name: string): string =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
          .join('\n');
      if (block.split('\n').some((line) => line.startsWith('data:') || line.startsWith('event:')))
        yield { id: field('id'), event: field('event') || 'message', data: field('data') };
    }
  }
}
