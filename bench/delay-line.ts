import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port that hands on to another one, each byte so much later: half a round trip each way. */
export interface DelayLine {
  readonly port: number;
  close(): void;
}

export async function openDelayLine(targetPort: () => number, delayMs: number): Promise<DelayLine> {
  const sockets = new Set<Socket>();
  const later = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => void setTimeout(() => to.writable && to.write(chunk), delayMs));
    from.on('end', () => void setTimeout(() => to.end(), delayMs));
    from.on('close', () => void setTimeout(() => to.destroy(), 2 * delayMs));
    from.on('error', () => undefined);
  };
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (caller) => {
    const target = connect({ port: targetPort(), host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    for (const socket of [caller, target]) sockets.add(socket);
    later(caller, target);
    later(target, caller);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Median round trip of small messages through such a line, milliseconds: timers are coarse, so it is a little more than was asked for. */
export async function measureDelay(delayMs: number, pings = 40): Promise<number> {
  const echo = createServer({ noDelay: true }, (socket) => void socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const line = await openDelayLine(() => (echo.address() as AddressInfo).port, delayMs);
  const socket = connect({ port: line.port, host: '127.0.0.1', noDelay: true });
  const times: number[] = [];
  for (let i = 0; i < pings; i++) {
    const start = performance.now();
    socket.write(new Uint8Array(2048));
    await new Promise((resolve) => void socket.once('data', resolve));
    times.push(performance.now() - start);
  }
  socket.destroy();
  line.close();
  echo.close();
  return times.sort((a, b) => a - b)[pings >> 1] as number;
}
