#!/usr/bin/env node
// CommonJS, by the package.json beside it: Node need not set up its loader of ES modules.
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const built = join(root, 'dist', 'program-loader.cjs');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(`dt needs Node 20.20 or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
} else if (existsSync(built)) require(built).runCli(root);
else {
  process.stderr.write('dt is not built yet. Run `npm ci && npm run build` in its folder, or `npm start` for the demo.\n');
  process.exitCode = 1;
}
