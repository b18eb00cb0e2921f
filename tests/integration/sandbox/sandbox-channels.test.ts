import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamChannel } from '../../../src/privacy/stream-channel.js';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { probeSandbox, type SandboxProbe } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { type Finished, isolatingLevels, type Job, JobShelf, processesWith } from './support/sandbox-jobs.js';

const MIB = 1 << 20;
const probe = await probeSandbox();
const shelf = new JobShelf();

/** What every operator below starts with: its channels, and a way to say what came of an attempt. */
const prelude = `
import array, errno, fcntl, json, os, socket, struct, sys, time
fds = [int(n) for n in os.environ['DT_CHANNELS'].split(',')]
channels = [socket.socket(fileno=n) for n in fds]
def attempt(name, what):
    try: print(name, 'succeeded', what(), flush=True)
    except OSError as e: print(name, errno.errorcode.get(e.errno, e.errno), flush=True)
    except BaseException as e: print(name, type(e).__name__, e, flush=True)
`;

/** The daemon's ends of a run, from the moment that it has them. */
function started(sandbox: Sandbox, job: Job, count: number, limits = {}): { streams: Promise<readonly Duplex[]>; run: Promise<Finished> } {
  let hand: (streams: readonly Duplex[]) => void = () => undefined;
  const streams = new Promise<readonly Duplex[]>((resolve) => {
    hand = resolve;
  });
  return { streams, run: shelf.run(sandbox, job, limits, { channels: count, onChannels: hand }) };
}

const stage = (code: string): Promise<Job> => shelf.stage('python3', prelude + code);

async function talk(sandbox: Sandbox, code: string, count: number, speak: (streams: readonly Duplex[]) => unknown): Promise<Finished> {
  const { streams, run } = started(sandbox, await stage(code), count);
  const spoken = streams.then(speak);
  const finished = await run;
  expect(finished.stderr).toBe('');
  await spoken;
  return finished;
}

async function openSockets(): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return links.filter((link) => link.startsWith('socket:')).length;
}

/** Closing takes a turn of the event loop or two. */
async function untilSockets(count: number): Promise<number> {
  for (let tries = 0; tries < 100 && (await openSockets()) > count; tries += 1) await delay(20);
  return openSockets();
}

let hostFolder: string;
const servers: Server[] = [];
let ports: readonly number[];
let callers = 0;

beforeAll(async () => {
  hostFolder = await mkdtemp(join(tmpdir(), 'dt-channels-host-'));
  const listen = async (where: Parameters<Server['listen']>[0]): Promise<number> => {
    const server = createServer((socket) => {
      callers += 1;
      socket.on('error', () => undefined).end('k');
    }).listen(where);
    await once(server, 'listening');
    servers.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  // Stand for the daemon's HTTP port and its link port.
  ports = [await listen({ port: 0, host: '127.0.0.1' }), await listen({ port: 0, host: '127.0.0.1' })];
  await listen({ path: join(hostFolder, 'socket') });
  await listen({ path: `\0dt-channels-${process.pid}` });
});

afterAll(async () => {
  for (const server of servers) server.close();
  await rm(hostFolder, { recursive: true, force: true });
  await shelf.clear();
});

const bare: SandboxProbe = { ...probe, machine: { ...probe.machine, loadsFilter: false } };
const variants = isolatingLevels(probe).flatMap(({ level, available }) => [
  { level, available, given: probe, filtered: level === 'bubblewrap' || probe.machine.loadsFilter },
  ...(level === 'namespaces' && probe.machine.loadsFilter ? [{ level, available, given: bare, filtered: false }] : []),
]);

for (const { level, available, given, filtered } of variants) {
  describe.skipIf(!available)(`channels at level ${level}${filtered ? '' : ' without a filter'}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe: given, graceMs: 300 });
    });

    it('reach the peers and nobody else', async () => {
      callers = 0;
      const abstract = `chr(0) + 'dt-channels-${process.pid}'`;
      const code = `
def call(family, kind, address):
    s = socket.socket(family, kind); s.settimeout(5); s.connect(address); s.send(b'x'); return s.recv(1)
for port in ${JSON.stringify(ports)}:
    attempt('tcp', lambda: call(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', port)))
    attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port)))
    attempt('tcp6', lambda: call(socket.AF_INET6, socket.SOCK_STREAM, ('::1', port)))
attempt('unix', lambda: call(socket.AF_UNIX, socket.SOCK_STREAM, ${JSON.stringify(join(hostFolder, 'socket'))}))
attempt('abstract', lambda: call(socket.AF_UNIX, socket.SOCK_STREAM, ${abstract}))
for s in channels + [socket.socket(fileno=os.dup(1))]:
    attempt('connect by a channel', lambda: s.connect(${abstract}))
    attempt('send elsewhere', lambda: s.sendto(b'x', ${abstract}))
    attempt('listen', lambda: s.listen())
    attempt('accept', lambda: s.accept())
    attempt('peer', lambda: struct.unpack('3i', s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))
`;
      const { stdout } = await talk(sandbox, code, 2, (streams) => streams.map((stream) => stream.resume().end()));
      const rows = stdout.trim().split('\n');
      expect(rows).toHaveLength(6 + 2 + 15);
      // Who the daemon is cannot be told: no process of that number, no user of that name.
      expect(rows.filter((row) => row.includes('succeeded'))).toEqual(Array(3).fill('peer succeeded (0, 65534, 65534)'));
      expect(callers).toBe(0);
    });

    const whereFiltered = filtered ? it : undefined;
    whereFiltered?.('tell nothing of the network of the machine, and leave nothing there', async () => {
      const code = `
def interfaces(s):
    room = array.array('B', bytes(4096))
    return struct.unpack('iL', fcntl.ioctl(s, 0x8912, struct.pack('iL', 4096, room.buffer_info()[0])))[0]
for s in channels + [socket.socket(fileno=os.dup(1)), socket.socket(fileno=os.dup(2)), socket.socketpair()[0]]:
    attempt('addresses', lambda: interfaces(s))
    attempt('name of the first', lambda: fcntl.ioctl(s, 0x8910, struct.pack('16si20x', b'', 1)))
    attempt('device', lambda: s.setsockopt(socket.SOL_SOCKET, 25, b'lo'))
    attempt('index', lambda: s.setsockopt(socket.SOL_SOCKET, 62, 1))
    attempt('name', lambda: s.bind(chr(0) + 'dt-squatter-' + str(s.fileno())))
    attempt('process', lambda: s.getsockopt(socket.SOL_SOCKET, 77))
    attempt('pass', lambda: s.setsockopt(socket.SOL_SOCKET, 16, 1))
    attempt('namespace', lambda: fcntl.ioctl(s, 0x894c))
channels[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
channels[0].settimeout(3)
`;
      const { stdout } = await talk(sandbox, code, 1, (streams) => streams.map((stream) => stream.resume().end()));
      const rows = stdout.trim().split('\n');
      expect(rows).toHaveLength(4 * 8);
      expect(rows.filter((row) => !row.endsWith(' EPERM'))).toEqual([]);
    });

    it('are as many as it was given, up to 32, each in its place and each with its own end', async () => {
      const code = `
print(json.dumps([fds, [n for n in range(400) if os.path.exists(f'/proc/self/fd/{n}') and os.readlink(f'/proc/self/fd/{n}') != '/dev/null']]))
for number, s in enumerate(channels):
    s.sendall(f'{number}:{s.recv(100).decode()}'.encode())
channels[7].shutdown(socket.SHUT_WR)
print(channels[7].recv(100).decode(), flush=True)
`;
      let last: readonly string[] = [];
      const { stdout } = await talk(sandbox, code, 32, async (streams) => {
        streams.forEach((stream, index) => void stream.write(`to ${index}`));
        // The eighth ends while the operator still runs, and can still be written to.
        streams[7]?.once('data', (chunk: Buffer) => expect(String(chunk)).toBe('7:to 7'));
        await once(streams[7] as Duplex, 'end');
        streams[7]?.end('after the end');
        last = await Promise.all(streams.filter((_, index) => index !== 7).map((stream) => text(stream)));
      });
      const [first = '', second] = stdout.trim().split('\n');
      const numbers = Array.from({ length: 32 }, (_, index) => index + 4);
      expect(JSON.parse(first)).toEqual([numbers, [1, 2, ...numbers]]);
      expect(second).toBe('after the end');
      expect(last).toEqual(numbers.map((n) => n - 4).flatMap((n) => (n === 7 ? [] : [`${n}:to ${n}`])));
    });

    it('end when the operator is gone, whatever it has left behind', async () => {
      const code = `
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    time.sleep(600)
channels[0].sendall(b'last words')
os._exit(3)
`;
      let said = '';
      const { exit } = await talk(sandbox, code, 1, async ([stream]) => {
        said = await text(stream as Duplex);
      });
      expect([said, exit.exitCode]).toEqual(['last words', 3]);
    });

    it('can be ended by the daemon first: the operator reads the end and still answers', async () => {
      let said = '';
      const code = `
heard = b''
while (part := channels[0].recv(65536)): heard += part
channels[0].sendall(f'heard {len(heard)}'.encode())
`;
      await talk(sandbox, code, 1, async ([stream]) => {
        stream?.end(Buffer.alloc(3 * MIB));
        said = await text(stream as Duplex);
      });
      expect(said).toBe(`heard ${3 * MIB}`);
    });

    it('deliver what was written before an exit, also to a daemon that writes on and reads late', async () => {
      const before = await openSockets();
      const code = `
assert channels[0].recv(1) == b'x'
channels[0].setblocking(False)
sent = 0
try:
    while True: sent += channels[0].send(bytes([sent % 251]) * 1000)
except BlockingIOError: pass
print(sent, flush=True)
os._exit(0)
`;
      const { streams, run } = started(sandbox, await stage(code), 1);
      const [stream] = await streams;
      if (stream === undefined) throw new Error('no channel');
      const problems: Error[] = [];
      stream.on('error', (error) => void problems.push(error));
      // More than the operator reads, so that its end is closed with bytes unread, and more after it has gone.
      stream.write(Buffer.alloc(MIB, 'x'));
      const { stdout } = await run;
      stream.write(Buffer.alloc(MIB));
      await delay(20);
      const arrived = await buffer(stream);
      expect(arrived.byteLength).toBe(Number(stdout));
      expect(arrived.byteLength).toBeGreaterThan(1000);
      expect(problems).toEqual([]);
      expect(await untilSockets(before)).toBe(before);
    });

    it('hold a flood back: neither does it grow in the daemon, nor does another channel suffer', async () => {
      const code = `
flood, other = channels
flood.setblocking(False)
sent, chunk = 0, bytes(1 << 20)
while sent < 1 << 30:
    try: sent += flood.send(chunk)
    except BlockingIOError: break
other.sendall(b'full')
assert other.recv(10) == b'go'
print(sent, flush=True)
flood.setblocking(True)
flood.sendall(chunk)
`;
      let flooded = 0;
      const { stdout } = await talk(sandbox, code, 2, async ([flood, other]) => {
        if (flood === undefined || other === undefined) throw new Error('no channels');
        expect(String((await once(other, 'data'))[0])).toBe('full');
        expect(flood.readableLength).toBeLessThanOrEqual(MIB);
        other.resume().end('go');
        for await (const chunk of flood) flooded += (chunk as Buffer).byteLength;
      });
      expect(Number(stdout)).toBeLessThan(8 * MIB);
      expect(flooded).toBe(Number(stdout) + MIB);
    });

    it('let no descriptor into the daemon, and release what was sent along', async () => {
      const before = await openSockets();
      const files = (await readdir('/proc/self/fd')).length;
      const code = `
kept, given = os.pipe()
for n in range(50):
    channels[0].sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [given, 1, fds[1]]))])
os.close(given)
print('released' if os.read(kept, 1) == b'' else 'kept', flush=True)
# A channel that travels in itself, and one in the other: nothing but the daemon's reading ends them.
channels[0].sendmsg([b'y'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))])
channels[1].sendmsg([b'z'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))])
`;
      let said: readonly string[] = [];
      let open = 0;
      const { stdout } = await talk(sandbox, code, 2, async (streams) => {
        said = await Promise.all(streams.map((stream) => text(stream)));
        open = (await readdir('/proc/self/fd')).length;
      });
      expect(stdout).toBe('released\n');
      expect(said).toEqual([`${'x'.repeat(50)}y`, 'z']);
      expect(open).toBeLessThan(files + 40);
      expect(await untilSockets(before)).toBe(before);
    });

    it('break at a header of four gigabytes without memory for it', async () => {
      const before = process.memoryUsage().arrayBuffers;
      const code = "channels[0].sendall(struct.pack('>I', 0xfffffffd) + bytes(100)); channels[0].recv(1)";
      await talk(sandbox, code, 1, async ([stream]) => {
        const channel = streamChannel(stream as Duplex, { peer: 'the operator' });
        await expect(channel.receive()).rejects.toMatchObject({ code: 'DT_PEER_PROTOCOL' });
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB);
      });
    });

    it.each([
      ['in its header', "channels[0].sendall(b'\\0\\0')"],
      ['in its body', "channels[0].sendall(struct.pack('>I', 1000) + b'half')"],
      [
        'after a whole one',
        "channels[0].sendall(struct.pack('>I', 4) + b'full' + struct.pack('>I', 1000)); channels[0].shutdown(socket.SHUT_WR)",
      ],
    ])('tell of a message that ends %s', async (where, code) => {
      await talk(sandbox, code, 1, async ([stream]) => {
        const channel = streamChannel(stream as Duplex, { peer: 'the operator' });
        if (where === 'after a whole one') expect(Buffer.from(await channel.receive()).toString()).toBe('full');
        const broken = { code: 'DT_PEER_GONE', message: expect.stringContaining('in the middle of a message') };
        await expect(channel.receive()).rejects.toMatchObject(broken);
        await channel.close();
      });
    });

    it('come with joint.json, which cannot be written, as nothing that was staged can', async () => {
      const job = await stage(`
print(open('joint.json').read(), sorted(os.listdir('.')), flush=True)
def write(path, mode='w'): open(path, mode).write('x')
for path in ['joint.json', 'args.json', 'joint.json.new', 'operator/node_modules/kit/index.js', 'operator/node_modules/kit/new.js', 'operator/node_modules/new']:
    attempt('write', lambda: write(path))
attempt('append', lambda: write('joint.json', 'a'))
attempt('mode', lambda: os.chmod('joint.json', 0o666))
attempt('unlink', lambda: os.unlink('joint.json'))
attempt('rename', lambda: os.rename('joint.json', 'outputs/joint.json'))
attempt('link', lambda: os.link('joint.json', 'outputs/joint.json'))
attempt('own', lambda: os.chown('joint.json', 65534, 65534))
`);
      await mkdir(join(job.folder, 'operator', 'node_modules', 'kit'), { recursive: true });
      await writeFile(join(job.folder, 'operator', 'node_modules', 'kit', 'index.js'), '', { mode: 0o400 });
      await writeFile(join(job.folder, 'joint.json'), '{"seat":"0"}', { mode: 0o400 });
      const { streams, run } = started(sandbox, job, 1);
      for (const stream of await streams) stream.resume();
      const { stdout, stderr } = await run;
      const [first, ...rows] = stdout.trim().split('\n');
      expect(stderr).toBe('');
      expect(first).toBe(`{"seat":"0"} ['args.json', 'inputs', 'joint.json', 'operator', 'outputs']`);
      expect(rows).toHaveLength(12);
      expect(rows.filter((row) => row.includes('succeeded'))).toEqual([]);
    });

    it('are refused with a joint.json that is no plain file, and in a number that is none', async () => {
      const job = await stage('');
      await symlink('/etc/passwd', join(job.folder, 'joint.json'));
      await expect(shelf.run(sandbox, job, {}, { channels: 1 })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      await rm(join(job.folder, 'joint.json'));
      await mkdir(join(job.folder, 'joint.json'));
      await expect(shelf.run(sandbox, job, {}, { channels: 1 })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      await rm(join(job.folder, 'joint.json'), { recursive: true });
      for (const channels of [-1, 33, 1.5, Number.NaN]) {
        await expect(shelf.run(sandbox, job, {}, { channels })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      }
    });

    it('are not handed out and leave nothing open when the operator does not start', async () => {
      const before = await openSockets();
      let handed = 0;
      const onChannels = (): void => {
        handed += 1;
      };
      // No room for the folders of the scratch space: the setup stage fails.
      const unset = shelf.run(sandbox, await stage(''), { files: -3 }, { channels: 3, onChannels });
      await expect(unset).rejects.toMatchObject({ code: 'DT_SANDBOX_UNAVAILABLE' });
      const aborted = await shelf.run(sandbox, await stage(''), {}, { channels: 3, onChannels, signal: AbortSignal.abort() });
      expect(aborted.exit.aborted).toBe(true);
      expect(handed).toBe(0);
      expect(await untilSockets(before)).toBe(before);
    });

    it('are ended where nobody takes them, and a failure of who does ends the run', async () => {
      const before = await openSockets();
      const { stdout } = await shelf.run(sandbox, await stage('print([s.recv(1) for s in channels])'), {}, { channels: 2 });
      expect(stdout).toBe("[b'', b'']\n");
      const job = await stage('time.sleep(600)');
      const onChannels = (): never => {
        throw new Error('no peer for it');
      };
      await expect(shelf.run(sandbox, job, {}, { channels: 2, onChannels })).rejects.toThrow('no peer for it');
      expect(await processesWith(job.operatorFile)).toEqual([]);
      expect(await untilSockets(before)).toBe(before);
    });

    it('end with a run that is aborted', async () => {
      const abort = new AbortController();
      const ends: Promise<string>[] = [];
      const onChannels = (streams: readonly Duplex[]): void => {
        ends.push(...streams.map((stream) => text(stream)));
        streams[0]?.once('data', () => abort.abort());
      };
      const job = await stage("channels[0].sendall(b'begun'); time.sleep(600)");
      const { exit } = await shelf.run(sandbox, job, {}, { channels: 2, onChannels, signal: abort.signal });
      expect(exit.aborted).toBe(true);
      expect(await Promise.all(ends)).toEqual(['begun', '']);
    });

    it('are streams of Node too, with the message framing of the protocols', async () => {
      const code = `import { Socket } from 'node:net';
const [one] = process.env.DT_CHANNELS.split(',').map((fd) => new Socket({ fd: Number(fd), allowHalfOpen: true }));
let heard = 0;
one.on('data', (part) => { heard += part.length; });
one.on('end', () => { const frame = Buffer.alloc(8); frame.writeUInt32BE(4, 0); frame.writeUInt32BE(heard, 4); one.end(frame); });`;
      const { streams, run } = started(sandbox, await shelf.stage('node', code), 1);
      const [stream] = await streams;
      const channel = streamChannel(stream as Duplex, { peer: 'the operator' });
      await channel.send(new Uint8Array(5 * MIB));
      stream?.end();
      expect(Buffer.from(await channel.receive()).readUInt32BE()).toBe(5 * MIB + 4);
      await channel.close();
      expect((await run).exit.exitCode).toBe(0);
    });
  });
}
