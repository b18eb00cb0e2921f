// Copied to dist/: loads the program from one file together with the machine code that V8 kept of it at build time. Where that cache is missing
// or was made by another version of Node, V8 compiles as usual.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const filename = join(__dirname, 'program.cjs');
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, 'program.cache'));
} catch {}
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
script.runInThisContext()(exports, require, (url) => import(url), pathToFileURL(filename).href);
