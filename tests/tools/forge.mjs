#!/usr/bin/env node
// Runs forge in the root of the repository. The launcher of @foundry-rs/forge 1.7.1 ends with 0 also when tests have failed,
// so the native program is started directly and its exit code passed on.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const arch = process.arch === 'x64' ? 'amd64' : process.arch;
const binary = fileURLToPath(new URL(`node_modules/@foundry-rs/forge-${process.platform}-${arch}/bin/forge`, import.meta.url));
if (!existsSync(binary)) {
  console.error('forge is not installed: run npm ci --prefix tests/tools');
  process.exit(2);
}
const { status } = spawnSync(binary, process.argv.slice(2), { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit' });
process.exit(status ?? 1);
