// Installs what package-lock.json names, unless it is there already.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** True when the folder's node_modules were installed from its present lock file. */
function installed(folder) {
  const stamp = join(folder, 'node_modules', '.installed-lock');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(join(folder, 'package-lock.json'), 'utf8');
}

export function install(folder = root, label = 'packages') {
  if (installed(folder)) return;
  console.log(`Installing ${label} …`);
  const started = performance.now();
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (npm.status !== 0) throw new Error(`npm ci failed in ${folder}; is the npm registry reachable?`);
  writeFileSync(join(folder, 'node_modules', '.installed-lock'), readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  console.log(`Installed in ${Math.round((performance.now() - started) / 1000)} s`);
}

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  return result.status ?? 1;
}
