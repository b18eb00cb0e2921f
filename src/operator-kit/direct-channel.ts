import { Socket } from 'node:net';
import { connect, TLSSocket, type TLSSocket as TlsStream } from 'node:tls';
import type { DirectKeys } from '../documents/job/direct-account.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from '../privacy/channel.js';
import { streamChannel } from '../privacy/stream-channel.js';

export interface DirectEnd {
  readonly fd: number;
  readonly role: 'client' | 'server';
  readonly keys: DirectKeys;
  /** The 32 bytes of the peer's Ed25519 key in hex. */
  readonly peerKey: string;
  /** Its name for people. */
  readonly peer: string;
  readonly stallMs: number;
}

/**
 * A channel on a TCP connection that the daemons have made between two operators: TLS 1.3, both ends shown by keys that the daemons have
 * told each other over their authenticated link, for this computation only. Nothing is sent before the peer has proved its key.
 * @throws DT_PEER_GONE, DT_PEER_STALLED when its operator does not come, DT_PEER_PROTOCOL when it is somebody else
 */
export async function openDirectChannel(end: DirectEnd): Promise<Channel> {
  const { fd, peer, stallMs, role, keys } = end;
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  // The TLS stream tells of the same error; without a listener here it would end the process.
  socket.on('error', () => undefined);
  const terms = { key: keys.key, cert: keys.cert, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', rejectUnauthorized: false } as const;
  const tls =
    role === 'client'
      ? connect({ socket, ...terms, servername: '', checkServerIdentity: () => undefined })
      : new TLSSocket(socket, { ...terms, isServer: true, requestCert: true });
  await untilSecure(tls, role, peer, stallMs);
  if (shownKey(tls) !== end.peerKey) {
    tls.destroy();
    throw new ToolkitError('DT_PEER_PROTOCOL', { peer, reason: 'who answered on its connection has another key' });
  }
  return streamChannel(tls, { peer, stallMs, transcript: true, untilPeerEnds: true });
}

function shownKey(tls: TlsStream): string | undefined {
  const key = tls.isSessionReused() ? undefined : tls.getPeerX509Certificate()?.publicKey;
  if (key?.asymmetricKeyType !== 'ed25519') return undefined;
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}

function untilSecure(tls: TlsStream, role: 'client' | 'server', peer: string, stallMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      tls.off('error', onError).off('close', onClose);
    };
    const fail = (error: ToolkitError): void => {
      finish();
      tls.on('error', () => undefined).destroy();
      reject(error);
    };
    const onError = (error: Error): void => fail(new ToolkitError('DT_PEER_GONE', { peer, reason: error.message }, error));
    const onClose = (): void => fail(new ToolkitError('DT_PEER_GONE', { peer, reason: 'its connection was closed' }));
    const timer = setTimeout(() => fail(new ToolkitError('DT_PEER_STALLED', { peer, seconds: stallMs / 1000 })), stallMs);
    tls.on('error', onError).on('close', onClose);
    tls.once(role === 'client' ? 'secureConnect' : 'secure', () => {
      finish();
      resolve();
    });
  });
}
