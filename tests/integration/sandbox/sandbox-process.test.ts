import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { collectOutputs } from '../../../src/sandbox/outputs.js';
import { probeSandbox } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { JobShelf, processesWith } from './support/sandbox-jobs.js';

const MIB = 1 << 20;
const probe = await probeSandbox();
const shelf = new JobShelf();
afterAll(() => shelf.clear());
if (!probe.levels.process.available) console.warn('\n!!! NOT TESTED: sandbox level process\n');

/** It isolates nothing, and says so; what it does promise is tested here. */
describe.skipIf(!probe.levels.process.available)('level process', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox({ level: 'process', probe, graceMs: 300 });
  });

  it('claims no layer of isolation', async () => {
    const { exit } = await shelf.runCode(sandbox, 'python3', 'print(1)');
    expect(exit.report.level).toBe('process');
    const claimed = ['filesystem', 'network', 'pid', 'ipc', 'user', 'capabilities', 'seccomp', 'disk-tmpfs'];
    expect(exit.report.layers.filter((layer) => claimed.includes(layer))).toEqual([]);
    expect(exit.report.layers).toEqual(
      expect.arrayContaining(['environment', 'descriptors', 'no-new-privileges', 'rlimits', 'disk-watchdog']),
    );
  });

  it('runs an operator in its folder with a clean environment', async () => {
    process.env['DT_TEST_SECRET'] = 'secret';
    const code = "import os; open('outputs/x', 'w').write('1'); open(os.environ['TMPDIR'] + '/y', 'w'); print(sorted(os.environ))";
    const { exit, stdout, folder } = await shelf.runCode(sandbox, 'python3', code);
    delete process.env['DT_TEST_SECRET'];
    expect(exit.exitCode).toBe(0);
    expect(stdout).not.toContain('DT_TEST_SECRET');
    expect(await collectOutputs(folder)).toMatchObject([{ name: 'x', sizeBytes: 1 }]);
    expect(await readdir(folder)).not.toContain('scratch');
  });

  it.each([
    ['memory', 'kept = []\nwhile True: kept.append(bytearray(4 << 20))', { memoryBytes: 128 * MIB }],
    ['cpu', 'while True: pass', { cpuSeconds: 1 }],
    ['wall', 'import time; time.sleep(60)', { wallMs: 300 }],
    ['log', "while True: print('y' * 99)", { logBytes: 10_000 }],
    [
      'disk',
      "import time\nfor n in range(40): open(f'outputs/{n}', 'wb').write(b'x' * (1 << 20)); time.sleep(0.02)\ntime.sleep(60)",
      { diskBytes: 8 * MIB },
    ],
    ['disk', "import time\nfor n in range(500): open(f'outputs/{n}', 'wb')\ntime.sleep(60)", { files: 100 }],
  ] as const)('ends a job at its limit of %s', async (limit, code, limits) => {
    const { exit } = await shelf.runCode(sandbox, 'python3', code, limits);
    expect(exit.limitHit).toBe(limit);
  });

  it.skipIf(!probe.machine.cgroups.places.has('pids'))('ends a fork bomb where it has a control group', async () => {
    const job = await shelf.stage('python3', 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass');
    const { exit } = await shelf.run(sandbox, job, { processes: 30 });
    expect(exit.limitHit).toBe('processes');
    expect(await processesWith(job.operatorFile)).toEqual([]);
  });

  it('ends what an operator leaves behind in its session, and with control groups what left it', async () => {
    const leaving = probe.machine.cgroups.places.size > 0 ? 'os.setsid()' : 'pass';
    const job = await shelf.stage(
      'python3',
      `import os, time\nif os.fork() == 0:\n    ${leaving}\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\nos.wait()`,
    );
    const { exit } = await shelf.run(sandbox, job);
    expect(exit.exitCode).toBe(0);
    expect(await processesWith(job.operatorFile)).toEqual([]);
  });
});
