import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Address } from '../../../src/documents/ids.js';
import { frameType, headerBytes } from '../../../src/peers/link/frames.js';
import { LinkConnection } from '../../../src/peers/link/link-connection.js';
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeState,
  type Hello,
  type StreamState,
} from '../../../src/peers/link/link-handshake.js';
import type { LinkKey } from '../../../src/peers/link/link-key.js';
import type { LinkWorld, Member } from './link-world.js';

/** A frame of any type, id, value and payload, whether they fit or not. */
export function frame(type: number, id = 0, value?: number, bytes: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(headerBytes);
  header[0] = type;
  header.writeUIntBE(id, 1, 3);
  header.writeUInt32BE(value ?? bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

export interface OpenFields {
  readonly session?: string;
  readonly answers?: number;
  readonly windowBytes?: number;
}

export function open(id: number, purpose: string, { session = 'job', answers = 0, windowBytes = 1 << 18 }: OpenFields = {}): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(answers, 0);
  head.writeUInt32BE(windowBytes, 4);
  head.writeUInt32BE(1 << 20, 8);
  head[12] = session.length;
  return frame(frameType.open, id, undefined, Buffer.concat([head, Buffer.from(session + purpose, 'latin1')]));
}

/** What the other end sent: of an opening the number that it answers, of everything the header. */
export interface SeenFrame {
  readonly type: number;
  readonly id: number;
  readonly value: number;
  readonly answers: number;
}

/** An end whose handshake is done and whose frames are all our own. */
export interface RawPeer {
  readonly connection: LinkConnection;
  /** Of the end that was called: its state when it took the call. */
  readonly welcome: StreamState;
  readonly frames: SeenFrame[];
  readonly ended: () => boolean;
}

export interface RawPeerOptions {
  readonly key: LinkKey;
  readonly address: Address;
  readonly state?: Partial<StreamState>;
  /** False: it never reads what comes after the handshake. */
  readonly reads?: boolean;
}

const tls = (key: LinkKey) => ({ ...key.identity, ALPNProtocols: ['dt-link/1'], rejectUnauthorized: false });

/** An authenticated connection to a hub, before its hello. */
export async function reachRaw(world: LinkWorld, member: Member, key: LinkKey): Promise<LinkConnection> {
  const socket = connect({ host: '127.0.0.1', port: member.hub.port ?? 0, ...tls(key) });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const connection = new LinkConnection(socket);
  world.defer(async () => connection.destroy('the test is over'));
  return connection;
}

export const helloOf = (from: Address, to: Address, state: Partial<StreamState> = {}): Buffer =>
  encodeHello({ epoch: 77n, peerEpoch: 0n, received: 0, use: 0, ...state, from, to });

/** Calls a hub whose address is the lower one, which says at once which connection it uses. */
export async function callRaw(world: LinkWorld, member: Member, { key, address, state, reads = true }: RawPeerOptions): Promise<RawPeer> {
  const connection = await reachRaw(world, member, key);
  connection.send(frameType.hello, 0, helloOf(address, member.address, state));
  const welcome = decodeWelcome(await connection.next());
  if (welcome === undefined || welcome.use === 0) throw new Error('no connection was given');
  return reads ? attachRaw(connection, welcome) : { connection, welcome, frames: [], ended: () => false };
}

const unknownState: StreamState = { epoch: 0n, peerEpoch: 0n, received: 0, use: 0 };

export function attachRaw(connection: LinkConnection, welcome = unknownState): RawPeer {
  const frames: SeenFrame[] = [];
  let closed = false;
  const onFrame = (type: number, id: number, value: number, bytes: Buffer, at: number): boolean => {
    frames.push({ type, id, value, answers: type === frameType.open ? bytes.readUInt32BE(at) : 0 });
    return true;
  };
  const onClosed = (): void => {
    closed = true;
  };
  connection.attach({ sink: { onFrame, onGarbage: () => undefined }, onDrain: () => undefined, onClosed });
  return { connection, welcome, frames, ended: () => closed };
}

/** A port where a hub can call; what called, with its hello read and not yet answered. */
export async function listenRaw(
  world: LinkWorld,
  address: Address,
  key: LinkKey,
): Promise<() => Promise<{ connection: LinkConnection; hello: Hello }>> {
  const callers: TLSSocket[] = [];
  let wake: () => void = () => undefined;
  const server = createServer({ ...tls(key), requestCert: true }, (socket) => {
    callers.push(socket);
    wake();
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.endpoints.set(address, { host: '127.0.0.1', port: (server.address() as { port: number }).port });
  world.defer(async () => void server.close());
  return async () => {
    while (callers.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const connection = new LinkConnection(callers.shift() as TLSSocket);
    world.defer(async () => connection.destroy('the test is over'));
    const hello = decodeHello(await connection.next());
    if (hello === undefined) throw new Error('no hello came');
    return { connection, hello };
  };
}

export const welcomeOf = (hello: Hello, state: Partial<StreamState> = {}): Buffer =>
  encodeState({ epoch: 77n, peerEpoch: hello.epoch, received: 0, use: 0, ...state });
