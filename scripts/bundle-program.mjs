// Starting is what every command pays. All of dt becomes one script: nothing is looked up on disk, V8 reads its code cache instead of compiling,
// and a module is evaluated when the first run needs it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

/** `commands` are paths like src/commands/job/exec.ts. */
export async function bundleProgram(esbuild, { root, target, commands }) {
  const file = join(target, 'program.cjs');
  await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: entry(commands), resolveDir: root },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: file,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    // What the loader evaluates is a function, of one byte a character. A script has neither import() nor import.meta of its own.
    banner: { js: '(function(exports,require,importModule,importMetaUrl){' },
    footer: { js: '})' },
    charset: 'ascii',
    define: {
      'import.meta.url': 'importMetaUrl',
      // oclif looks for its package.json to check the Node version, and it is not there; package.json "engines" says the same to npm.
      'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"',
    },
    // Servers are loaded from node_modules as they are: they are started once, and native or generated code does not bundle.
    external: [
      '@foundry-rs/*',
      'pg',
      'pg-native',
      'express',
      'express-openapi-validator',
      'pino',
      'prom-client',
      'helmet',
      'kysely',
      'ws',
      'typescript',
    ],
    plugins: [requireLate, nearNativeCode],
  });
  writeFileSync(file, withLateBuiltins(withImportModule(readFileSync(file, 'latin1'))), 'latin1');
  copyFileSync(join(root, 'scripts/program-loader.cjs'), join(target, 'program-loader.cjs'));
}

/** What is imported by a URL that only the run knows; esbuild has put all else into the bundle. */
function withImportModule(program) {
  const replaced = program.replaceAll(/\bawait import\(/g, 'await importModule(');
  // Methods may have that name, and texts.
  const left = /(?<![\w$.]|\basync )import\((?!\)).{0,80}/.exec(replaced);
  if (left !== null) throw new Error(`write \`await import(\` here, which works in the built program: ${left[0]}`);
  return replaced;
}

/** Parts of Node are loaded where the first use of them is: TLS and cryptography take longer than many a command. */
function withLateBuiltins(program) {
  const late = new Map();
  for (const [, name, wrapped, module] of program.matchAll(/\b(import_\w+)=(__toESM\()?require\("([^"]+)"\)/g)) {
    const bare = program.match(new RegExp(`\\b${name}\\b(?![.=])`, 'g')) ?? [];
    // One of them is its declaration; with more it is handed on as a whole.
    if (isBuiltin(module) && bare.length === 1) late.set(name, { module, isWrapped: wrapped !== undefined });
  }
  return program.replaceAll(
    /\b(import_\w+)(=__toESM\(require\("[^"]+"\),1\)|=require\("[^"]+"\)|\.default\b|(?=\.))/g,
    (text, name, rest) => {
      const found = late.get(name);
      if (found === undefined) return text;
      if (rest.startsWith('=')) return `${name}=void 0`;
      return `(${name}??=require("${found.module}"))${found.isWrapped ? '' : rest}`;
    },
  );
}

/** oclif asks COMMANDS for the one that runs; the manifest knows the rest. */
function entry(commands) {
  const idOf = (file) => file.replace(/^src\/commands\/(.*)\.ts$/, '$1').replaceAll('/', ':');
  const getters = commands.map((file) => `get '${idOf(file)}'() { return require('./${file}').default; },`);
  return `exports.runCli = (root) => require('./src/cli.ts').runCli(root);\nexports.COMMANDS = {\n${getters.join('\n')}\n};`;
}

/** Imports at the head of oclif's files become requires where they are used: globbing, templates, spinners are for few runs. */
const requireLate = {
  name: 'require-late',
  setup(build) {
    // Only tells Windows from WSL in the version line, at the price of two more module loads in every run.
    build.onResolve({ filter: /^wsl-utils$/ }, () => ({ path: 'wsl-utils', namespace: 'small' }));
    // The one prompt that nothing here shows, with half a megabyte of character sets.
    build.onResolve({ filter: /^@inquirer\/editor$/ }, () => ({ path: 'editor', namespace: 'small' }));
    const small = {
      'wsl-utils': "exports.isWsl = process.env.WSL_DISTRO_NAME !== undefined; exports.powerShellPath = async () => 'powershell.exe';",
      editor: 'exports.default = undefined;',
    };
    build.onLoad({ filter: /.*/, namespace: 'small' }, ({ path }) => ({ contents: small[path] }));
    // Its own loads all of Node's cryptography to look whether it has this.
    build.onLoad({ filter: /@noble\/hashes\/esm\/cryptoNode\.js$/ }, () => ({
      contents: 'export const crypto = { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) };',
    }));
    build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      contents = contents
        .replaceAll("await import('wsl-utils')", "require('wsl-utils')")
        .replaceAll('await import(', 'await importModule(');
      // The commands are sorted for a list that few runs show, and the tables of a language take longer to load than all else of this.
      contents = contents.replaceAll('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)');
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

/** SQLite looks for its native code from its own file on. To resolve a package by its exports takes longer than to load that. */
const nearNativeCode = {
  name: 'near-native-code',
  setup(build) {
    build.onLoad({ filter: /@photostructure\/sqlite\/dist\/index\.mjs$/ }, async ({ path }) => {
      const own = "map((folder) => path.join(folder, '@photostructure/sqlite/dist/index.mjs')).find(require('node:fs').existsSync)";
      const contents = await readFile(path, 'utf8');
      return { contents: contents.replace('fileURLToPath(import.meta.url)', `require.resolve.paths('@photostructure/sqlite').${own}`) };
    });
  },
};

/** Runs the built program once, so that the cache holds what runs use. After the manifest is written. */
export function writeCodeCache(dist) {
  const home = mkdtempSync(join(tmpdir(), 'dt-build-'));
  const warm = spawnSync(process.execPath, [fileURLToPath(import.meta.url), dist, home], { stdio: ['ignore', 'ignore', 'pipe'] });
  rmSync(home, { recursive: true, force: true });
  if (warm.status !== 0) throw new Error(`the code cache could not be written: ${warm.stderr}`);
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
  process.on('exit', () => {
    writeFileSync(join(dist, 'program.cache'), scripts[0].createCachedData());
    process.exitCode = 0; // the last run fails: there is no chain
  });
  const { runCli } = createRequire(import.meta.url)(join(dist, 'program-loader.cjs'));
  const runs = [
    '--version',
    '--help',
    'job exec --help',
    `key list --home ${home}`,
    `job list --home ${home}`,
    `tracer dfs --prefix-path 1 --home ${home}`,
  ];
  for (const words of runs.map((run) => run.split(' '))) {
    process.argv.splice(2, Infinity, ...words);
    await runCli(join(dist, '..'));
  }
}
