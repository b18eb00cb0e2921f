#!/usr/bin/env node
// CommonJS, by the package.json beside it: Node need not set up its loader of ES modules.
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const built = join(root, 'dist', 'program-loader.cjs');
if (existsSync(built)) require(built).runCli(root);
else {
  process.stderr.write('dt is not built yet. Run `npm ci && npm run build` in its folder, or `npm start` for the demo.\n');
  process.exitCode = 1;
}
