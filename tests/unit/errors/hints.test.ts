import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flagsOf, loadCommands } from '../../../scripts/cli-surface.mjs';
import { type ErrorEntry, errorTable } from '../../../src/errors/codes.js';
import { revertTable } from '../../../src/ledger/evm/revert-advice.js';
import { configKeys } from '../../../src/tracer-daemon/config/config-schema.js';
import { findCommandLines, root } from './thrown-errors.js';

const hints: readonly (readonly [string, string])[] = [
  ...Object.entries<ErrorEntry>(errorTable).map(([code, { hint }]) => [code, hint] as const),
  ...Object.entries(revertTable).map(([name, { advice }]) => [name, advice] as const),
];

const commands = new Map((await loadCommands()).map(({ id, command }) => [id.replaceAll(':', ' '), Object.keys(flagsOf(command))]));
const anyFlag = new Set([...commands.values()].flat());

/** What is wrong with `dt asset grant --dt x --cdt y`: an unknown command, or a flag that it has not. */
function faultsOf(line: string): readonly string[] {
  const words = line.split(/\s+/).slice(1);
  const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((candidate) => commands.has(candidate));
  if (name === undefined) return [`${line}: there is no such command`];
  const known = [...(commands.get(name) ?? []), 'json', 'help'];
  return [...line.matchAll(/ --([a-z][\w-]*)/g)]
    .filter(([, flag]) => !known.includes(flag ?? ''))
    .map(([, flag]) => `${line}: no --${flag}`);
}

describe('what an error tells to do', () => {
  it('names commands that exist, with flags that they have', () => {
    const lines = hints.flatMap(([code, hint]) => [...hint.matchAll(/`(dt [^`]*)`/g)].map(([, line]) => [code, line ?? ''] as const));
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.flatMap(([code, line]) => faultsOf(line).map((fault) => `${code}: ${fault}`))).toEqual([]);
  });

  it('names only flags that some command has, and commands between backticks', () => {
    for (const [code, hint] of hints) {
      for (const [, flag] of hint.matchAll(/--([a-z][\w-]*)/g)) expect(anyFlag, `${code}: --${flag}`).toContain(flag);
      expect(hint.replace(/`[^`]*`/g, ''), code).not.toMatch(/\bdt [a-z]/);
    }
  });

  it('names keys of the configuration that exist, and pages that exist', () => {
    const keys = configKeys().map(({ key }) => key);
    for (const [code, hint] of hints) {
      for (const [, key] of hint.matchAll(/`([a-z]+\.[a-zA-Z.]+)`/g)) expect(keys, code).toContain(key);
      for (const [page] of hint.matchAll(/docs\/[\w-]+\.md/g)) expect(existsSync(join(root, page)), `${code}: ${page}`).toBe(true);
    }
  });
});

describe('the commands that the program names anywhere', () => {
  it('exist, with flags that they have', () => {
    const lines = findCommandLines();
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.flatMap(([where, line]) => faultsOf(line).map((fault) => `${where}: ${fault}`))).toEqual([]);
  });
});
