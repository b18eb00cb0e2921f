import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { jobTree } from '../../../src/sandbox/job-tree.js';
import { LogLines } from '../../../src/sandbox/log-lines.js';
import { findTools, systemFolders } from '../../../src/sandbox/machine-tools.js';
import { type LevelProbe, probeSandbox } from '../../../src/sandbox/probe-sandbox.js';
import { seccompFilter } from '../../../src/sandbox/seccomp-filter.js';
import { absentCalls, checkedCalls, forbiddenCalls } from '../../../src/sandbox/seccomp-syscalls.js';
import { isolatingLevels, JobShelf } from './support/sandbox-jobs.js';
import { allMessages } from './support/stand-in-process.js';

const probe = await probeSandbox();
const shelf = new JobShelf();
const folders: string[] = [];
afterAll(async () => {
  await shelf.clear();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The other tests skip a level that is not given. This one fails when the machine would give it and our own setup does not. */
describe('the probe', () => {
  const works = (command: string, ...args: string[]): boolean => spawnSync(command, args, { env: {}, stdio: 'ignore' }).status === 0;
  const unshared = '--user --map-root-user --mount --pid --ipc --uts --net --cgroup --fork --mount-proc'.split(' ');

  it.runIf(works('/usr/bin/unshare', ...unshared, '--', '/bin/true'))('gives level namespaces where unshare works', () => {
    expect(probe.levels.namespaces).toMatchObject({ available: true });
    expect(probe.machine.loadsFilter).toBe(existsSync('/usr/bin/perl') && ['x64', 'arm64'].includes(process.arch));
  });

  const wrapped = '--unshare-all --ro-bind / / --proc /proc --dev /dev'.split(' ');
  it.runIf(works('/usr/bin/bwrap', ...wrapped, '--', '/bin/true'))('gives level bubblewrap where bwrap works', () => {
    expect(probe.levels.bubblewrap).toMatchObject({ available: true });
  });
});

/** The tools of this machine without some of them. */
async function toolsWithout(...names: string[]): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'dt-tools-')));
  folders.push(folder);
  await chmod(folder, 0o755); // jobs of a daemon that is root start under another id
  for (const [name, path] of (await findTools(systemFolders)).paths) if (!names.includes(name)) await symlink(path, join(folder, name));
  return folder;
}

describe.skipIf(isolatingLevels(probe).every(({ available }) => !available))('choosing a level', () => {
  it('takes the strongest that the machine gives', async () => {
    const sandbox = await createSandbox({ level: 'strongest', probe });
    expect(sandbox.level).toBe(probe.levels.bubblewrap.available ? 'bubblewrap' : 'namespaces');
    expect(sandbox.layers).toEqual(expect.arrayContaining(['filesystem', 'network', 'pid', 'user', 'capabilities', 'no-new-privileges']));
    if (sandbox.level === 'bubblewrap') expect(sandbox.layers).toContain('seccomp');
  });

  it('takes a weaker one by its name', async () => {
    expect((await createSandbox({ level: 'namespaces', probe })).level).toBe('namespaces');
    const bare = await createSandbox({ level: 'process', probe });
    expect(bare.level).toBe('process');
    expect(bare.layers).not.toContain('filesystem');
    expect(bare.layers).not.toContain('network');
  });

  it('refuses bubblewrap where it is not installed, and names it', async () => {
    const less = await probeSandbox({ toolFolders: [await toolsWithout('bwrap')] });
    expect(less.strongest).toBe('namespaces');
    await expect(createSandbox({ level: 'bubblewrap', probe: less })).rejects.toMatchObject({
      code: 'DT_SANDBOX_UNAVAILABLE',
      details: { required: 'bubblewrap', missing: 'seccomp (bwrap is not installed (package bubblewrap))' },
    });
  });

  it('gives level namespaces without perl too, and then claims no filter', async () => {
    const less = await probeSandbox({ toolFolders: [await toolsWithout('bwrap', 'perl')] });
    const sandbox = await createSandbox({ level: 'strongest', probe: less });
    expect([sandbox.level, sandbox.layers.includes('seccomp')]).toEqual(['namespaces', false]);
    expect(less.levels.namespaces.missing).toContainEqual({ layer: 'seccomp', reason: expect.stringContaining('perl') });
    const { exit, stdout } = await shelf.runCode(
      sandbox,
      'python3',
      "print([row for row in open('/proc/self/status') if row.startswith('Seccomp:')])",
    );
    expect(stdout).toBe("['Seccomp:\\t0\\n']\n");
    expect(exit.report.layers).not.toContain('seccomp');
  });

  it('never falls to level process by itself', async () => {
    const less = await probeSandbox({ toolFolders: [await toolsWithout('bwrap', 'unshare')] });
    expect(less.strongest).toBeUndefined();
    expect(less.levels.process.available).toBe(false); // its programs are missing here too
    for (const level of ['strongest', 'namespaces', 'bubblewrap', 'process'] as const) {
      await expect(createSandbox({ level, probe: less })).rejects.toMatchObject({
        code: 'DT_SANDBOX_UNAVAILABLE',
        message: expect.stringContaining('unshare'),
      });
    }
  });

  it('runs nothing when a layer is gone at run time that the probe had seen', async () => {
    const sandbox = await createSandbox({
      level: 'namespaces',
      probe: { ...probe, countsTasks: false, machine: { ...probe.machine, cgroups: { places: new Map(), missing: [] } } },
    });
    await expect(shelf.runCode(sandbox, 'python3', 'print(1)')).rejects.toMatchObject({
      code: 'DT_SANDBOX_UNAVAILABLE',
      details: { required: 'namespaces', missing: expect.stringContaining('pids-cgroup') },
    });
  });

  it('runs nothing when the filter cannot be loaded', async () => {
    const wrong = await toolsWithout('bwrap');
    await symlink('/bin/true', join(wrong, 'bwrap')); // ends at once, without a word
    const broken = await probeSandbox({ toolFolders: [wrong] });
    expect(broken.levels.bubblewrap).toMatchObject({ available: false });
    expect(broken.strongest).toBe('namespaces');
  });
});

describe.skipIf(!probe.machine.root)('a machine without user namespaces', () => {
  it('is refused with the setting that forbids them', async () => {
    // Inside of a user namespace the number of further ones can be set, as the owner of a machine would.
    const closed = ['/usr/bin/unshare', '--user', '--map-root-user', '--', '/bin/sh', '-c'];
    const script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"';
    const [answer] = await allMessages({ probeOnly: true, level: 'strongest' }, [...closed, script, 'closed']);
    expect(answer).toMatchObject({ strongest: null });
    const levels = answer?.['levels'] as Record<string, LevelProbe>;
    expect(levels['namespaces']).toMatchObject({ available: false, missing: [{ layer: 'user' }] });
    expect(levels['namespaces']?.missing[0]?.reason).toMatch(
      /^unprivileged user namespaces are disabled: sysctl user.max_user_namespaces is 0/,
    );
    const [refused] = await allMessages({ level: 'strongest' }, [...closed, script, 'closed']);
    expect(refused).toMatchObject({ error: { code: 'DT_SANDBOX_UNAVAILABLE' } });
  });
});

describe('runtimes', () => {
  it('are found and started inside', () => {
    expect(probe.runtimes.node.installed?.version).toBe(process.versions.node);
    expect(probe.runtimes.python3.installed?.version).toMatch(/^3\./);
  });

  it('that do not exist are refused by name', async () => {
    const runtimes = { python3: '/nowhere/python3' };
    const sandbox = await createSandbox({ level: 'process', runtimes });
    await expect(shelf.runCode(sandbox, 'python3', '')).rejects.toMatchObject({
      code: 'DT_SANDBOX_RUNTIME',
      details: { runtime: 'python3' },
    });
    expect((await shelf.runCode(sandbox, 'node', 'console.log(1)')).stdout).toBe('1\n');
  });

  const pyenv = join(process.env['PYENV_ROOT'] ?? '/nowhere', 'shims', 'python3');
  it.skipIf(!existsSync(pyenv) || probe.strongest === undefined)('behind a shim are followed to the interpreter', async () => {
    const shimmed = await probeSandbox({ runtimes: { python3: pyenv } });
    expect(shimmed.runtimes.python3.installed?.path).not.toContain('shims');
    const sandbox = await createSandbox({ level: 'strongest', probe: shimmed });
    const { stdout } = await shelf.runCode(
      sandbox,
      'python3',
      "import sys, json, hashlib, sqlite3; print(sys.prefix); print(__import__('os').listdir('/root/.pyenv'))",
    );
    expect(stdout).toBe(`${process.env['PYENV_ROOT']}/versions/${shimmed.runtimes.python3.installed?.version}\n['versions']\n`);
  });

  it.skipIf(probe.strongest === undefined)('of a virtual environment keep its packages', async () => {
    const folder = await mkdtemp('/var/tmp/dt-venv-'); // what lies in /tmp is hidden by the /tmp of the job
    folders.push(folder);
    execFileSync('/usr/bin/python3', ['-m', 'venv', '--without-pip', join(folder, 'venv')]);
    const [version = ''] = await readdir(join(folder, 'venv', 'lib'));
    const site = join(folder, 'venv', 'lib', version, 'site-packages');
    await mkdir(join(site, 'fancy'));
    await writeFile(join(site, 'fancy', '__init__.py'), 'value = 42');
    const sandbox = await createSandbox({ level: 'strongest', runtimes: { python3: join(folder, 'venv', 'bin', 'python3') } });
    expect((await shelf.runCode(sandbox, 'python3', 'import fancy; print(fancy.value)')).stdout).toBe('42\n');
  });
});

describe('the filter', () => {
  const header = (path: string, prefix: RegExp): Promise<ReadonlyMap<string, number>> =>
    readFile(path, 'utf8').then((text) => new Map([...text.matchAll(prefix)].map(([, name = '', number]) => [name, Number(number)])));
  const tables = [
    ['x64', '/usr/include/x86_64-linux-gnu/asm/unistd_64.h', /^#define __NR_(\w+)\s+(\d+)\s*$/gm, 0],
    ['arm64', '/usr/include/asm-generic/unistd.h', /^#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$/gm, 1],
  ] as const;
  for (const [arch, path, pattern, column] of tables) {
    if (!existsSync(path)) console.warn(`\n!!! NOT TESTED: numbers of system calls of ${arch}; ${path} is not installed\n`);
    it.skipIf(!existsSync(path))(`has the numbers that the kernel gives its calls on ${arch}`, async () => {
      const numbers = await header(path, pattern);
      for (const [name, row] of Object.entries({ ...forbiddenCalls, ...absentCalls, ...checkedCalls })) {
        expect([name, row[column]]).toEqual([name, numbers.get(name) ?? -1]);
      }
    });
  }

  /** The classic BPF machine, as far as the filter uses it. */
  function verdict(filter: Buffer, data: { readonly arch: number; readonly number: number; readonly args?: readonly number[] }): number {
    const memory = Buffer.alloc(64);
    memory.writeUInt32LE(data.number >>> 0, 0);
    memory.writeUInt32LE(data.arch, 4);
    for (const [index, value] of (data.args ?? []).entries()) memory.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
    let accumulator = 0;
    for (let at = 0; ; at++) {
      const [code, value] = [filter.readUInt16LE(at * 8), filter.readUInt32LE(at * 8 + 4)];
      const jump = (condition: boolean): void => {
        at += filter.readUInt8(at * 8 + (condition ? 2 : 3));
      };
      if (code === 0x06) return value;
      if (code === 0x20) accumulator = memory.readUInt32LE(value);
      else if (code === 0x54) accumulator &= value;
      else if (code === 0x15) jump(accumulator === value);
      else if (code === 0x35) jump(accumulator >= value);
      else if (code === 0x45) jump((accumulator & value) !== 0);
      else throw new Error(`unknown instruction ${code}`);
    }
  }
  const allow = 0x7fff0000;
  const [eperm, enosys, kill] = [0x00050001, 0x00050026, 0x80000000];

  it.each([
    ['x64', 0xc000003e, 0],
    ['arm64', 0xc00000b7, 1],
  ] as const)('judges every call of %s as its table says', (arch, audit, column) => {
    const filter = seccompFilter(arch);
    expect(filter.length / 8).toBeLessThan(4096);
    const judge = (number: number, args: readonly number[] = []): number => verdict(filter, { arch: audit, number, args });
    const inTable = new Map<number, number>();
    for (const row of Object.values(forbiddenCalls)) if (row[column] >= 0) inTable.set(row[column], eperm);
    for (const row of Object.values(absentCalls)) if (row[column] >= 0) inTable.set(row[column], enosys);
    const reviewedGap = arch === 'x64' ? [335, 423] : [295, 423];
    for (let number = 0; number < 1000; number++) {
      if (Object.values(checkedCalls).some((row) => row[column] === number)) continue;
      const unknown =
        number > 450 ||
        (number >= (reviewedGap[0] ?? 0) && number <= (reviewedGap[1] ?? 0)) ||
        (arch === 'arm64' && number >= 244 && number <= 259);
      expect([number, judge(number)]).toEqual([number, unknown ? enosys : (inTable.get(number) ?? allow)]);
    }
    const numberOf = (name: keyof typeof checkedCalls): number => checkedCalls[name][column];
    expect(judge(numberOf('clone'), [0x003d0f00])).toBe(allow); // a thread
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) expect(judge(numberOf('clone'), [2 ** bit])).toBe(eperm);
    expect(judge(numberOf('ioctl'), [0, 0x5401])).toBe(allow);
    expect(judge(numberOf('ioctl'), [0, 0x5412])).toBe(eperm);
    expect(judge(numberOf('ioctl'), [0, 2 ** 32 + 0x5412])).toBe(eperm); // the kernel looks at the low half only
    for (const request of [0x8912, 0x894c, 0x8946, 2 ** 32 + 0x8915, 0x400489ff])
      expect(judge(numberOf('ioctl'), [1, request])).toBe(eperm);
    expect(judge(numberOf('ioctl'), [1, 0x541b])).toBe(allow); // how much there is to read
    for (const option of [7, 8, 20, 21]) expect(judge(numberOf('setsockopt'), [4, 1, option])).toBe(allow);
    for (const option of [16, 25, 26, 50, 62, 76]) expect(judge(numberOf('setsockopt'), [4, 1, option])).toBe(eperm);
    for (const option of [3, 4, 17]) expect(judge(numberOf('getsockopt'), [4, 1, option])).toBe(allow);
    for (const option of [59, 71, 77]) expect(judge(numberOf('getsockopt'), [4, 1, option])).toBe(eperm);
    expect(judge(numberOf('socket'), [1])).toBe(allow);
    expect(judge(numberOf('socket'), [40])).toBe(0x00050061);
    expect(judge(0x40000000)).toBe(enosys);
    expect(verdict(filter, { arch: 0x40000003, number: 0 })).toBe(kill);
  });
});

describe('small parts', () => {
  it('writes paths of any kind into the mount table, and refuses line breaks in those of programs', () => {
    const input = { diskBytes: 5000, files: 10, mountinfo: '' };
    const bind = { target: '/job/inputs', kind: 'folder', executable: false } as const;
    const tree = jobTree({ ...input, binds: [{ ...bind, source: '/data/a b\t#"\\\n' }] });
    expect(tree.build).toContain('/data/a\\040b\\011\\043\\042\\134\\012 /mnt/root/job/inputs none rbind,ro,nosuid,nodev,noexec 0 0\n');
    expect(tree.scratch).toContain('size=8192,nr_inodes=14');
    expect(() => jobTree({ ...input, binds: [{ ...bind, source: '/a', target: '/opt/a\nb' }] })).toThrow(RangeError);
    expect(jobTree({ ...input, binds: [{ ...bind, source: '/mnt/data/inputs' }] }).stage).toBe('/media');
  });

  it('mounts what is mounted below an input read-only too', () => {
    const mountinfo = '1 2 3:4 / /data/inputs/a\\040b rw - ext4 /dev/x rw\n';
    const binds = [{ source: '/data/inputs', target: '/job/inputs', kind: 'folder', executable: false }] as const;
    const { build } = jobTree({ binds, diskBytes: 1, files: 1, mountinfo });
    expect(build).toContain('/data/inputs/a\\040b /mnt/root/job/inputs/a\\040b none rbind,ro,nosuid,nodev,noexec 0 0\n');
  });

  it('cuts lines where they end, also inside of characters', () => {
    const lines: string[] = [];
    const log = new LogLines(
      { left: 1000 },
      (line) => lines.push(line),
      () => lines.push('over'),
    );
    const bytes = Buffer.from('Größe\r\n\nzwei\nrest');
    for (const byte of bytes) log.push(Buffer.from([byte]));
    log.end();
    expect(lines).toEqual(['Größe', '', 'zwei', 'rest']);
  });
});
