import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';

export interface AnvilBinary {
  readonly path: string;
  /** As in the journal's header: block hashes are only promised to be equal for one version. */
  readonly version: string;
}

/**
 * The native program inside the platform package that npm chose. The launcher script of @foundry-rs/anvil would cost a second
 * Node process, and its signals would not reach the program when that process is killed.
 * @throws DT_CHAIN_ENGINE_FAILED when there is none for this machine
 */
export function findAnvilBinary(): AnvilBinary {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${arch}`;
  // npm may nest the platform package below its parent, so look from there as well.
  const here = createRequire(import.meta.url);
  for (const from of [() => here, () => createRequire(here.resolve('@foundry-rs/anvil/package.json'))]) {
    try {
      const manifest = from().resolve(`${name}/package.json`);
      const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
      const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
      return { path: join(dirname(manifest), 'bin', 'anvil'), version };
    } catch {
      // not there: try the next place
    }
  }
  throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `the package ${name} is not installed; install without --omit=optional` });
}
