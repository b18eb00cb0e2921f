import { posix } from 'node:path';

/** Something of the machine that a job sees, read-only, at a place of its own root. */
export interface BindMount {
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly kind: 'folder' | 'file' | 'device';
  /** Programs and libraries; what is data cannot be started. */
  readonly executable: boolean;
}

/** Positional parameters of BUILD, in its order. */
export interface JobTree {
  readonly stage: string;
  readonly scratch: string;
  readonly folders: string;
  readonly files: string;
  readonly build: string;
  readonly enter: string;
}

export interface TreeInput {
  readonly binds: readonly BindMount[];
  readonly diskBytes: number;
  readonly files: number;
  /** Text of /proc/self/mountinfo: what is mounted below a source is mounted read-only too. */
  readonly mountinfo: string;
}

/** The only places of a job's root that can be written to, all in the scratch tmpfs. */
export const writableTargets: readonly string[] = ['/job/outputs', '/tmp', '/dev/shm'];

const PAGE = 4096;
/** Folders that BUILD makes in the scratch tmpfs, its root included: not the job's. */
const OWN_INODES = 4;

/** @throws RangeError for a path with a line break, which no line-based list can carry */
export function jobTree(input: TreeInput): JobTree {
  const stage = stageFolder(input.binds.map((bind) => bind.source));
  const inside = (target: string): string => posix.join(stage, 'root', target);
  const folders = new Set(['proc', 'sys', 'etc', 'usr/bin', 'bin', 'job', ...writableTargets.map(relative)]);
  const files: string[] = ['blank'];
  const lines: string[] = [];
  for (const bind of input.binds) {
    const target = relative(bind.target);
    if (bind.kind === 'folder') folders.add(target);
    else {
      folders.add(posix.dirname(target));
      files.push(posix.join('root', target));
    }
    lines.push(line(bind.source, inside(bind.target), options(bind)));
    if (bind.kind !== 'folder') continue;
    for (const below of mountsBelow(bind.source, input.mountinfo)) {
      lines.push(line(below, inside(posix.join(bind.target, below.slice(bind.source.length))), options(bind)));
    }
  }
  for (const target of writableTargets) {
    lines.push(line(posix.join(stage, 'scratch', posix.basename(target)), inside(target), 'bind,nosuid,nodev,noexec'));
  }
  lines.push(line(inside('usr/bin'), inside('bin'), 'rbind,ro,nosuid,nodev,noexec'));
  const scratch = writableTargets.map((target) => posix.join('scratch', posix.basename(target)));
  return {
    stage,
    scratch: `mode=0755,size=${Math.ceil(input.diskBytes / PAGE) * PAGE},nr_inodes=${input.files + OWN_INODES},nosuid,nodev,noexec`,
    folders: list(['new', 'void', ...scratch, ...[...folders].map((folder) => posix.join('root', folder))]),
    files: list(files),
    build: lines.join(''),
    enter: [
      line(posix.join(stage, 'root'), posix.join(stage, 'new'), 'rbind,ro,nosuid,nodev,noexec'),
      `dt-proc ${escaped(posix.join(stage, 'new', 'proc'))} proc nosuid,nodev,noexec,subset=pid 0 0\n`,
    ].join(''),
  };
}

const options = ({ kind, executable }: BindMount): string => {
  if (kind === 'device') return 'bind,ro,nosuid,noexec';
  return `${kind === 'folder' ? 'rbind' : 'bind'},ro,nosuid,nodev${executable ? '' : ',noexec'}`;
};

const relative = (target: string): string => target.slice(1);

/** fstab(5): white space, backslash and # are written as octal escapes. */
const line = (source: string, target: string, flags: string): string => `${escaped(source)} ${escaped(target)} none ${flags} 0 0\n`;
const escaped = (path: string): string =>
  path.replace(/[\s\\#"']/g, (character) => [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''));

function list(entries: readonly string[]): string {
  const broken = entries.find((entry) => entry.includes('\n'));
  if (broken !== undefined) throw new RangeError(`A path with a line break cannot be shown to a job: ${JSON.stringify(broken)}`);
  return entries.join('\n');
}

/** BUILD hides what lies at the stage, so nothing that it needs may lie there; the folder itself is not changed, the mount is private. */
function stageFolder(sources: readonly string[]): string {
  const candidates = ['/mnt', '/media', '/srv', '/opt', '/home', '/var/tmp'];
  const free = candidates.find((folder) => !sources.some((source) => source === folder || source.startsWith(`${folder}/`)));
  if (free === undefined) throw new RangeError(`No folder to build the root of the job on: ${candidates.join(', ')} are all in use`);
  return free;
}

export function mountsBelow(source: string, mountinfo: string): readonly string[] {
  const found = mountinfo
    .split('\n')
    .map((row) => row.split(' ')[4])
    .filter((field): field is string => field !== undefined)
    .map(unescaped)
    .filter((target) => target.startsWith(`${source}/`));
  return [...new Set(found)].sort((a, b) => a.length - b.length);
}

/** /proc/…/mountinfo writes space, tab, line break and backslash as octal escapes. */
export const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
