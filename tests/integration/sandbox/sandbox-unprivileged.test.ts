import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectOutputs } from '../../../src/sandbox/outputs.js';
import type { SandboxExit, SandboxLevel, SandboxLimits } from '../../../src/sandbox/sandbox.js';
import { JobShelf, processesWith, roomyLimits, untilGone } from './support/sandbox-jobs.js';
import { allMessages, messagesOf, startStandIn } from './support/stand-in-process.js';

const MIB = 1 << 20;
const USER = '54321';
const asUser = ['/usr/bin/setpriv', '--reuid', USER, '--regid', USER, '--clear-groups', '--'];
const run = promisify(execFile);
const shelf = new JobShelf();

/** The other tests run as whoever runs them, often root; these put the daemon under an ordinary user. */
const root = process.getuid?.() === 0;
const readable = root && spawnSync(asUser[0] ?? '', [...asUser.slice(1), '/usr/bin/test', '-r', import.meta.filename]).status === 0;
if (!readable) console.warn('\n!!! NOT TESTED: a daemon under another user; needs root, and a folder that others can read\n');
const [first] = readable ? await allMessages({ level: 'strongest', probeOnly: true }, asUser) : [];
const levels = (first?.['levels'] ?? {}) as Partial<Record<SandboxLevel, { readonly available: boolean }>>;

let hostFolder: string;
let tcp: Server;
let connected = 0;
beforeAll(async () => {
  hostFolder = await mkdtemp(join(tmpdir(), 'dt-sandbox-user-'));
  await writeFile(join(hostFolder, 'key'), 'secret of the daemon', { mode: 0o600 });
  await run('/bin/chown', ['-R', `${USER}:${USER}`, hostFolder]);
  tcp = createServer((socket) => {
    connected += 1;
    socket.on('error', () => undefined).end();
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
});
afterAll(async () => {
  tcp.close();
  await rm(hostFolder, { recursive: true, force: true });
  await shelf.clear();
});

interface Result {
  readonly exit: SandboxExit;
  readonly said: string;
  readonly folder: string;
}

for (const level of ['namespaces', 'bubblewrap'] as const) {
  describe.skipIf(!levels[level]?.available)(`level ${level} for a daemon of an ordinary user`, () => {
    const stage = async (code: string) => {
      const job = await shelf.stage('python3', code);
      await run('/bin/chown', ['-R', `${USER}:${USER}`, dirname(job.folder)]);
      return job;
    };
    const runCode = async (code: string, limits: Partial<SandboxLimits> = {}): Promise<Result> => {
      const job = await stage(code);
      const messages = await allMessages({ level, run: { ...job, limits: { ...roomyLimits, ...limits } } }, asUser);
      const exit = messages.find((message) => 'exit' in message)?.['exit'] as SandboxExit | undefined;
      if (exit === undefined) throw new Error(JSON.stringify(messages));
      expect(await processesWith(job.operatorFile)).toEqual([]);
      const said = messages.map((message) => (message['stream'] === undefined ? '' : `${message['text']}\n`)).join('');
      return { exit, said, folder: job.folder };
    };

    it('isolates as it does for root', async () => {
      const address = tcp.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const code = `import ctypes, os, socket
open('outputs/r', 'w').write('7')
def attempt(name, action):
    try: print(name, 'succeeded', action())
    except OSError as e: print(name, e.errno)
attempt('key', lambda: open(${JSON.stringify(join(hostFolder, 'key'))}).read())
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', ${port}), 5))
attempt('host', lambda: os.kill(${process.pid}, 0))
attempt('input', lambda: open('inputs/x', 'w'))
attempt('code', lambda: os.chmod('operator', 0o777))
attempt('root', lambda: open('/x', 'w'))
attempt('unshare', lambda: os.strerror(ctypes.CDLL(None, use_errno=True).unshare(0x10000000)) if ctypes.CDLL(None).unshare(0x10000000) == 0 else open('/'))
print(os.getuid(), sorted(os.listdir('/job')), os.cpu_count() is not None)`;
      const { exit, said, folder } = await runCode(code);
      expect(said).toMatch(
        /^key 2\ntcp \d+\nhost 3\ninput 30\ncode 30\nroot 30\nunshare 21\n65534 \['args.json', 'inputs', 'operator', 'outputs'\] True\n$/,
      );
      expect(connected).toBe(0);
      expect(exit.report.layers).toEqual(
        expect.arrayContaining(['filesystem', 'network', 'pid', 'user', 'unprivileged-uid', 'capabilities', 'pids-rlimit']),
      );
      if (level === 'bubblewrap') expect(exit.report.layers).toContain('seccomp');
      expect(await collectOutputs(folder)).toMatchObject([{ name: 'r', sizeBytes: 1 }]);
      expect(await readFile(join(folder, 'outputs', 'r'), 'utf8')).toBe('7');
    });

    it('cannot be turned against the daemon, whose user the job has outside', async () => {
      const { exit, said } = await runCode("import os, sys; print('now', flush=True); os.kill(0, 9)");
      expect(said).toBe('now\n');
      expect(exit.exitSignal).toBe('SIGKILL');
      const everything = await runCode('import os; os.kill(-1, 9)'); // spares the caller and process 1, and finds nobody else
      expect(everything.said).toContain('ProcessLookupError');
    });

    it.each([
      ['processes', 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass', { processes: 30 }],
      [
        'memory',
        "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * (24 << 20)\n        time.sleep(60)\ntime.sleep(60)",
        { memoryBytes: 128 * MIB },
      ],
      ['disk', "f = open('/tmp/big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))", { diskBytes: 8 * MIB }],
      ['cpu', 'while True: pass', { cpuSeconds: 1 }],
    ] as const)('holds the limit of %s', async (limit, code, limits) => {
      expect((await runCode(code, limits)).exit.limitHit).toBe(limit);
    });

    it('refuses an output that the daemon may not read', async () => {
      const { exit, folder } = await runCode("import os; open('outputs/x', 'w'); os.chmod('outputs/x', 0)");
      expect(exit.exitCode).toBe(0);
      await expect(collectOutputs(folder)).rejects.toMatchObject({ code: 'DT_JOB_OUTPUT_REFUSED', details: { name: 'x' } });
    });

    it('leaves no process behind when the daemon is killed with SIGKILL', async () => {
      const job = await stage(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nprint('running', flush=True)\ntime.sleep(600)",
      );
      const standIn = startStandIn({ level, run: { ...job, limits: roomyLimits } }, asUser);
      for await (const message of messagesOf(standIn)) if (message['text'] === 'running') break;
      expect((await processesWith(job.operatorFile)).length).toBeGreaterThan(1);
      standIn.kill('SIGKILL');
      await once(standIn, 'exit');
      expect(await untilGone(job.operatorFile)).toEqual([]);
    });
  });
}
