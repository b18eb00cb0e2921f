import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox } from '../../../src/sandbox/create-sandbox.js';
import { collectOutputs } from '../../../src/sandbox/outputs.js';
import { probeSandbox } from '../../../src/sandbox/probe-sandbox.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { isolatingLevels, JobShelf, processesWith, roomyLimits, untilGone } from './support/sandbox-jobs.js';
import { messagesOf, startStandIn } from './support/stand-in-process.js';

const probe = await probeSandbox();
const shelf = new JobShelf();
afterAll(() => shelf.clear());

/** A grandchild in a session of its own that ignores SIGTERM, next to a child that does too. */
const stubborn = `import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)
print('running', flush=True)
`;

for (const { level, available } of isolatingLevels(probe)) {
  describe.skipIf(!available)(`level ${level}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({ level, probe, graceMs: 400 });
    });

    it.each([
      [
        'python3',
        'import json, sys; print(sys.argv[1:], json.load(open(sys.argv[2])), open("inputs/a").read()); open("outputs/r", "w").write("7")',
      ],
      [
        'node',
        `import { readFileSync, writeFileSync } from 'node:fs'; const [, , flag, path] = process.argv;
console.log([flag, path], JSON.parse(readFileSync(path, 'utf8')), readFileSync('inputs/a', 'utf8')); writeFileSync('outputs/r', '7')`,
      ],
    ] as const)('runs an operator of %s in its folder, and its outputs come out', async (runtime, code) => {
      const job = await shelf.stage(runtime, code, { a: 'rows' });
      const { exit, stdout, stderr } = await shelf.run(sandbox, job);
      expect(stdout.replaceAll(' ', '')).toMatch(/^\['--config','args\.json'\]\{'?greeting'?:'hello'\}rows\n$/);
      expect([stderr, exit.exitCode, exit.exitSignal, exit.limitHit, exit.aborted]).toEqual(['', 0, null, undefined, false]);
      expect(exit.report).toMatchObject({ level, limits: roomyLimits });
      const [output] = await collectOutputs(job.folder);
      expect(output).toEqual({ name: 'r', sizeBytes: 1, sha256: '0x7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451' });
      expect(await readFile(join(job.folder, 'outputs', 'r'), 'utf8')).toBe('7');
      expect(await readdir(join(job.folder, 'logs'))).toEqual(['earlier.log']);
    });

    it('lets ordinary programs of Python work', async () => {
      const code = `import concurrent.futures, hashlib, multiprocessing, os, shutil, socket, sqlite3, ssl, subprocess, tempfile, threading, zoneinfo
def square(n): return n * n
if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool: print(pool.map(square, [1, 2, 3]))
    with concurrent.futures.ThreadPoolExecutor(4) as pool: print(list(pool.map(square, [4, 5])))
    print(subprocess.run(['/bin/sh', '-c', 'echo from a shell'], capture_output=True, text=True).stdout.strip())
    db = sqlite3.connect('/tmp/x.db'); db.execute('create table t (n)'); db.execute('insert into t values (7)'); db.commit()
    print(db.execute('select n from t').fetchall())
    a, b = socket.socketpair(); a.send(b'pair'); print(b.recv(9))
    with tempfile.NamedTemporaryFile() as f: f.write(b'x'); f.flush(); shutil.copy(f.name, 'outputs/copy')
    print(zoneinfo.ZoneInfo('Europe/Zurich').key, hashlib.sha256(b'').hexdigest()[:4], os.path.expanduser('~'), os.cpu_count() > 0)`;
      const { stdout, stderr, exit } = await shelf.runCode(sandbox, 'python3', code);
      const expected = ['[1, 4, 9]', '[16, 25]', 'from a shell', '[(7,)]', "b'pair'", 'Europe/Zurich e3b0 /tmp True', ''];
      expect([stderr, exit.exitCode, stdout]).toEqual(['', 0, expected.join('\n')]);
    });

    it('lets ordinary programs of Node work', async () => {
      const code = `import { Worker } from 'node:worker_threads'; import { spawnSync, fork } from 'node:child_process'; import fs from 'node:fs';
import { gzipSync, gunzipSync } from 'node:zlib'; import { randomBytes, scryptSync, generateKeyPairSync } from 'node:crypto'; import os from 'node:os';
const worker = new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
console.log(await new Promise((resolve) => worker.on('message', resolve)));
console.log(spawnSync('/bin/sh', ['-c', 'echo from a shell']).stdout.toString().trim());
fs.writeFileSync('/tmp/child.mjs', 'process.send("child")');
console.log(await new Promise((resolve) => fork('/tmp/child.mjs').on('message', resolve)));
fs.writeFileSync('/tmp/a', 'x'); fs.copyFileSync('/tmp/a', 'outputs/a'); await fs.promises.rename('outputs/a', 'outputs/b');
console.log(gunzipSync(gzipSync('zip')).toString(), randomBytes(4).length, scryptSync('a', 'b', 8).length, generateKeyPairSync('ed25519').publicKey.type);
console.log(new WebAssembly.Memory({ initial: 10, maximum: 1000 }).buffer.byteLength, new Date(0).toLocaleString('de-CH', { timeZone: 'Europe/Zurich' }));
console.log(os.userInfo().username, os.hostname(), os.availableParallelism() > 0);`;
      const { stdout, stderr, exit } = await shelf.runCode(sandbox, 'node', code);
      const expected = ['42', 'from a shell', 'child', 'zip 4 8 public', '655360 1.1.1970, 01:00:00', 'job job true', ''];
      expect([stderr, exit.exitCode, stdout]).toEqual(['', 0, expected.join('\n')]);
    });

    it.each([
      ['raise SystemExit(3)', 3, null],
      ['raise ValueError("no")', 1, null],
      ['import os; os._exit(128)', 128, null],
      ['import os; os.kill(os.getpid(), 11)', null, 'SIGSEGV'],
      ['import os; os.kill(os.getpid(), 9)', null, 'SIGKILL'],
    ])('reports how %s ends', async (code, exitCode, exitSignal) => {
      const { exit } = await shelf.runCode(sandbox, 'python3', code);
      expect([exit.exitCode, exit.exitSignal, exit.limitHit, exit.aborted]).toEqual([exitCode, exitSignal, undefined, false]);
    });

    it('hands on each line as it comes', async () => {
      const lines: string[] = [];
      const abort = new AbortController();
      const job = await shelf.stage('python3', "import sys, time; print('first'); sys.stderr.write('second'); time.sleep(600)");
      const { exit } = await shelf.run(
        sandbox,
        job,
        {},
        {
          signal: abort.signal,
          onLog: (stream, text) => {
            lines.push(`${stream} ${text}`);
            if (text === 'first') abort.abort();
          },
        },
      );
      expect(exit.aborted).toBe(true);
      expect(lines[0]).toBe('stdout first');
    });

    it('asks with SIGTERM first, and a job that listens ends itself', async () => {
      const code = `import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print('tidied', flush=True), sys.exit(7)))
print('running', flush=True)
while True: time.sleep(0.05)`;
      const abort = new AbortController();
      const onLog = (_: string, text: string): void => void (text === 'running' && abort.abort());
      const { exit, stdout } = await shelf.run(sandbox, await shelf.stage('python3', code), {}, { signal: abort.signal, onLog });
      expect([stdout, exit.exitCode, exit.aborted, exit.limitHit]).toEqual(['running\ntidied\n', 7, true, undefined]);
    });

    it('kills what ignores SIGTERM, with all that it started', async () => {
      const job = await shelf.stage('python3', `${stubborn}\ntime.sleep(600)`);
      const abort = new AbortController();
      const { exit } = await shelf.run(sandbox, job, {}, { signal: abort.signal, onLog: () => abort.abort() });
      expect([exit.aborted, exit.exitSignal]).toEqual([true, 'SIGKILL']);
      expect(await processesWith(job.operatorFile)).toEqual([]);
    });

    it('leaves no daemon of an operator behind that has ended', async () => {
      const job = await shelf.stage('python3', stubborn);
      const { exit } = await shelf.run(sandbox, job);
      expect(exit.exitCode).toBe(0);
      expect(await processesWith(job.operatorFile)).toEqual([]);
    });

    it('does not start what was aborted before', async () => {
      const job = await shelf.stage('python3', "open('outputs/x', 'w')");
      const { exit } = await shelf.run(sandbox, job, {}, { signal: AbortSignal.abort() });
      expect(exit.aborted).toBe(true);
      expect(await readdir(join(job.folder, 'outputs'))).toEqual([]);
    });

    it('gives no grace where the reason leaves none', async () => {
      const patient = await createSandbox({ level, probe, graceMs: 3_600_000 });
      const job = await shelf.stage('python3', `${stubborn}\ntime.sleep(600)`);
      const lost = new Error('what it was allowed by is lost');
      const controller = new AbortController();
      const { exit } = await shelf.run(
        patient,
        job,
        {},
        { signal: controller.signal, endsAtOnce: (reason) => reason === lost, onLog: () => controller.abort(lost) },
      );
      expect(exit).toMatchObject({ aborted: true, exitSignal: 'SIGKILL' });
    });

    it('ends all runs on stop and takes no more', async () => {
      const stopping = await createSandbox({ level, probe, graceMs: 200 });
      const jobs = await Promise.all([1, 2, 3].map(() => shelf.stage('python3', `${stubborn}\ntime.sleep(600)`)));
      let running = 0;
      const { promise: allRunning, resolve } = deferred();
      const runs = jobs.map((job) =>
        shelf.run(
          stopping,
          job,
          {},
          {
            onLog: () => {
              running += 1;
              if (running === jobs.length) resolve();
            },
          },
        ),
      );
      await allRunning;
      await stopping.stop();
      for (const job of jobs) expect(await processesWith(job.operatorFile)).toEqual([]);
      for (const { exit } of await Promise.all(runs)) expect(exit.aborted).toBe(true);
      await expect(shelf.runCode(stopping, 'python3', '')).rejects.toMatchObject({ code: 'DT_SANDBOX_UNAVAILABLE' });
    });

    it('leaves no process behind when the daemon is killed with SIGKILL', async () => {
      const job = await shelf.stage('python3', `${stubborn}\ntime.sleep(600)`);
      const standIn = startStandIn({ level, run: { ...job, limits: roomyLimits } });
      const messages = messagesOf(standIn);
      for await (const message of messages) if (message['text'] === 'running') break;
      expect((await processesWith(job.operatorFile)).length).toBeGreaterThan(1);
      standIn.kill('SIGKILL');
      await once(standIn, 'exit');
      expect(await untilGone(job.operatorFile)).toEqual([]);
      await probeSandbox(); // removes the control groups that the killed one could not
    });

    it('runs many at once, each in its own world', async () => {
      const code = `import os, time
open('/tmp/mine', 'x').write('x'); open('outputs/mine', 'x').write(str(os.getpid())); time.sleep(0.2); print(sorted(os.listdir('/tmp')))`;
      const runs = await Promise.all(Array.from({ length: 6 }, () => shelf.runCode(sandbox, 'python3', code)));
      expect(runs.map(({ exit, stdout }) => [exit.exitCode, stdout])).toEqual(runs.map(() => [0, "['mine']\n"]));
    });

    it('passes channels on as the descriptors that it names, and nothing else', async () => {
      const code = `import os
a, b = map(int, os.environ['DT_CHANNELS'].split(','))
os.write(b, os.read(a, 100).upper())
print(a, b, [n for n in range(300) if os.path.exists(f'/proc/self/fd/{n}') and not (n > 5 and os.readlink(f'/proc/self/fd/{n}') == '/dev/null')])`;
      const answers: Promise<string>[] = [];
      const onChannels = (streams: readonly Duplex[]): void => {
        streams[0]?.write('question');
        answers.push(...streams.map((stream) => text(stream)));
      };
      const { stdout } = await shelf.run(sandbox, await shelf.stage('python3', code), {}, { channels: 2, onChannels });
      expect(stdout).toBe('4 5 [0, 1, 2, 4, 5]\n');
      expect(await Promise.all(answers)).toEqual(['', 'QUESTION']);
    });

    it('gives a job no descriptor of the daemon, and none that the daemon inherited', async () => {
      const code = `import os
for n in range(3, 300):
    if os.path.exists(f'/proc/self/fd/{n}') and os.readlink(f'/proc/self/fd/{n}') != '/dev/null': print(n, os.readlink(f'/proc/self/fd/{n}'))
print('seen')`;
      const job = await shelf.stage('python3', code);
      // A shell that leaves descriptor 9 open, as service managers and terminals do.
      const leaky = ['/bin/sh', '-c', 'exec 9</etc/hostname; exec "$@"', 'leaky'];
      const said: unknown[] = [];
      for await (const message of messagesOf(startStandIn({ level, run: { ...job, limits: roomyLimits } }, leaky)))
        said.push(message['text']);
      expect(said.filter((text) => typeof text === 'string')).toEqual(['seen']);
    });

    it('refuses a folder that is not what it should be', async () => {
      const refuse = async (change: (folder: string, file: string) => Promise<unknown>): Promise<void> => {
        const job = await shelf.stage('python3', 'print(1)');
        await change(job.folder, job.operatorFile);
        await expect(shelf.run(sandbox, job)).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      };
      await refuse((folder) => rm(join(folder, 'inputs'), { recursive: true }));
      await refuse((folder) => writeFile(join(folder, 'outputs', 'old'), ''));
      await refuse((folder, file) => rm(join(folder, 'operator', file)));
      const job = await shelf.stage('python3', 'print(1)');
      for (const operatorFile of ['../args.json', '/etc/passwd', '-c', '.', `x\0${randomUUID()}`]) {
        await expect(shelf.run(sandbox, { ...job, operatorFile })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      }
      await expect(shelf.run(sandbox, job, { memoryBytes: 0 })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
      await expect(shelf.run(sandbox, { ...job, folder: 'relative' })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
    });

    it('carries a failure of the log out of the run, and ends the job', async () => {
      const job = await shelf.stage('python3', `${stubborn}\ntime.sleep(600)`);
      const failing = shelf.run(
        sandbox,
        job,
        {},
        {
          onLog: () => {
            throw new Error('the disk of the log is full');
          },
        },
      );
      await expect(failing).rejects.toThrow('the disk of the log is full');
      expect(await processesWith(job.operatorFile)).toEqual([]);
    });
  });
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
