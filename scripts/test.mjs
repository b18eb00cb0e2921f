// `npm test`: installs, builds, checks and runs every test; arguments are file filters for vitest. Ends with the counts of all runners.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, root, run } from './install.mjs';

const filters = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
const add = (counts) => {
  for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
};
/** A check is one test: it passes or it fails. */
const check = (name, command, args) => {
  const started = performance.now();
  const status = run(command, args);
  add(status === 0 ? { passed: 1 } : { failed: 1 });
  console.log(`${status === 0 ? '✓' : '✗'} ${name} (${Math.round(performance.now() - started)} ms)`);
};

install();
install(join(root, 'tests/tools'), 'test tools (forge, hardhat)');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();

const bin = (name) => join(root, 'node_modules/.bin', name);
if (filters.length === 0) {
  check('types', bin('tsc'), ['--noEmit']);
  check('types of the page', bin('tsc'), ['-p', 'web']);
  check('format and lint', bin('biome'), ['ci', '--error-on-warnings', '--colors=off', '.']);
  check('who imports whom', bin('depcruise'), ['src', 'web/src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err']);
  for (const [name, script] of [
    ['generated contract ABIs are current', 'contracts.mjs'],
    ['docs/ERRORS.md is current', 'docs-errors.mjs'],
    ['docs/CLI.md is current', 'docs-cli.mjs'],
    ['WebAssembly kernels are current', 'kernels.mjs'],
  ])
    if (existsSync(join(root, 'scripts', script))) check(name, process.execPath, [join(root, 'scripts', script), '--check']);
  runForge();
}

const folder = mkdtempSync(join(tmpdir(), 'dt-test-'));
const counts = join(folder, 'counts.json');
const status = run(bin('vitest'), ['run', ...filters], { env: { ...process.env, DT_TEST_COUNTS: counts } });
if (existsSync(counts)) add(JSON.parse(readFileSync(counts, 'utf8')));
else add({ failed: 1 });
if (status !== 0 && total.failed === 0) total.failed = 1;
rmSync(folder, { recursive: true, force: true });

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

/** The Solidity tests and the gas snapshot; forge prints its own counts, which are added. */
function runForge() {
  const script = join(root, 'tests/tools/forge-test.mjs');
  if (!existsSync(script)) return;
  const forge = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  process.stdout.write(forge.stdout);
  process.stderr.write(forge.stderr);
  const suites = [...forge.stdout.matchAll(/(\d+) tests? passed, (\d+) failed, (\d+) skipped/g)];
  for (const [, passed, failed, skipped] of suites) add({ passed: Number(passed), failed: Number(failed), skipped: Number(skipped) });
  if (suites.length === 0 || (forge.status !== 0 && suites.every(([, , failed]) => failed === '0'))) add({ failed: 1 });
}
