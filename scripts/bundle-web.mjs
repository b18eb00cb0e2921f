// The daemon's page: static files whose names carry the hash of their content, and index.html, which names them.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export async function bundleWeb(esbuild, { root, target }) {
  const folder = join(target, 'web');
  mkdirSync(folder, { recursive: true });
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { main: 'web/src/main.tsx' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: folder,
    metafile: true,
    logLevel: 'warning',
  });
  const built = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === 'web/src/main.tsx');
  const chunks = built[1].imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path));
  const icon = readFileSync(join(root, 'web/icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  writeFileSync(join(folder, iconName), icon);
  // The sidebar shows it, too, by its plain name.
  writeFileSync(join(folder, 'icon.svg'), icon);
  const names = { 'main.js': basename(built[0]), 'main.css': basename(built[1].cssBundle), 'icon.svg': iconName };
  const page = readFileSync(join(root, 'web/index.html'), 'utf8');
  const filled = Object.entries(names).reduce((text, [name, file]) => text.replace(`./${name}`, `./${file}`), page);
  const preload = chunks.map((file) => `    <link rel="modulepreload" href="./${file}">\n`).join('');
  writeFileSync(join(folder, 'index.html'), filled.replace('  </head>', `${preload}  </head>`));
}
