import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stagePrivacyPackage } from '../../../src/operator-kit/stage-privacy-package.js';
import { type Input, type OperatorRun, samples } from './run-operator.js';

export interface JointParty {
  readonly name?: string;
  /** Own inputs by number: file name below inputs/, and what is in it. */
  readonly inputs: Readonly<Record<string, { readonly file: string; readonly data: Input }>>;
  /** Its own reading of the arguments, for parties that differ. */
  readonly args?: unknown;
}

export interface JointRun extends OperatorRun {
  readonly peakMiB: number;
  readonly wallMs: number;
}

const address = (i: number): string => `0x${String(i + 1).padStart(40, '0')}`;

/**
 * Runs a joint operator with one process for each seat, as the daemons do, but with each two of them joined by a Unix socket directly.
 * Seats are 0, 1, 2 … in the order of `parties`.
 */
export async function runJoint(
  file: string,
  args: unknown,
  parties: readonly JointParty[],
  session = 'ab'.repeat(32),
): Promise<readonly JointRun[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-joint-'));
  try {
    const seats = parties.map(({ name, inputs }, i) => ({
      seat: String(i),
      organization: address(i),
      name: name ?? `party ${i}`,
      inputs: Object.keys(inputs),
    }));
    const ends = await linkAll(folder, parties.length);
    return await Promise.all(
      parties.map(async (party, i) => {
        const job = join(folder, String(i));
        const peers = seats.filter(({ seat }) => seat !== String(i)).map(({ seat }) => seat);
        const inputs = Object.fromEntries(Object.entries(party.inputs).map(([number, input]) => [number, `inputs/${input.file}`]));
        for (const part of ['inputs', 'outputs', 'operator']) await mkdir(join(job, part), { recursive: true });
        await copyFile(join(samples, 'op', file), join(job, 'operator', 'operator.mjs'));
        await stagePrivacyPackage(join(job, 'operator'));
        await writeFile(join(job, 'args.json'), JSON.stringify(party.args ?? args));
        await writeFile(join(job, 'joint.json'), JSON.stringify({ session, seat: String(i), seats, inputs, peers }));
        for (const input of Object.values(party.inputs)) {
          const target = join(job, 'inputs', input.file);
          if (typeof input.data === 'object' && 'path' in input.data) await symlink(input.data.path, target);
          else await writeFile(target, input.data);
        }
        return runParty(job, ends[i] ?? []);
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runParty(folder: string, sockets: readonly Socket[]): Promise<JointRun> {
  const start = performance.now();
  // Written by the process itself when it ends: the peak is not to be had from outside.
  const probe = `import { appendFileSync } from 'node:fs'; process.on('exit', () => appendFileSync('peak', String(process.resourceUsage().maxRSS)));`;
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(probe)}`, 'operator/operator.mjs', '--config', 'args.json'],
    {
      cwd: folder,
      env: { DT_CHANNELS: sockets.map((_, i) => 3 + i).join(',') },
      stdio: ['ignore', 'pipe', 'pipe', ...sockets],
    },
  );
  for (const socket of sockets) socket.destroy();
  const texts = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    texts.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text;
  });
  const exit = await new Promise<number | null>((done, fail) => {
    child.on('error', fail).on('close', done);
  });
  const found = await readdir(join(folder, 'outputs'), { recursive: true, withFileTypes: true });
  const names = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative(join(folder, 'outputs'), entry.parentPath), entry.name));
  const outputs = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, 'outputs', name), 'utf8')] as const)),
  );
  const peakMiB = Number(await readFile(join(folder, 'peak'), 'utf8').catch(() => '0')) / 1024;
  const complaint = texts.stderr.trimEnd().split('\n')[0] ?? '';
  return { exit, ...texts, complaint, outputs, peakMiB, wallMs: performance.now() - start };
}

/** For each party the sockets to the others, in the order of their seats. */
async function linkAll(folder: string, count: number): Promise<Socket[][]> {
  const ends: Socket[][] = Array.from({ length: count }, () => []);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const [one, two] = await socketPair(join(folder, `${a}-${b}`));
      (ends[a] as Socket[])[b - 1] = one;
      (ends[b] as Socket[])[a] = two;
    }
  }
  return ends;
}

function socketPair(path: string): Promise<[Socket, Socket]> {
  return new Promise((resolve, reject) => {
    let dialled: Socket | undefined;
    const server = createServer({ pauseOnConnect: true }, (accepted) => {
      server.close();
      if (dialled !== undefined) resolve([dialled, accepted]);
    });
    server.on('error', reject).listen(path, () => {
      dialled = connect(path);
      dialled.on('error', reject);
    });
  });
}
