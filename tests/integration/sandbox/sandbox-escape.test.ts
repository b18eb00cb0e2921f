import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { probeSandbox, type SandboxProbe } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { isolatingLevels, JobShelf } from './support/sandbox-jobs.js';

const probe = await probeSandbox();
const shelf = new JobShelf();
const secret = `secret-${randomUUID()}`;

/** Reads its list of attempts from an input, tries each, and prints what came of it. */
const attempter = `
import ctypes, errno, json, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def connect(family, address):
    s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(5); s.connect(address); s.recv(1); s.close()
def abstract(name):
    # Some versions of Node fill an abstract name up with zeros to its full length.
    try: connect(socket.AF_UNIX, chr(0) + name)
    except OSError: connect(socket.AF_UNIX, (chr(0) + name).ljust(108, chr(0)))
kinds = {
  'read': lambda path: open(path, 'rb').read(4096).decode('latin-1'),
  'write': lambda path: open(path, 'w').write('x'),
  'list': lambda path: os.listdir(path),
  'tcp': lambda port: connect(socket.AF_INET, ('127.0.0.1', port)),
  'unix': lambda path: connect(socket.AF_UNIX, path),
  'abstract': abstract,
  'dns': lambda name: socket.getaddrinfo(name, 80),
  'family': lambda number: socket.socket(number, socket.SOCK_STREAM).close(),
  'signal': lambda pid: os.kill(pid, 0),
  'syscall': lambda args: call(*args),
  'mount': lambda target: call(165, b'none', target.encode(), b'tmpfs', 0, None),
  'pivot': lambda _: call(155, b'/tmp', b'/tmp'),
  'chroot': lambda path: os.chroot(path),
  'unshare': lambda flags: call(272, flags),
  'clone': lambda flags: call(56, flags | 17, None, None, None, None),
  'sticking': lambda _: __import__('fcntl').ioctl(0, 0x5412, b'x'),
  'mknod': lambda path: os.mknod(path, 0o60666, os.makedev(254, 0)),
  'setuid': lambda uid: os.setuid(uid),
  'rename': lambda paths: os.rename(*paths),
  'unlink': lambda path: os.unlink(path),
  'remount': lambda path: call(165, b'none', path.encode(), None, 4096 | 32, None),
  'bindover': lambda path: call(165, b'/tmp', path.encode(), None, 4096, None),
}
for kind, argument in json.load(open('inputs/attempts.json')):
    try:
        came = kinds[kind](argument)
        print(json.dumps([kind, argument, 'succeeded', repr(came)[:300]]))
    except OSError as e:
        print(json.dumps([kind, argument, errno.errorcode.get(e.errno, str(e.errno)), str(e)[:300]]))
    except BaseException as e:
        print(json.dumps([kind, argument, type(e).__name__, str(e)[:300]]))
`;

type Attempt = readonly [kind: string, argument: unknown];
interface Outcome {
  readonly attempt: Attempt;
  readonly came: string;
  readonly detail: string;
}

async function tryAll(sandbox: Sandbox, attempts: readonly Attempt[]): Promise<readonly Outcome[]> {
  const job = await shelf.stage('python3', attempter, { 'attempts.json': JSON.stringify(attempts) });
  const { stdout, stderr, exit } = await shelf.run(sandbox, job);
  expect({ stderr, code: exit.exitCode }).toEqual({ stderr: '', code: 0 });
  const outcomes = stdout
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row) as readonly [string, unknown, string, string])
    .map(([kind, argument, came, detail]): Outcome => ({ attempt: [kind, argument], came, detail }));
  expect(outcomes).toHaveLength(attempts.length);
  return outcomes;
}

const succeeded = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter(({ came }) => came === 'succeeded');

let hostFolder: string;
let tcp: Server;
let unix: Server;
let abstract: Server;
let bystander: ChildProcess;
const abstractName = `dt-${randomUUID()}`;
const connections: string[] = [];

beforeAll(async () => {
  process.env['DT_TEST_SECRET'] = secret;
  hostFolder = await mkdtemp(join(tmpdir(), 'dt-sandbox-host-'));
  await writeFile(join(hostFolder, 'daemon.yaml'), secret, { mode: 0o644 });
  const listen = async (name: string, where: Parameters<Server['listen']>[0]): Promise<Server> => {
    const server = createServer((socket) => {
      connections.push(name);
      socket.on('error', () => undefined).end('k');
    });
    server.listen(where);
    await once(server, 'listening');
    return server;
  };
  tcp = await listen('tcp', { port: 0, host: '127.0.0.1' });
  unix = await listen('unix', { path: join(hostFolder, 'socket') });
  abstract = await listen('abstract', { path: `\0${abstractName}` });
  bystander = spawn('/bin/sleep', ['600']);
});

afterAll(async () => {
  delete process.env['DT_TEST_SECRET'];
  for (const server of [tcp, unix, abstract]) server.close();
  bystander.kill('SIGKILL');
  await rm(hostFolder, { recursive: true, force: true });
  await shelf.clear();
});

const port = (): number => {
  const address = tcp.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const fileAttempts = async (): Promise<readonly Attempt[]> => {
  const neighbour = await shelf.stage('python3', '', { 'rows.csv': secret });
  return [
    ['read', join(hostFolder, 'daemon.yaml')],
    ['read', join(neighbour.folder, 'inputs', 'rows.csv')],
    ['read', `/proc/${process.pid}/environ`],
    ['read', '/etc/hostname'],
    ['list', '/home'],
    ['list', process.cwd()],
  ];
};
const networkAttempts = (): readonly Attempt[] => [
  ['tcp', port()],
  ['unix', join(hostFolder, 'socket')],
  ['abstract', abstractName],
];

describe('control: without isolation the same attempts succeed', () => {
  it('reads, connects and signals at level process', async () => {
    const sandbox = await createSandbox({ level: 'process', probe });
    connections.length = 0;
    const attempts: readonly Attempt[] = [
      ...(await fileAttempts()),
      ...networkAttempts(),
      ['signal', bystander.pid],
      ['signal', process.pid],
    ];
    const outcomes = await tryAll(sandbox, attempts);
    expect(outcomes.filter(({ came }) => came !== 'succeeded')).toEqual([]);
    expect([...connections].sort()).toEqual(['abstract', 'tcp', 'unix']);
  });
});

/** As on a machine without perl. */
const bare: SandboxProbe = { ...probe, machine: { ...probe.machine, loadsFilter: false } };
const variants = isolatingLevels(probe).flatMap(({ level, available }) =>
  level === 'namespaces' && probe.machine.loadsFilter
    ? [
        { level, available, given: probe, how: ' with a filter' },
        { level, available, given: bare, how: ' without a filter' },
      ]
    : [{ level, available, given: probe, how: '' }],
);

for (const { level, available, given, how } of variants) {
  describe.skipIf(!available)(`level ${level}${how}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe: given });
    });

    it('shows no file of the host', async () => {
      const outcomes = await tryAll(sandbox, [
        ...(await fileAttempts()),
        ['read', '/etc/shadow'],
        ['read', `/proc/${process.pid}/mem`],
        ['read', `/proc/${bystander.pid}/environ`],
        ['read', '/proc/1/root/etc/shadow'],
        ['read', '/proc/self/root/etc/shadow'],
        ['read', '/job/../etc/shadow'],
        ['read', 'logs/earlier.log'],
        ['list', '/root'],
        ['list', '/var'],
        ['list', '/run'],
        ['list', '/sys/fs'],
        ['list', 'logs'],
        ['read', '/dev/vda'],
        ['read', '/dev/mem'],
        ['read', '/proc/kcore'],
        ['read', '/proc/kmsg'],
        ['read', '/proc/keys'],
        ['read', '/proc/cmdline'],
        ['read', '/proc/sys/kernel/hostname'],
        ['list', '/proc/sys/kernel'],
      ]);
      const shown = succeeded(outcomes).filter(({ detail }) => detail !== "''"); // level bubblewrap covers parts of /proc with an empty file
      expect(shown).toEqual([]);
    });

    it('shows a root with nothing but what runs the operator', async () => {
      const { stdout } = await shelf.runCode(
        sandbox,
        'python3',
        `import os, json
print(json.dumps({name: sorted(os.listdir(name)) for name in ['/', '/job', '/etc', '/dev', '/tmp', '/sys', '/usr']}))`,
      );
      const seen = JSON.parse(stdout) as Record<string, string[]>;
      expect(seen['/']?.filter((name) => !/^lib(32|64|x32)?$/.test(name))).toEqual([
        'bin',
        'dev',
        'etc',
        'job',
        'proc',
        'sys',
        'tmp',
        'usr',
      ]);
      expect(seen['/job']).toEqual(['args.json', 'inputs', 'operator', 'outputs']);
      expect(seen['/etc']?.filter((name) => !['alternatives', 'ld.so.cache'].includes(name))).toEqual(['group', 'nsswitch.conf', 'passwd']);
      expect(seen['/dev']).toEqual(['full', 'null', 'random', 'shm', 'urandom', 'zero']);
      expect([seen['/tmp'], seen['/sys']]).toEqual([[], []]);
      expect(seen['/usr']).not.toContain('sbin');
    });

    it('has no network of any kind', async () => {
      connections.length = 0;
      const outcomes = await tryAll(sandbox, [
        ...networkAttempts(),
        ['dns', 'localhost.localdomain'],
        ['dns', 'example.org'],
        ['read', '/proc/net/route'],
      ]);
      const open = succeeded(outcomes).filter(({ attempt }) => attempt[0] !== 'read');
      expect(open).toEqual([]);
      expect(connections).toEqual([]);
      const routes = outcomes.find(({ attempt }) => attempt[0] === 'read');
      expect(routes?.detail.split('\\n').filter((row) => /\d{8}/.test(row))).toEqual([]);
    });

    it('has an environment of its own, in which nothing of the daemon is left', async () => {
      const code = `import os, json, glob
leaks = []
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline') + ['/proc/self/environ']:
    try: leaks.append(open(path, 'rb').read().decode('latin-1'))
    except OSError: pass
print(json.dumps([sorted(os.environ), leaks]))`;
      const { stdout } = await shelf.runCode(sandbox, 'python3', code);
      const [names, leaks] = JSON.parse(stdout) as [string[], string[]];
      const own = ['HOME', 'LANG', 'LC_CTYPE', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'PYTHONNOUSERSITE', 'PYTHONUNBUFFERED', 'TMPDIR', 'TZ'];
      expect(names.filter((name) => !own.includes(name))).toEqual([]);
      expect(leaks.length).toBeGreaterThan(2);
      expect(leaks.join()).not.toContain(secret);
    });

    it('sees and signals no process but its own', async () => {
      const outcomes = await tryAll(sandbox, [
        ['signal', bystander.pid],
        ['signal', process.pid],
        ['signal', process.ppid],
      ]);
      expect(outcomes.map(({ came }) => came)).toEqual(['ESRCH', 'ESRCH', 'ESRCH']);
      const { stdout } = await shelf.runCode(sandbox, 'python3', "import os; print([n for n in os.listdir('/proc') if n.isdigit()])");
      expect(stdout.match(/\d+/g)?.length).toBe(2);
    });

    it.each([
      ['its whole process group', 'os.kill(0, 9)'],
      ['everything it may signal', 'os.kill(-1, 9); os.kill(1, 9)'],
      ['its parent', 'os.kill(os.getppid(), 9); os.kill(os.getppid(), 19); time.sleep(0.3); os._exit(5)'],
    ])('harms only itself when it kills %s', async (_, harm) => {
      const neighbour = shelf.runCode(sandbox, 'python3', "import time; time.sleep(1.5); print('unharmed')");
      await shelf.runCode(sandbox, 'python3', `import os, time\n${harm}`);
      expect((await neighbour).stdout).toBe('unharmed\n');
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    });

    it('writes nowhere but into outputs and its scratch space', async () => {
      const outcomes = await tryAll(sandbox, [
        ['write', '/job/new'],
        ['write', 'inputs/attempts.json'],
        ['write', 'inputs/new'],
        ['write', 'operator/new'],
        ['write', 'args.json'],
        ['write', 'outputs/../../x'],
        ['write', 'outputs/../x'],
        ['unlink', 'inputs/attempts.json'],
        ['rename', ['outputs', 'out']],
        ['rename', ['inputs/attempts.json', 'outputs/attempts.json']],
        ['write', '/x'],
        ['write', '/usr/bin/sh'],
        ['write', '/usr/lib/x'],
        ['write', '/etc/passwd'],
        ['write', '/dev/x'],
        ['write', '/sys/x'],
        ['write', '/proc/sys/kernel/core_pattern'],
        ['write', '/proc/1/oom_score_adj_x'],
        ['write', '/proc/sysrq-trigger'],
      ]);
      expect(succeeded(outcomes)).toEqual([]);
      const fine = await tryAll(sandbox, [
        ['write', 'outputs/x'],
        ['write', '/tmp/x'],
        ['write', '/dev/shm/x'],
        ['write', '/dev/null'],
      ]);
      expect(succeeded(fine)).toHaveLength(4);
    });

    it.runIf(process.arch === 'x64')('changes no mount, namespace, id or device', async () => {
      const outcomes = await tryAll(sandbox, [
        ['mount', '/tmp'],
        ['remount', '/'],
        ['bindover', '/job/inputs'],
        ['pivot', null],
        ['chroot', '/tmp'],
        ['unshare', 0x10000000],
        ['unshare', 0x10000000 | 0x00020000],
        ['unshare', 0x40000000],
        ['unshare', 0x20000000],
        ['clone', 0x10000000],
        ['clone', 0x20000000],
        ['mknod', '/tmp/disk'],
        ['setuid', 0],
        ['syscall', [308, 3, 0]], // setns
        ['syscall', [175, 0, 0, 0]], // init_module
        ['syscall', [169, 0, 0, 0]], // reboot
        ['syscall', [170, 'x', 1]], // sethostname
        ['syscall', [227, 0, 0]], // clock_settime
      ]);
      expect(succeeded(outcomes)).toEqual([]);
    });

    it('starts no program from where it can write', async () => {
      const code = `import os, shutil, stat
for place in ['/tmp/sh', 'outputs/sh', '/dev/shm/sh']:
    shutil.copy('/bin/sh', place); os.chmod(place, 0o755)
    try: os.execv(place, ['sh', '-c', 'echo started']) if os.fork() == 0 else os.wait()
    except OSError as e: print(e.strerror); os._exit(0)`;
      const { stdout } = await shelf.runCode(sandbox, 'python3', code);
      expect(stdout).toBe('Permission denied\nPermission denied\nPermission denied\n');
    });

    it('gives Node the same', async () => {
      const code = `import { readFileSync, writeFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
const tries = {
  shadow: () => readFileSync('/etc/shadow'),
  config: () => readFileSync(${JSON.stringify(join(hostFolder, 'daemon.yaml'))}),
  input: () => writeFileSync('inputs/x', 'x'),
  root: () => writeFileSync('/x', 'x'),
  tcp: () => new Promise((resolve, reject) => connect(${port()}, '127.0.0.1', resolve).on('error', reject)),
  dns: () => lookup('example.org'),
  shell: () => { const { error, status } = spawnSync('/usr/bin/id'); if (error) throw error; return status; },
  host: () => { process.kill(${bystander.pid}, 0); },
};
for (const [name, attempt] of Object.entries(tries)) {
  try { await attempt(); console.log(name, 'succeeded'); } catch (error) { console.log(name, error.code); }
}
console.log(Object.keys(process.env).sort().join(), process.getuid(), readdirSync('/job').join());`;
      const { stdout } = await shelf.runCode(sandbox, 'node', code);
      expect(stdout).not.toContain('succeeded');
      expect(stdout).toContain('HOME,LANG,PATH,TMPDIR,TZ 65534 args.json,inputs,operator,outputs');
      expect(stdout.split('\n').filter(Boolean)).toHaveLength(9);
    });

    it('keeps the host as it was', async () => {
      expect(await readFile(join(hostFolder, 'daemon.yaml'), 'utf8')).toBe(secret);
    });
  });
}

const filtered = isolatingLevels(probe).filter(({ level }) => process.arch === 'x64' && probe.levels[level].layers.includes('seccomp'));
describe.skipIf(filtered.length === 0)('the filter of system calls', () => {
  it.each(filtered)('refuses at level $level what reaches around namespaces', async ({ level }) => {
    const sandbox = await createSandbox({ level, probe });
    const forbidden: readonly [string, readonly unknown[]][] = [
      ['ptrace', [101, 0, 0, 0, 0]],
      ['process_vm_readv', [310, 1, 0, 0, 0, 0, 0]],
      ['keyctl', [250, 0, -3, 0]],
      ['add_key', [248, 0, 0, 0, 0, 0]],
      ['bpf', [321, 0, 0, 0]],
      ['perf_event_open', [298, 0, 0, -1, -1, 0]],
      ['userfaultfd', [323, 0]],
      ['kexec_load', [246, 0, 0, 0, 0]],
      ['open_by_handle_at', [304, -1, 0, 0]],
      ['fsopen', [430, 0, 0]],
      ['personality', [135, 0xffffffff]],
      ['syslog', [103, 3, 0, 0]],
      ['pidfd_getfd', [438, 0, 0, 0]],
    ];
    const absent: readonly [string, readonly unknown[]][] = [
      ['clone3', [435, 0, 0]],
      ['io_uring_setup', [425, 1, 0]],
      ['memfd_create', [319, 0, 0]],
      ['shmget', [29, 0, 4096, 0o1600]],
      ['a call of a newer kernel', [451, 0, 0, 0]],
      ['a call of x32', [0x40000000 + 39]],
    ];
    const outcomes = await tryAll(
      sandbox,
      [...forbidden, ...absent].map(([, args]): Attempt => ['syscall', args]),
    );
    const came = outcomes.map(({ came: result }) => result);
    expect(came.slice(0, forbidden.length)).toEqual(forbidden.map(() => 'EPERM'));
    expect(came.slice(forbidden.length)).toEqual(absent.map(() => 'ENOSYS'));
    // 40 is AF_VSOCK, which leads to the hypervisor from any network namespace; 16 netlink, 17 packet, 38 the kernel's cryptography.
    const families = await tryAll(
      sandbox,
      [2, 10, 16, 17, 38, 40].map((family): Attempt => ['family', family]),
    );
    expect(families.map(({ came: result }) => result)).toEqual(families.map(() => 'EAFNOSUPPORT'));
    expect((await tryAll(sandbox, [['sticking', null]]))[0]?.came).toBe('EPERM');
    expect((await tryAll(sandbox, [['family', 1]]))[0]?.came).toBe('succeeded');
  });
});
