#!/usr/bin/env node
// The compiler of npm with the command line of the native one, as far as forge uses it. So forge needs no download.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const solc = createRequire(new URL('../../package.json', import.meta.url))('solc');
if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(/\.Emscripten.*$/, '.Linux.g++')}`);
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
  console.error('only --version and --standard-json');
  process.exitCode = 1;
}
