import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Shape } from '../../../scripts/cli-surface.mjs';
import { surfaceFile } from '../../../scripts/docs-cli.mjs';
import { serializeAddressBook } from '../../../src/ledger/evm/address-book.js';
import type { World } from '../../support/world.js';

const program = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));
const surface = JSON.parse(readFileSync(surfaceFile, 'utf8')) as Readonly<Record<string, { readonly json: Shape }>>;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout and stderr together hold this. */
  until(pattern: RegExp): Promise<void>;
}

export interface DtOptions {
  readonly home: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Starts the program that users start. Nothing of this process' environment reaches it but PATH. */
export function startDt(argv: readonly string[], options: DtOptions): Started {
  const child = spawn(process.execPath, [program, ...argv], {
    cwd: options.cwd ?? options.home,
    env: { PATH: process.env['PATH'], HOME: options.home, DT_HOME: options.home, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const hear = (): void => {
    for (const look of waiting) look();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    hear();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
    hear();
  });
  child.stdin.end(options.input ?? '');
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(stdout + stderr)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(`it ended before it said ${pattern}:\n${stdout}${stderr}`)));
      look();
    });
  return { child, ended, until };
}

export const runDt = (argv: readonly string[], options: DtOptions): Promise<Ended> => startDt(argv, options).ended;

/** The same with --json: the exit code and the object, which must have the frozen shape unless it is an error. */
export async function jsonDt(argv: readonly string[], options: DtOptions, code = 0): Promise<Readonly<Record<string, unknown>>> {
  const ended = await runDt([...argv, '--json'], options);
  expect(ended.code, ended.stdout + ended.stderr).toBe(code);
  const result = JSON.parse(ended.stdout) as Readonly<Record<string, unknown>>;
  const words = argv.slice(0, 2).join(':');
  if (Object.keys(result).join() !== 'error') expectShape(surface[words]?.json ?? 'no such command', result, words);
  return result;
}

/** Fails where JSON has a key that its shape lacks, lacks one that it has, or holds something else. */
export function expectShape(shape: Shape, value: unknown, at: string): void {
  if (shape === 'any' || shape === 'json' || shape === 'the same again') return;
  if (typeof shape === 'string') {
    if (!shape.includes(' | ')) expect(value === null ? 'null' : typeof value, at).toBe(shape);
    return;
  }
  if (isList(shape)) {
    expect(Array.isArray(value), `${at} is a list`).toBe(true);
    for (const [i, item] of (value as readonly unknown[]).entries()) expectShape(shape[0] ?? 'any', item, `${at}[${i}]`);
    return;
  }
  const found = value as Readonly<Record<string, unknown>>;
  const known = Object.keys(shape);
  for (const key of Object.keys(found))
    expect(known.includes(key) || known.includes(`${key}?`) || known.includes('*'), `${at} knows ${key}`).toBe(true);
  for (const [key, inner] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    if (key === '*' || (name !== key && found[name] === undefined)) continue;
    expect(Object.hasOwn(found, name), `${at} has ${name}`).toBe(true);
    expectShape(inner, found[name], `${at}.${name}`);
  }
}

const isList = (shape: Shape): shape is readonly Shape[] => Array.isArray(shape);

/** A home folder that knows the chain of a world, as `dt chain start` would leave it. */
export async function homeIn(world: World, name: string): Promise<string> {
  const home = join(world.folder, `home-${name}`);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'address-book.json'), serializeAddressBook(world.addressBook));
  await writeFile(join(home, 'settings.json'), JSON.stringify({ rpcUrl: world.chain.url }));
  return home;
}
