// Copied to dist/: loads oclif from one file together with the machine code that V8 kept of it at build time. Where that cache is missing or
// was made by another version of Node, V8 compiles as usual.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, 'oclif.cjs');
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, 'oclif.cache'));
} catch {}
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
script.runInThisContext()(exports, require, module, (url) => import(url));
