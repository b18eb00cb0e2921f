import { constants } from 'node:crypto';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Address, Bytes32 } from '../../documents/ids.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import { dataMagic, ExpectedSockets } from './data-socket.js';
import { frameType } from './frames.js';
import { LinkConnection, refusal, refusalOf } from './link-connection.js';
import { decodeHello, type Hello, linkProtocol } from './link-handshake.js';
import type { LinkKey } from './link-key.js';
import type { LinkLimits } from './link-limits.js';
import { shownLinkKey, tlsProblem, tlsTerms } from './link-tls.js';

export interface LinkServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** This organization. */
  readonly address: Address;
  readonly key: LinkKey;
  readonly limits: LinkLimits;
  /** Asked for each connection anew. */
  readonly linkKeyOf: (organization: Address) => Promise<Bytes32 | undefined>;
  /** The caller is who it says it is. */
  readonly onCaller: (connection: LinkConnection, hello: Hello) => void;
  /** `claimed`: whom it said to be, where it got so far; nobody has proved that. */
  readonly onRefused: (error: ToolkitError, remote: string, claimed: Address | undefined) => void;
}

/** The one port on which all peers call for all jobs. A caller has `handshakeMs` to prove who it is, and few may try at once. */
export class LinkServer {
  /** What listens. The first byte says what a connection is: TLS of a link, or one that the daemons have agreed on for data. */
  private readonly front: TcpServer;
  private readonly server: Server;
  readonly dataSockets = new ExpectedSockets();
  /** Connections that have not been introduced, oldest first, by their remote end. */
  private readonly strangers = new Map<string, Socket>();

  private constructor(private readonly options: LinkServerOptions) {
    this.server = createServer({
      ...tlsTerms(options.key.identity, linkProtocol),
      requestCert: true,
      handshakeTimeout: options.limits.handshakeMs,
      // No resumption: each connection proves the key afresh, so that a rotated key ends with the connections that used it.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    this.front = createTcpServer({ noDelay: true }, (socket) => this.admitStranger(socket));
    this.server.on('secureConnection', (socket) => void this.receive(socket));
    this.server.on('tlsClientError', (error, socket) => this.onTlsError(error, socket));
  }

  /** @throws DT_PORT_BUSY, DT_INPUT_INVALID */
  static listen(options: LinkServerOptions): Promise<LinkServer> {
    const { host, port } = options;
    const listening = new LinkServer(options);
    return new Promise((resolve, reject) => {
      listening.front.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') reject(new ToolkitError('DT_PORT_BUSY', { host, port }, error));
        else reject(new ToolkitError('DT_INPUT_INVALID', { what: `The address ${host}:${port}`, reason: error.message }, error));
      });
      listening.front.listen(port, host, () => resolve(listening));
    });
  }

  get port(): number {
    return (this.front.address() as AddressInfo).port;
  }

  /** For connections from now on. */
  useKey(key: LinkKey): void {
    const { key: privateKey, cert, minVersion, maxVersion, ciphers } = tlsTerms(key.identity, linkProtocol);
    this.server.setSecureContext({ key: privateKey, cert, minVersion, maxVersion, ciphers, secureOptions: constants.SSL_OP_NO_TICKET });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.front.close(() => resolve()));
    for (const socket of this.strangers.values()) socket.destroy();
    return closed;
  }

  private admitStranger(socket: Socket): void {
    const remote = remoteOf(socket);
    if (this.strangers.size >= this.options.limits.strangers) {
      // The oldest has had the most time; an honest caller needs a few milliseconds.
      const [oldest] = this.strangers;
      if (oldest !== undefined) {
        this.strangers.delete(oldest[0]);
        oldest[1].destroy();
      }
    }
    this.strangers.set(remote, socket);
    socket.once('close', () => this.strangers.delete(remote));
    const { handshakeMs } = this.options.limits;
    const timer = setTimeout(() => {
      socket.destroy();
      const reason = 'it did not finish the TLS handshake in time';
      this.options.onRefused(new ToolkitError('DT_LINK_HANDSHAKE', { peer: remote, reason }), remote, undefined);
    }, handshakeMs);
    const onError = (): void => undefined;
    socket.on('error', onError);
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (head: Buffer) => {
      clearTimeout(timer);
      socket.pause();
      // A stranger until its token is known, and counted as one.
      if (head[0] === dataMagic[0]) return this.dataSockets.admit(socket, head, handshakeMs, () => this.strangers.delete(remote));
      socket.off('error', onError);
      socket.unshift(head);
      this.server.emit('connection', socket);
    });
  }

  private onTlsError(error: Error, socket: TLSSocket): void {
    const remote = remoteOf(socket);
    const problem = tlsProblem(error);
    this.strangers.delete(remote);
    socket.destroy();
    const details =
      problem.code === 'DT_LINK_VERSION'
        ? { peer: remote, theirs: problem.reason, ours: linkProtocol }
        : { peer: remote, reason: problem.reason };
    this.options.onRefused(new ToolkitError(problem.code, details, error), remote, undefined);
  }

  private async receive(socket: TLSSocket): Promise<void> {
    const connection = new LinkConnection(socket);
    connection.deadline(this.options.limits.handshakeMs);
    let claimed: Address | undefined;
    try {
      const shown = this.checkTerms(socket, connection);
      const frame = await connection.next();
      if (frame.type === frameType.refuse) {
        const { code, reason } = refusalOf(frame);
        throw new ToolkitError('DT_LINK_REFUSED', { peer: connection.remote, code, reason });
      }
      const hello = decodeHello(frame);
      if (hello === undefined) throw new ToolkitError('DT_LINK_HANDSHAKE', { peer: connection.remote, reason: 'it sent no hello' });
      claimed = hello.from;
      await this.authenticate(hello, shown);
      this.strangers.delete(connection.remote);
      // One that left while its key was looked up must not take the place of a connection that works.
      if (!connection.isOver) this.options.onCaller(connection, hello);
    } catch (thrown) {
      const error = toToolkitError(thrown);
      this.strangers.delete(connection.remote);
      if (error.code === 'DT_LINK_REFUSED') connection.destroy(error.message);
      else connection.refuse(refusal.error, error.code, error.message);
      this.options.onRefused(error, connection.remote, claimed);
    }
  }

  private checkTerms(socket: TLSSocket, { remote }: LinkConnection): Bytes32 {
    if (socket.alpnProtocol !== linkProtocol) {
      throw new ToolkitError('DT_LINK_VERSION', { peer: remote, theirs: socket.alpnProtocol || 'no protocol', ours: linkProtocol });
    }
    const shown = shownLinkKey(socket);
    if (shown === undefined) throw new ToolkitError('DT_LINK_NO_KEY', { peer: remote });
    return shown;
  }

  private async authenticate({ from, to }: Hello, shown: Bytes32): Promise<void> {
    const { address, linkKeyOf } = this.options;
    if (to !== address) throw new ToolkitError('DT_LINK_HANDSHAKE', { peer: from, reason: `it calls ${to}, this is ${address}` });
    if (from === address) throw new ToolkitError('DT_LINK_HANDSHAKE', { peer: from, reason: 'it says that it is this organization' });
    const expected = await linkKeyOf(from).catch((error: Error) => {
      throw new ToolkitError('DT_LINK_HANDSHAKE', { peer: from, reason: 'its link key cannot be looked up now' }, error);
    });
    if (expected === undefined) throw new ToolkitError('DT_LINK_UNKNOWN_PEER', { peer: from });
    if (expected !== shown) throw new ToolkitError('DT_LINK_KEY_MISMATCH', { peer: from, shown, expected });
  }
}

/** A socket that is closed already has lost the address of its other end. */
const remoteOf = (socket: Socket): string =>
  socket.remoteAddress === undefined ? 'a caller that has gone' : `${socket.remoteAddress}:${socket.remotePort}`;
