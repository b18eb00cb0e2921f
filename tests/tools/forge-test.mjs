#!/usr/bin/env node
// The gas snapshot, the format, then the Solidity tests. Prints the summary of forge with its counts; ends with 0 only when all pass.
// `--update` writes the snapshot instead of comparing it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('forge.mjs', import.meta.url));
const forge = (...args) => spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' }).status ?? 1;
// Gas is measured with each call in a transaction of its own, so that nothing is warm by accident.
const snapshot = process.argv.includes('--update') ? '--snap' : '--check';
const gas = forge('snapshot', '--isolate', '--match-contract', 'GasTest', snapshot, '.gas-snapshot');
const format = forge('fmt', '--check', 'contracts', 'tests/contracts');
const tests = forge('test', '--no-match-contract', 'GasTest');
if (gas !== 0) console.error('Gas differs from .gas-snapshot; if that is meant: node tests/tools/forge-test.mjs --update');
if (format !== 0) console.error('Format it: node tests/tools/forge.mjs fmt contracts tests/contracts');
process.exit(tests === 0 && gas === 0 && format === 0 ? 0 : 1);
