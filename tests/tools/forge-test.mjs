#!/usr/bin/env node
// The gas snapshot, the format of the contracts, then the Solidity tests, whose summary with its counts comes last and is
// the only one. Ends with 0 only when all pass. `--update` writes the snapshot instead of comparing it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('forge.mjs', import.meta.url));

/** What passes is quiet. */
function check(advice, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  if (status === 0) return true;
  process.stderr.write(stdout + stderr);
  console.error(advice);
  return false;
}

// Each call is in a transaction of its own, so that nothing is warm by accident.
const snapshot = ['snapshot', '--isolate', '--match-contract', 'GasTest', process.argv.includes('--update') ? '--snap' : '--check', '.gas-snapshot'];
const gas = check('Gas differs from .gas-snapshot; if that is meant: node tests/tools/forge-test.mjs --update', ...snapshot);
const format = check('Format it: node tests/tools/forge.mjs fmt contracts tests/contracts', 'fmt', '--check', 'contracts', 'tests/contracts');
const { status } = spawnSync(process.execPath, [script, 'test'], { stdio: 'inherit' });
process.exit(gas && format && status === 0 ? 0 : 1);
