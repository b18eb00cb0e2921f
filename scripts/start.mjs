// `npm start`: from a bare clone to the main job on real daemons and an embedded chain.
import { install, root, run } from './install.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(`dt needs Node 20.20 or newer; this is ${process.version}.`);
  process.exit(1);
}
install();
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
process.exit(run(process.execPath, [`${root}/bin/run.js`, 'demo', ...process.argv.slice(2)]));
