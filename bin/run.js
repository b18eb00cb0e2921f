#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(built)) {
  process.stderr.write('dt is not built yet. Run `npm ci && npm run build` in its folder, or `npm start` for the demo.\n');
  process.exit(1);
}
const { runCli } = await import(built.href);
await runCli(fileURLToPath(import.meta.url));
