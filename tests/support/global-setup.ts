import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests of the program run what was built, so it is built when sources changed. */
export default function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const built = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('dt could not be built');
}
