import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { LinkEndpoint } from './link-dialer.js';

/**
 * TCP connections beside a link, made on the same port for one computation each: the daemons agree on a token over their authenticated
 * link, the caller shows it, the called end says yes, and from there on both leave the connection to their operators, who authenticate
 * and encrypt on it themselves. A stranger learns nothing and gets nothing but a closed connection.
 */
export const dataMagic = Buffer.from('DTD1', 'latin1');
export const tokenBytes = 16;
const greetingBytes = dataMagic.length + tokenBytes;
const accepted = Buffer.from([0x59]);

/** Tokens that are expected now, and who waits for each. */
export class ExpectedSockets {
  private readonly waiting = new Map<string, (socket: Socket) => void>();

  /** @param timeoutMs upper bound; rejects with DT_LINK_UNREACHABLE */
  expect(peer: string, timeoutMs: number, signal: AbortSignal): { readonly token: string; readonly socket: Promise<Socket> } {
    const token = randomBytes(tokenBytes).toString('hex');
    const socket = new Promise<Socket>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.waiting.delete(token);
      };
      const giveUp = (): void => {
        finish();
        reject(new ToolkitError('DT_LINK_UNREACHABLE', { peer, reason: 'it did not make its data connection' }));
      };
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.set(token, (arrived) => {
        finish();
        resolve(arrived);
      });
      if (signal.aborted) giveUp();
    });
    socket.catch(() => undefined);
    return { token, socket };
  }

  /**
   * A connection that began with the first byte of the magic; `head` is what has been read of it. Owns the socket.
   * @param onKnown called when it has shown a token that is expected
   */
  admit(socket: Socket, head: Buffer, timeoutMs: number, onKnown: () => void): void {
    let read = head;
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    const onData = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk]);
      judge();
    };
    const judge = (): void => {
      if (read.length < greetingBytes && dataMagic.subarray(0, read.length).equals(read.subarray(0, dataMagic.length))) return;
      clearTimeout(timer);
      socket.off('data', onData);
      const isOurs = read.length === greetingBytes && read.subarray(0, dataMagic.length).equals(dataMagic);
      const taker = isOurs ? this.waiting.get(read.subarray(dataMagic.length).toString('hex')) : undefined;
      if (taker === undefined) return void socket.destroy();
      onKnown();
      stopReading(socket);
      socket.write(accepted, () => taker(socket));
    };
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', () => undefined);
    socket.on('data', onData);
    judge();
    socket.resume();
  }
}

/** @throws DT_LINK_UNREACHABLE */
export function dialDataSocket(
  peer: string,
  endpoint: LinkEndpoint,
  token: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, noDelay: true });
    const fail = (reason: string): void => {
      finish();
      socket.destroy();
      reject(new ToolkitError('DT_LINK_UNREACHABLE', { peer, reason: `no data connection: ${reason}` }));
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const onAbort = (): void => fail('it is not needed any more');
    const onClose = (): void => fail('it was closed');
    const onError = (error: Error): void => fail(error.message);
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket
        .off('close', onClose)
        .off('error', onError)
        .on('error', () => undefined);
    };
    socket.once('close', onClose).once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('data', (answer) => {
      if (!answer.equals(accepted)) return fail('it said something else');
      finish();
      stopReading(socket);
      resolve(socket);
    });
    socket.write(Buffer.concat([dataMagic, Buffer.from(token, 'hex')]));
    if (signal.aborted) onAbort();
  });
}

/** What comes from now on stays in the kernel, for the process that the connection is handed to: `pause` alone would read ahead. */
function stopReading(socket: Socket): void {
  socket.pause();
  const handle: unknown = Reflect.get(socket, '_handle');
  const stop: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'readStop') : undefined;
  if (typeof stop === 'function') stop.call(handle);
}

/** Its number in this process. @throws DT_PEER_GONE when it is closed, or something was read of it that nobody would get */
export function descriptorOf(socket: Socket, peer: string): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd === 'number' && fd > 0 && socket.readableLength === 0 && !socket.destroyed) return fd;
  throw new ToolkitError('DT_PEER_GONE', { peer, reason: 'its data connection was closed' });
}
