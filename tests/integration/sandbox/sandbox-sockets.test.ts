import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descriptorOf } from '../../../src/peers/link/data-socket.js';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { probeSandbox } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { isolatingLevels, JobShelf } from './support/sandbox-jobs.js';

const probe = await probeSandbox();
const shelf = new JobShelf();

/** Stands for everything that an operator must not reach: the daemon's ports, other peers, the network. */
let elsewhere: Server;
let callers = 0;
/** Stands for the peer's operator; answers what it is sent. */
let peer: Server;

const listen = async (onSocket: (socket: Socket) => void): Promise<Server> => {
  const server = createServer(onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  elsewhere = await listen((socket) => {
    callers += 1;
    socket.on('error', () => undefined).end('k');
  });
  peer = await listen((socket) => socket.on('error', () => undefined).pipe(socket));
});

afterAll(async () => {
  elsewhere.close();
  peer.close();
  await shelf.clear();
});

/** With its connection it tries everything that a process can do with a socket of the network namespace of the daemon. */
const hostile = (port: number): string => `
import ctypes, errno, fcntl, os, socket, struct
s = socket.socket(fileno=int(os.environ['DT_SOCKETS'])); s.settimeout(10)
def attempt(name, what):
    try: print(name, 'succeeded', what(), flush=True)
    except OSError as e: print(name, errno.errorcode.get(e.errno, e.errno), flush=True)
there = ('127.0.0.1', ${port})
libc = ctypes.CDLL(None, use_errno=True)
def disconnect():
    if libc.connect(s.fileno(), struct.pack('H14x', 0), 16) != 0: raise OSError(ctypes.get_errno(), 'connect')
def fast_many():
    raise OSError(ctypes.get_errno(), 'sendmmsg') if libc.sendmmsg(s.fileno(), None, 0, 0x20000000) != 0 else None
s.send(b'hello')
print('peer says', s.recv(5), flush=True)
attempt('elsewhere', lambda: s.connect(there))
attempt('disconnect', disconnect)
attempt('fast', lambda: s.sendto(b'x', 0x20000000, there))
attempt('fast message', lambda: s.sendmsg([b'x'], [], 0x20000000, there))
attempt('fast many', fast_many)
attempt('bind', lambda: s.bind(('127.0.0.1', 0)))
attempt('listen', lambda: s.listen())
attempt('option', lambda: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0))
attempt('interfaces', lambda: fcntl.ioctl(s, 0x8912, bytes(64)))
attempt('another', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
s.shutdown(socket.SHUT_RDWR)
attempt('elsewhere after the end', lambda: s.connect(there))
attempt('fast after the end', lambda: s.sendto(b'x', 0x20000000, there))
`;

const filtered = isolatingLevels(probe).filter(({ level }) => level === 'bubblewrap' || probe.machine.loadsFilter);

for (const { level, available } of filtered) {
  describe.skipIf(!available)(`a connection that is handed to a job at level ${level}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe, graceMs: 300 });
    });

    it('reaches its peer, and can be led nowhere else', async () => {
      callers = 0;
      const socket = connect(portOf(peer), '127.0.0.1');
      await once(socket, 'connect');
      socket.pause();
      const fd = descriptorOf(socket, 'the peer');
      const onChannels = (): void => void socket.destroy();
      const job = await shelf.stage('python3', hostile(portOf(elsewhere)));
      const { exit, stdout, stderr } = await shelf.run(sandbox, job, {}, { channels: 1, onChannels, sockets: [fd] });
      expect(stderr).toBe('');
      expect(exit.exitCode).toBe(0);
      expect(exit.report.layers).toContain('seccomp');
      const said = stdout.trim().split('\n');
      expect(said[0]).toBe("peer says b'hello'");
      const attempts = said.slice(1);
      expect(attempts).toHaveLength(12);
      for (const attempt of attempts) expect(attempt, stdout).toMatch(/ (EPERM|EAFNOSUPPORT)$/);
      expect(callers).toBe(0);
    });
  });
}
