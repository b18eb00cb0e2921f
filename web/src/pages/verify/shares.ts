/** A file that was dropped or chosen, with its path from the folder on. */
export interface GivenFile {
  readonly path: string;
  readonly file: Pick<File, 'size' | 'arrayBuffer'>;
}

/** As POST /v1/verify takes it. */
export interface Share {
  readonly source: string;
  readonly file?: string;
  readonly documents?: Readonly<Record<string, string>>;
  readonly folder?: {
    readonly kind: 'job' | 'outputs';
    readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
    readonly others: readonly string[];
  };
}

export interface Reading {
  readonly shares: readonly Share[];
  /** Folders of downloads for a whole job: every party has to be among them. */
  readonly isWholeJob: boolean;
}

/** Why files cannot be read here, as a key of the page's text. */
export class ReadingProblem extends Error {
  constructor(readonly reason: 'none' | 'large' | 'insecure' | 'unreadable') {
    super(reason);
  }
}

const names = ['receipt', 'request', 'spec', 'decision', 'anchor', 'opening'];
const documents = names.map((name) => `${name}.json`);
const folders = ['operator', 'released', 'logs'];
const SUFFIX = '.evidence';
/** Documents go to the daemon, so they are bounded; of everything else only the digest goes, which takes its bytes into memory once. */
const LIMITS = { document: 300_000, file: 1_000_000_000 } as const;

/**
 * Reads what was dropped: single receipts and evidence files, job folders, folders of downloads with their `.evidence` beside. The files of a
 * folder stay here, only their digests go to the daemon. @throws ReadingProblem
 */
export async function readShares(given: readonly GivenFile[]): Promise<Reading> {
  const loose = given.filter(({ path }) => !path.includes('/'));
  const inFolders = given.filter(({ path }) => path.includes('/'));
  const roots = shareRoots(inFolders.map(({ path }) => path));
  const shares = [...(await looseShares(loose)), ...(await Promise.all(roots.map((root) => folderShare(root, inFolders))))];
  if (shares.length === 0) throw new ReadingProblem('none');
  return { shares, isWholeJob: loose.length === 0 && roots.length > 0 && roots.every((root) => root.endsWith(SUFFIX)) };
}

/** The folders that hold one party's evidence, none within another. */
export function shareRoots(paths: readonly string[]): readonly string[] {
  const inside = new Map<string, Set<string>>();
  for (const path of paths) {
    const parts = path.split('/');
    for (let i = 1; i < parts.length; i += 1) {
      const folder = parts.slice(0, i).join('/');
      inside.set(folder, (inside.get(folder) ?? new Set()).add(parts[i] ?? ''));
    }
  }
  const isShare = (folder: string, within: ReadonlySet<string>): boolean =>
    folder.endsWith(SUFFIX) || documents.some((name) => within.has(name)) || folders.every((name) => within.has(name));
  const found = [...inside].filter(([folder, within]) => isShare(folder, within)).map(([folder]) => folder);
  return found.filter((folder) => !found.some((other) => folder.startsWith(`${other}/`))).sort();
}

/** Several documents of one party, or each file by itself. */
async function looseShares(files: readonly GivenFile[]): Promise<readonly Share[]> {
  const own = files.filter(({ path }) => documents.includes(path));
  if (own.length > 1) return [{ source: own.map(({ path }) => path).join(', '), documents: await documentsOf('', own) }];
  return Promise.all(files.map(async (each) => ({ source: each.path, file: base64(await bytesOf(each, LIMITS.document)) })));
}

async function folderShare(root: string, all: readonly GivenFile[]): Promise<Share> {
  const below = (folder: string): readonly GivenFile[] => all.filter(({ path }) => path.startsWith(`${folder}/`));
  const isDownload = root.endsWith(SUFFIX);
  const outputs = isDownload ? root.slice(0, -SUFFIX.length) : root;
  const own = below(root);
  const strangers = isDownload ? own.map(({ path }) => path.slice(root.length + 1)).filter((name) => !documents.includes(name)) : [];
  const files = [];
  for (const each of below(outputs)) files.push({ name: each.path.slice(outputs.length + 1), ...(await digestOf(each)) });
  const last = root.split('/').at(-1) ?? root;
  const kind = isDownload ? 'outputs' : 'job';
  return {
    source: root,
    documents: await documentsOf(`${root}/`, own),
    folder: { kind, files, others: strangers.map((name) => `${last}/${name}`) },
  };
}

async function documentsOf(prefix: string, files: readonly GivenFile[]): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const file = files.find(({ path }) => path === `${prefix}${name}.json`);
    if (file !== undefined) found[name] = base64(await bytesOf(file, LIMITS.document));
  }
  return found;
}

async function digestOf(given: GivenFile): Promise<{ sizeBytes: number; sha256: string }> {
  const bytes = await bytesOf(given, LIMITS.file);
  // Browsers hash for pages of https and of this machine alone.
  if (globalThis.crypto?.subtle === undefined) throw new ReadingProblem('insecure');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return { sizeBytes: bytes.byteLength, sha256: `0x${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}` };
}

async function bytesOf({ file }: GivenFile, limit: number): Promise<ArrayBuffer> {
  if (file.size > limit) throw new ReadingProblem('large');
  return file.arrayBuffer().catch(() => {
    throw new ReadingProblem('unreadable');
  });
}

function base64(bytes: ArrayBuffer): string {
  let text = '';
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text);
}
