import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Address } from '../../../src/documents/ids.js';
import { dataMagic, descriptorOf, tokenBytes } from '../../../src/peers/link/data-socket.js';
import { type LinkHub, openLinkHub } from '../../../src/peers/link/link-hub.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';

const bank = `0x${'1'.repeat(40)}` as Address;
const shop = `0x${'2'.repeat(40)}` as Address;
const never = new AbortController().signal;

describe('connections for data beside the links', () => {
  const hubs: LinkHub[] = [];
  const sockets: Socket[] = [];
  const hub = async (address: Address, limits = {}, peerPort?: () => number | undefined): Promise<LinkHub> => {
    const opened = await openLinkHub({
      address,
      key: LinkKey.create(),
      listen: { host: '127.0.0.1', port: 0 },
      linkKeyOf: () => Promise.resolve(undefined),
      endpointOf: () => Promise.resolve(peerPort === undefined ? undefined : { host: '127.0.0.1', port: peerPort() ?? 0 }),
      limits,
    });
    hubs.push(opened);
    return opened;
  };
  const call = async (port: number, bytes: Uint8Array): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    socket.resume();
    socket.write(bytes);
    return socket;
  };
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const opened of hubs.splice(0)) await opened.stop();
  });

  it('are handed over by their token, once, with nothing read of what follows', async () => {
    const called = await hub(shop);
    const caller = await hub(bank, {}, () => called.port);
    const expected = called.expectSocket(bank, 5_000, never);
    const [theirs, own] = await Promise.all([expected?.socket, caller.dialSocket(shop, expected?.token ?? '', 5_000, never)]);
    expect(descriptorOf(theirs as Socket, 'bank')).toBeGreaterThan(0);
    expect(descriptorOf(own as Socket, 'shop')).toBeGreaterThan(0);
    sockets.push(theirs as Socket, own as Socket);
    await expect(caller.dialSocket(shop, expected?.token ?? '', 5_000, never)).rejects.toMatchObject({ code: 'DT_LINK_UNREACHABLE' });
  });

  it.each([
    ['another token', Buffer.concat([dataMagic, Buffer.alloc(tokenBytes, 7)])],
    ['more than the greeting', Buffer.concat([dataMagic, Buffer.alloc(tokenBytes + 1, 7)])],
    ['something that begins alike', Buffer.from('DELETE / HTTP/1.1\r\n\r\n')],
  ])('with %s are closed without a word', async (_, bytes) => {
    const called = await hub(shop);
    const expected = called.expectSocket(bank, 5_000, never);
    const socket = await call(called.port as number, bytes);
    let said = 0;
    socket.on('data', (chunk: Buffer) => {
      said += chunk.length;
    });
    await once(socket, 'close');
    expect(said).toBe(0);
    // Who is really expected still comes in.
    const caller = await hub(bank, {}, () => called.port);
    sockets.push((await caller.dialSocket(shop, expected?.token ?? '', 5_000, never)) as Socket, (await expected?.socket) as Socket);
  });

  it('that say half of their greeting count as strangers: few are held, and none for long', async () => {
    const called = await hub(shop, { strangers: 4, handshakeMs: 60_000 });
    const waiting = await Promise.all(Array.from({ length: 12 }, () => call(called.port as number, dataMagic.subarray(0, 2))));
    let open = waiting.length;
    await new Promise<void>((resolve) => {
      for (const socket of waiting)
        socket.once('close', () => {
          open -= 1;
          if (open <= 4) resolve();
        });
    });
    expect(open).toBe(4);
    const short = await hub(bank, { handshakeMs: 100 });
    await once(await call(short.port as number, dataMagic), 'close');
  });
});
