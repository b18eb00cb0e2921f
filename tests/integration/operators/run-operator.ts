import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const samples = resolve(import.meta.dirname, '../../../samples');
const shared = resolve(import.meta.dirname, '../../../../shared');

/** A file of the shared data, or undefined where that folder is absent. Say so in the name of the test that is skipped. */
export function sharedFile(path: string): string | undefined {
  const file = join(shared, path);
  return existsSync(file) ? file : undefined;
}

export const python: string | undefined =
  spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout?.trim() || undefined;

export interface OperatorRun {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stderr, which is what a user is shown. */
  readonly complaint: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Text of an input, or where it lies already. */
export type Input = string | Uint8Array | { readonly path: string };

/** Runs an operator as the daemon does: in a job folder of its own, in a child process, without an environment. */
export async function runOperator(
  file: string,
  args: unknown,
  inputs: Readonly<Record<string, Input>>,
  interpreterArgs: readonly string[] = [],
): Promise<OperatorRun> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-operator-'));
  try {
    for (const part of ['inputs', 'outputs', 'operator']) await mkdir(join(folder, part));
    const operator = file.endsWith('.py') ? 'operator/main.py' : 'operator/operator.mjs';
    await copyFile(join(samples, 'op', file), join(folder, operator));
    await writeFile(join(folder, 'args.json'), typeof args === 'string' ? args : JSON.stringify(args));
    for (const [name, input] of Object.entries(inputs)) {
      const target = join(folder, 'inputs', name);
      if (typeof input === 'object' && 'path' in input) await symlink(input.path, target);
      else await writeFile(target, input);
    }
    const interpreter = file.endsWith('.py') ? (python ?? 'python3') : process.execPath;
    const child = spawn(interpreter, [...interpreterArgs, operator, '--config', 'args.json'], {
      cwd: folder,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      texts.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      texts.stderr += text;
    });
    const exit = await new Promise<number | null>((done, fail) => {
      child.on('error', fail).on('close', done);
    });
    const names = await readdir(join(folder, 'outputs'));
    const outputs = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(join(folder, 'outputs', name), 'utf8')] as const)),
    );
    return { exit, ...texts, complaint: texts.stderr.trimEnd().split('\n').at(-1) ?? '', outputs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
