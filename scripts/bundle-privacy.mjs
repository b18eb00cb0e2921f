// The package `compute-to-data/privacy`: what joint operators import. One file, since it is copied into every job folder; its types are
// beside it for authors.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const entry = 'src/operator-kit/privacy.ts';

export async function bundlePrivacy(esbuild, { root, target }) {
  const folder = join(target, 'privacy');
  mkdirSync(folder, { recursive: true });
  const types = writeTypes(root, folder);
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    write: false,
    // Names stay: a stack in the log of a job must be readable.
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Nothing but Node itself is there when it runs; the curves are copied in.
    plugins: [{ name: 'no-packages', setup: (build) => build.onResolve({ filter: /^[^./]/ }, refusePackage) }],
  });
  writeFileSync(join(folder, 'privacy.js'), outputFiles[0].contents);
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const exports = { './privacy': { types: './privacy.d.ts', default: './privacy.js' } };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name, version, license, type: 'module', exports }, null, 2)}\n`);
  await types;
}

function refusePackage({ path, importer, kind }) {
  if (kind === 'entry-point' || path.startsWith('node:') || path.startsWith('@noble/')) return undefined;
  throw new Error(`${importer} imports ${path}, which joint operators do not have`);
}

/** Declarations only: `npm test` is where types are checked. */
async function writeTypes(root, folder) {
  const tsc = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc');
  const output = ['--declaration', '--emitDeclarationOnly', '--noCheck', '--rootDir', 'src', '--outDir', join(folder, 'types')];
  const source = ['--target', 'es2022', '--module', 'nodenext', '--strict', '--skipLibCheck', '--types', 'node', entry];
  await promisify(execFile)(process.execPath, [tsc, ...output, ...source], { cwd: root });
  writeFileSync(join(folder, 'privacy.d.ts'), "export * from './types/operator-kit/privacy.js';\n");
}
