// Builds dist/: the program as one script, the package for joint operators, the daemon's page, and the manifest that lets oclif start without evaluating all commands.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundlePrivacy } from './bundle-privacy.mjs';
import { bundleProgram, writeCodeCache } from './bundle-program.mjs';
import { bundleWeb } from './bundle-web.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const next = join(root, 'node_modules', '.dist-next');

export async function sourceHash() {
  const hash = createHash('sha256');
  const scripts = [
    'scripts/build.mjs',
    'scripts/bundle-privacy.mjs',
    'scripts/bundle-program.mjs',
    'scripts/bundle-web.mjs',
    'scripts/program-loader.cjs',
  ];
  for (const name of [...(await listFiles('src')), ...(await listFiles('web')), 'package.json', 'package-lock.json', ...scripts].sort()) {
    hash.update(`${name}\0`);
    hash.update(await readFile(join(root, name)));
  }
  return hash.digest('hex');
}

async function listFiles(folder) {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

/** One build at a time in this folder; whoever waited finds it done. */
export async function buildIfStale() {
  const lock = join(root, 'node_modules', '.build-lock');
  for (let waited = 0; await isStale(); waited += 1) {
    try {
      mkdirSync(lock);
    } catch {
      // A lock that outlived two minutes is of a build that was killed.
      if (waited > 1200) rmSync(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    try {
      if (await isStale()) return await build();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return undefined;
}

/** What is there stays usable until the new is complete. */
export async function build() {
  // Before anything is read: what changes during the build is not in it.
  const hash = await sourceHash();
  const esbuild = await import('esbuild');
  const files = await listFiles('src');
  const commands = files.filter((file) => file.startsWith('src/commands/') && file.endsWith('.ts'));
  await rm(next, { recursive: true, force: true });
  const started = performance.now();
  const to = { root, target: next };
  await Promise.all([bundleProgram(esbuild, { ...to, commands }), bundlePrivacy(esbuild, to), bundleWeb(esbuild, to)]);
  replaceFolder(dist, next);
  await writeManifest();
  writeCodeCache(dist);
  writeFileSync(join(dist, '.source-hash'), hash);
  return { commands: commands.length, ms: Math.round(performance.now() - started) };
}

function replaceFolder(folder, by) {
  const old = `${by}-old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(by, folder);
  rmSync(old, { recursive: true, force: true });
}

/** What `oclif manifest` does, through oclif's own plugin loader. */
async function writeManifest() {
  const { Plugin } = await import('@oclif/core');
  const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true });
  await plugin.load();
  writeFileSync(`${next}.json`, `${JSON.stringify(plugin.manifest)}\n`);
  renameSync(`${next}.json`, join(root, 'oclif.manifest.json'));
}

export async function isStale() {
  const stamp = join(dist, '.source-hash');
  return !existsSync(stamp) || !existsSync(join(root, 'oclif.manifest.json')) || readFileSync(stamp, 'utf8') !== (await sourceHash());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const built = process.argv.includes('--if-stale') ? await buildIfStale() : await build();
  if (built) console.log(`built ${built.commands} commands in ${built.ms} ms`);
}
