import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { probeSandbox, type SandboxProbe } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { isolatingLevels, JobShelf, processesWith } from './support/sandbox-jobs.js';

const MIB = 1 << 20;
const probe = await probeSandbox();
const shelf = new JobShelf();
afterAll(() => shelf.clear());

/** As on a machine whose control groups the daemon may not write to. */
const without: SandboxProbe = {
  ...probe,
  machine: { ...probe.machine, cgroups: { places: new Map(), missing: [] } },
};
const hasGroups = probe.machine.cgroups.places.size === 3;
if (!hasGroups) console.warn('\n!!! NOT TESTED: limits by control groups; this process may not make any\n');

const cases = isolatingLevels(probe).flatMap(({ level, available }) => [
  { level, available: available && hasGroups, how: 'with control groups', given: probe },
  { level, available, how: 'without control groups', given: without },
]);

for (const { level, available, how, given } of cases) {
  describe.skipIf(!available)(`level ${level}, ${how}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe: given, graceMs: 300 });
    });
    const python = (code: string, limits: Parameters<JobShelf['runCode']>[3]) => shelf.runCode(sandbox, 'python3', code, limits);

    it('says which layers bound the job', async () => {
      const { exit } = await python('print(1)', {});
      const bounds = ['memory-cgroup', 'pids-cgroup', 'cpu-cgroup'];
      expect(exit.report.layers.filter((layer) => bounds.includes(layer))).toEqual(given === probe ? bounds : []);
      expect(exit.report.layers).toContain('memory-watchdog');
      expect(exit.limitHit).toBeUndefined();
    });

    it('ends a fork bomb, and the host can still start processes', async () => {
      const code = `import os
while True:
    try: os.fork()
    except OSError: pass`;
      const job = await shelf.stage('python3', code);
      const { exit } = await shelf.run(sandbox, job, { processes: 30 });
      expect(exit.limitHit).toBe('processes');
      expect(await processesWith(job.operatorFile)).toEqual([]);
      expect((await promisify(execFile)('/bin/echo', ['fine'])).stdout).toBe('fine\n');
    });

    it('lets a job have as many processes as it may', async () => {
      const code = `import os, time
children = []
for _ in range(9):
    pid = os.fork()
    if pid == 0: time.sleep(0.4); os._exit(0)
    children.append(pid)
print(len(children))
for pid in children: os.waitpid(pid, 0)`;
      const { exit, stdout } = await python(code, { processes: 10 });
      expect([stdout, exit.limitHit, exit.exitCode]).toEqual(['9\n', undefined, 0]);
    });

    it.each([
      ['on the heap', 'kept = []\nwhile True: kept.append(bytearray(4 << 20))'],
      [
        'in shared pages',
        "import mmap\nkept = []\nwhile True:\n    m = mmap.mmap(-1, 4 << 20)\n    m.write(b'x' * (4 << 20))\n    kept.append(m)",
      ],
      [
        'over many children',
        "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * (24 << 20)\n        time.sleep(60)\ntime.sleep(60)",
      ],
    ])('ends a job that takes too much memory %s', async (_, code) => {
      const { exit } = await python(code, { memoryBytes: 128 * MIB });
      expect(exit.limitHit).toBe('memory');
      expect(exit.exitCode).not.toBe(0);
      expect(exit.peakMemoryBytes).toBeGreaterThan(64 * MIB);
    });

    it.each([
      ['heap', 'const kept = []; for (;;) kept.push({ text: String(kept.length).repeat(10) });'],
      ['buffers', 'const kept = []; for (;;) { kept.push(Buffer.alloc(4 << 20, 1)); await new Promise(setImmediate); }'],
    ])('ends a Node job that takes too much memory as %s', async (_, code) => {
      const { exit } = await shelf.runCode(sandbox, 'node', code, { memoryBytes: 160 * MIB });
      expect(exit.limitHit).toBe('memory');
    });

    it('lets a job have the memory that it may, and files beside', async () => {
      const code = `kept = bytearray(b'x') * (150 << 20)
open('outputs/big', 'wb').write(b'y' * (40 << 20))
import time; time.sleep(0.3)
print(len(kept))`;
      const { exit, stderr } = await python(code, { memoryBytes: 200 * MIB, diskBytes: 60 * MIB });
      expect([exit.limitHit, exit.exitCode, stderr]).toEqual([undefined, 0, '']);
    });

    it.each([
      ['in one process', 'while True: pass'],
      [
        'over children, one after the other',
        'import os, time\nwhile True:\n    if os.fork() == 0:\n        t = time.process_time()\n        while time.process_time() - t < 0.3: pass\n        os._exit(0)\n    os.wait()',
      ],
    ])('ends a job that uses too much CPU %s', async (_, code) => {
      const { exit } = await python(code, { cpuSeconds: 1 });
      expect(exit.limitHit).toBe('cpu');
      expect(exit.cpuMs).toBeGreaterThan(500);
    });

    it('ends a job that takes too long', async () => {
      const { exit } = await python('import time; time.sleep(60)', { wallMs: 400 });
      expect([exit.limitHit, exit.exitSignal, exit.aborted]).toEqual(['wall', 'SIGTERM', false]);
    });

    it.each([
      ['outputs', "f = open('outputs/big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))"],
      ['/tmp', "f = open('/tmp/big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))"],
      ['shared memory', "f = open('/dev/shm/big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))"],
      [
        'a file without a name',
        "import os\nf = open('/tmp/big', 'wb'); os.unlink('/tmp/big')\nwhile True:\n    try: f.write(b'x' * (1 << 20)); f.flush()\n    except OSError: pass",
      ],
      ['many files', "for n in range(64): open(f'/tmp/{n}', 'wb').write(b'x' * (1 << 20))"],
    ])('ends a job that fills %s', async (_, code) => {
      const { exit } = await python(code, { diskBytes: 8 * MIB });
      expect(exit.limitHit).toBe('disk');
      expect(exit.exitCode).not.toBe(0);
    });

    it.each([
      ['empty files', "for n in range(5000): open(f'outputs/{n}', 'w')"],
      ['folders', "import os\nfor n in range(5000): os.mkdir(f'/tmp/{n}')"],
      ['links', "import os\nfor n in range(5000): os.symlink('x' * 200, f'/tmp/{n}')"],
    ])('ends a job that makes too many %s', async (_, code) => {
      const { exit } = await python(code, { files: 200 });
      expect(exit.limitHit).toBe('disk');
    });

    it('counts the length of sparse files, which use no space until they are copied', async () => {
      const code = "for n in range(20): open(f'outputs/{n}', 'wb').truncate(5 << 20)";
      const { exit } = await python(code, { diskBytes: 8 * MIB });
      expect([exit.exitCode, exit.limitHit]).toEqual([0, 'disk']);
    });

    it('cuts an endless log and ends the job', async () => {
      const lengths: number[] = [];
      const job = await shelf.stage('python3', "while True: print('y' * 99)");
      const { exit } = await shelf.run(sandbox, job, { logBytes: 50_000 }, { onLog: (_, text) => lengths.push(text.length + 1) });
      expect(exit.limitHit).toBe('log');
      expect(lengths.reduce((a, b) => a + b, 0)).toBe(50_000);
    });

    it('cuts an endless line, and what standard error adds', async () => {
      let length = 0;
      const job = await shelf.stage('python3', "import sys\nwhile True: sys.stdout.write('y' * 999); sys.stderr.write('z' * 999)");
      const { exit } = await shelf.run(sandbox, job, { logBytes: 200_000 }, { onLog: (_, text) => (length += text.length) });
      expect([exit.limitHit, length]).toEqual(['log', 200_000]);
    });

    it('leaves no core file and no open end', async () => {
      const { exit, folder } = await python('import os; os.abort()', {});
      expect([exit.exitSignal, exit.exitCode, exit.limitHit]).toEqual(['SIGABRT', null, undefined]);
      expect(await readdir(join(folder, 'outputs'))).toEqual([]);
    });
  });
}
