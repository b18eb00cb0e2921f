import { execFile } from 'node:child_process';
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { BindMount } from './job-tree.js';
import { FIRST_CHANNEL } from './launch-job.js';
import { firstExecutable } from './machine-tools.js';
import type { Runtime, SandboxLimits } from './sandbox.js';

/** An interpreter of this machine and what of the machine it needs to see. Inside it lies at the same path, so that it finds itself. */
export interface InstalledRuntime {
  readonly runtime: Runtime;
  readonly path: string;
  readonly version: string;
  readonly binds: readonly BindMount[];
}

export type RuntimePaths = Partial<Readonly<Record<Runtime, string>>>;

const run = promisify(execFile);
const ASK_TIMEOUT_MS = 20_000;

/**
 * @param configured path of the interpreter, also of a virtual environment; undefined: the usual places
 * @param visible what every job sees anyway
 * @throws Error with the reason, for people
 */
export async function findRuntime(
  runtime: Runtime,
  configured: string | undefined,
  visible: readonly BindMount[],
): Promise<InstalledRuntime> {
  const found = runtime === 'node' ? await findNode(configured ?? process.execPath) : await findPython(configured);
  return { ...found, binds: withoutCovered(found.binds, visible) };
}

export function interpreterArguments(runtime: Runtime, limits: SandboxLimits): readonly string[] {
  if (runtime === 'python3') return [];
  // V8 sizes its heap by the memory of the machine; without this it would grow into the limit instead of collecting garbage. A little
  // more than the limit, so that going over it is seen as that and not as a crash of V8.
  return [`--max-old-space-size=${Math.ceil((limits.memoryBytes / (1 << 20)) * 1.25)}`];
}

/** The whole environment of a job. */
export function jobEnvironment(runtime: Runtime, temporary: string, channels: number, sockets: number): Readonly<Record<string, string>> {
  const numbers = (from: number, count: number): string => Array.from({ length: count }, (_, index) => String(from + index)).join(',');
  return {
    HOME: temporary,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ...(runtime === 'python3' && { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', PYTHONNOUSERSITE: '1' }),
    // Descriptors to the daemon, and to the other parties of a joint computation.
    ...(channels > 0 && { DT_CHANNELS: numbers(FIRST_CHANNEL, channels) }),
    ...(sockets > 0 && { DT_SOCKETS: numbers(FIRST_CHANNEL + channels, sockets) }),
  };
}

async function findNode(asked: string): Promise<InstalledRuntime> {
  const path = await realpath(asked);
  const { stdout } = await run(path, ['--version'], { env: {}, timeout: ASK_TIMEOUT_MS });
  const binds = [bind(path, 'file')];
  // Debian's own nodejs keeps parts of its standard library here.
  if (await isFolder('/usr/share/nodejs')) binds.push(bind('/usr/share/nodejs', 'folder'));
  return { runtime: 'node', path, version: stdout.trim().replace(/^v/, ''), binds };
}

const QUESTION = `import json, os, sys
print(json.dumps([os.path.realpath(sys.executable), sys.prefix, sys.base_prefix, sys.path, sys.version.split()[0]]))`;

/** A shim, as pyenv installs it, is a script that needs the home folder of its user: the interpreter that it starts is what is wanted. */
async function findPython(configured: string | undefined): Promise<InstalledRuntime> {
  const folders = ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'))];
  const asked = configured ?? (await firstExecutable(folders.map((folder) => join(folder, 'python3'))));
  if (asked === undefined) throw new Error('python3 is in none of the usual folders');
  const { HOME = '', PATH = '', PYENV_ROOT = '' } = process.env;
  const env = { HOME, PATH, ...(PYENV_ROOT !== '' && { PYENV_ROOT }) };
  const { stdout } = await run(asked, ['-I', '-c', QUESTION], { env, timeout: ASK_TIMEOUT_MS });
  const [executable, prefix, basePrefix, searched, version] = parseAnswer(stdout);
  const path = await realpath(executable);
  const folderNames = prefix === basePrefix ? [...searched] : [...searched, prefix];
  if (basePrefix !== '/usr') folderNames.push(join(basePrefix, 'lib'), join(basePrefix, 'lib64'));
  const start = prefix === basePrefix ? path : join(prefix, 'bin', 'python3');
  const binds: BindMount[] = [];
  for (const folder of folderNames) if (await isFolder(folder)) binds.push(bind(folder, 'folder'));
  for (const name of await namesOnTheWay(start)) {
    if (!name.startsWith(`${prefix}/`) || name === path) binds.push({ ...bind(name, 'file'), source: path });
  }
  return { runtime: 'python3', path: start, version, binds };
}

function parseAnswer(text: string): readonly [string, string, string, readonly string[], string] {
  const answer: unknown = JSON.parse(text);
  if (Array.isArray(answer) && answer.length === 5) {
    const [executable, prefix, basePrefix, searched, version]: readonly unknown[] = answer;
    const strings = [executable, prefix, basePrefix, version].filter((value): value is string => typeof value === 'string');
    const [a, b, c, d] = strings;
    if (a !== undefined && b !== undefined && c !== undefined && d !== undefined && Array.isArray(searched)) {
      return [a, b, c, searched.filter((entry): entry is string => typeof entry === 'string' && entry.startsWith('/')), d];
    }
  }
  throw new Error('python3 gave an answer that is not understood');
}

/** The interpreter of a virtual environment is a link to a link to a program: every name of it has to be there. */
async function namesOnTheWay(path: string): Promise<readonly string[]> {
  const names = [path];
  for (let current = path; names.length < 20; names.push(current)) {
    if (!(await lstat(current)).isSymbolicLink()) break;
    current = resolve(dirname(current), await readlink(current));
  }
  return names;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const bind = (path: string, kind: 'file' | 'folder'): BindMount => ({ source: path, target: path, kind, executable: true });

/** A folder inside of another one that is shown anyway would be mounted over itself. */
function withoutCovered(binds: readonly BindMount[], visible: readonly BindMount[]): readonly BindMount[] {
  const covers = (outer: BindMount, inner: BindMount): boolean => outer.kind === 'folder' && inner.target.startsWith(`${outer.target}/`);
  const unique = binds.filter((one, index) => binds.findIndex((other) => other.target === one.target) === index);
  return unique.filter(
    (one) => ![...visible, ...unique].some((other) => covers(other, one) || (visible.includes(other) && other.target === one.target)),
  );
}
