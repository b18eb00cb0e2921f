import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The daemon's end of a channel to an operator. Each direction ends by itself: after the operator has ended its half it can still be
 * written to. And what an operator has written arrives, however it ended: Node would throw away what it has not read yet when a write
 * finds nobody at the other end (EPIPE), or when the other end was closed with bytes unread (ECONNRESET). Here such a write goes nowhere,
 * and such a close is an end.
 */
export function channelStream(made: unknown): Duplex | undefined {
  if (!(made instanceof Socket)) return undefined;
  const socket = made;
  const { _write: write, _writev: writev, destroy } = socket;
  socket.allowHalfOpen = true;
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, (error) => done(isGone(error) ? null : error));
  if (writev !== undefined) socket._writev = (chunks, done) => writev.call(socket, chunks, (error) => done(isGone(error) ? null : error));
  socket.destroy = (error) => {
    if (!isGone(error) || socket.readableEnded) return destroy.call(socket, error);
    socket.push(null);
    socket.read(0);
    return socket;
  };
  // An error of any other kind closes the stream, which its user sees; without a listener it would end the daemon.
  socket.on('error', () => undefined);
  return socket;
}

/** The operator is gone: nobody is left to write to, and with its last byte read the stream is over. */
export function endWithOperator(stream: Duplex): void {
  if (stream.readableEnded) stream.end();
  else stream.allowHalfOpen = false;
}

function isGone(error: Error | null | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EPIPE' || code === 'ECONNRESET';
}
