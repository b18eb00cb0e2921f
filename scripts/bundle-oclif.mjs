// oclif is most of what starting dt costs. It becomes one script, loaded with V8's code cache, and what a run does not use is not evaluated.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

/** Replaces `@oclif/core` in the commands by what package.json calls #oclif: dist/oclif-loader.cjs. */
export const useBundledOclif = {
  name: 'use-bundled-oclif',
  setup(build) {
    build.onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: 'oclif', namespace: 'bundled' }));
    build.onResolve({ filter: /^#oclif$/ }, () => ({ path: '#oclif', external: true }));
    build.onLoad({ filter: /.*/, namespace: 'bundled' }, () => ({ contents: "module.exports = require('#oclif');" }));
  },
};

/** Imports at the head of a file become requires where they are used: globbing, templates, spinners are for few runs. */
const requireLate = {
  name: 'require-late',
  setup(build) {
    // Only tells Windows from WSL in the version line, at the price of two more module loads in every run.
    build.onResolve({ filter: /^wsl-utils$/ }, () => ({ path: 'wsl-utils', namespace: 'small' }));
    build.onLoad({ filter: /.*/, namespace: 'small' }, () => ({
      contents: "exports.isWsl = process.env.WSL_DISTRO_NAME !== undefined; exports.powerShellPath = async () => 'powershell.exe';",
    }));
    build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      contents = contents
        .replaceAll("await import('wsl-utils')", "require('wsl-utils')")
        .replaceAll('await import(', 'await importModule(');
      // Small files that every run needs: a thread for each takes longer than reading them.
      contents = contents.replaceAll('(0, promises_1.readFile)(', '(0, node_fs_1.readFileSync)(');
      const heads = contents.matchAll(/^const (\w+_1) = (__importDefault\()?(require\("[^."][^"]*"\))\)?;\n/gm);
      for (const [line, name, wrapped, required] of heads) {
        const late = wrapped === undefined ? `(${required})` : `(__importDefault(${required}))`;
        contents = contents.replace(line, '').replaceAll(new RegExp(`\\b${name}\\b`, 'g'), late);
      }
      return { contents };
    });
  },
};

export async function bundleOclif(esbuild, root, dist) {
  await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: "module.exports = require('@oclif/core');", resolveDir: root },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: join(dist, 'oclif.cjs'),
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    // What the loader evaluates is a function, of one byte a character; scripts have no import() of their own.
    banner: { js: '(function(exports,require,module,importModule){' },
    footer: { js: '})' },
    charset: 'ascii',
    // Its check of the Node version looks for oclif's package.json, which is not there; package.json "engines" says the same to npm.
    define: { 'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"' },
    external: ['typescript'],
    plugins: [requireLate],
  });
  copyFileSync(join(root, 'scripts/oclif-loader.cjs'), join(dist, 'oclif-loader.cjs'));
}

/** Runs the built program once, so that the cache holds what runs use. After the manifest is written. */
export function writeCodeCache(dist) {
  const home = mkdtempSync(join(tmpdir(), 'dt-build-'));
  const warm = spawnSync(process.execPath, [fileURLToPath(import.meta.url), dist, home], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(home, { recursive: true, force: true });
  if (warm.status !== 0) throw new Error('the code cache of oclif could not be written');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dist, home] = process.argv.slice(2);
  const scripts = [];
  vm.Script = class extends vm.Script {
    constructor(...parameters) {
      super(...parameters);
      scripts.push(this);
    }
  };
  process.on('exit', () => writeFileSync(join(dist, 'oclif.cache'), scripts[0].createCachedData()));
  const { runCli } = await import(join(dist, 'cli.js'));
  for (const words of [['--version'], ['--help'], ['job', 'exec', '--help'], ['key', 'list', '--home', home]]) {
    process.argv.splice(2, Infinity, ...words);
    await runCli(join(dist, '../bin/run.js'));
  }
}
