import { connect, type TLSSocket } from 'node:tls';
import type { Address, Bytes32 } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { LinkConnection, refusal } from './link-connection.js';
import { linkProtocol } from './link-handshake.js';
import type { LinkKey } from './link-key.js';
import { shownLinkKey, tlsProblem, tlsTerms } from './link-tls.js';

export interface LinkEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface DialOptions {
  readonly peer: Address;
  readonly endpoint: LinkEndpoint;
  readonly key: LinkKey;
  /** The link key that the chain holds for the peer. */
  readonly expected: Bytes32;
  readonly handshakeMs: number;
  readonly signal: AbortSignal;
}

/**
 * A TLS connection to the daemon that holds the expected key; to any other not one byte is said but why.
 * @throws DT_LINK_UNREACHABLE, DT_LINK_HANDSHAKE, DT_LINK_VERSION, DT_LINK_KEY_MISMATCH
 */
export async function dialLink(options: DialOptions): Promise<LinkConnection> {
  const { peer, expected, handshakeMs } = options;
  const socket = await openTls(options);
  const connection = new LinkConnection(socket);
  connection.deadline(handshakeMs);
  if (socket.alpnProtocol !== linkProtocol) {
    throw refuse(connection, new ToolkitError('DT_LINK_VERSION', { peer, theirs: socket.alpnProtocol || 'nothing', ours: linkProtocol }));
  }
  const shown = shownLinkKey(socket);
  if (shown === expected) return connection;
  throw refuse(connection, new ToolkitError('DT_LINK_KEY_MISMATCH', { peer, shown: shown ?? 'none', expected }));
}

/** Tells the other end what it throws here. */
function refuse(connection: LinkConnection, error: ToolkitError): ToolkitError {
  connection.refuse(refusal.error, error.code, error.message);
  return error;
}

function openTls(options: DialOptions): Promise<TLSSocket> {
  const { endpoint, key, peer, handshakeMs, signal } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, ...tlsTerms(key.identity, linkProtocol), servername: '' });
    let reached = false;
    const fail = (error: ToolkitError): void => {
      finish();
      socket.destroy();
      reject(error);
    };
    const unreachable = (reason: string): ToolkitError =>
      new ToolkitError(reached ? 'DT_LINK_HANDSHAKE' : 'DT_LINK_UNREACHABLE', { peer, reason });
    const onError = (error: Error): void => {
      const problem = tlsProblem(error);
      if (!reached) fail(unreachable(error.message || problem.reason));
      else if (problem.code === 'DT_LINK_VERSION')
        fail(new ToolkitError(problem.code, { peer, theirs: problem.reason, ours: linkProtocol }));
      else fail(new ToolkitError(problem.code, { peer, reason: problem.reason }, error));
    };
    const onConnect = (): void => {
      reached = true;
    };
    const onClose = (): void => fail(unreachable('the connection was closed'));
    const onAbort = (): void => fail(unreachable('it is not needed any more'));
    const onSecure = (): void => {
      finish();
      resolve(socket);
    };
    const timer = setTimeout(() => fail(unreachable(`no answer within ${handshakeMs / 1000} s`)), handshakeMs);
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose).off('secureConnect', onSecure).off('connect', onConnect).off('error', onError);
      // An error that comes late has nobody left to tell.
      socket.on('error', () => undefined);
    };
    socket.on('connect', onConnect).on('secureConnect', onSecure).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
