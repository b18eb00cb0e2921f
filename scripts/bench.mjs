// `npm run bench -- NAME [--json]`: installs and builds when needed, then runs bench/main.ts. Stdout is the bench's alone.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = (args, stdout) => spawnSync(process.execPath, args, { cwd: root, stdio: ['inherit', stdout, 'inherit'] }).status ?? 1;

// Both may speak, to stderr here: stdout has to be one JSON object with --json.
const prepare = "await (await import('./scripts/install.mjs')).install(); await (await import('./scripts/build.mjs')).buildIfStale();";
const prepared = node(['--input-type=module', '-e', prepare], 2);
process.exit(prepared || node(['--import', 'tsx', join(root, 'bench/main.ts'), ...process.argv.slice(2)], 'inherit'));
