import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagsOf, loadCommands, readSurface } from '../../../scripts/cli-surface.mjs';
import { cliDocs, docsFile, surfaceFile } from '../../../scripts/docs-cli.mjs';

describe('the surface of the command line', () => {
  const read = readSurface();

  it('is the one that was frozen: no command, flag, alias or key of --json vanishes by accident', { timeout: 120_000 }, async () => {
    expect(await read, 'if users may see the difference: node scripts/docs-cli.mjs --accept-surface').toEqual(
      JSON.parse(readFileSync(surfaceFile, 'utf8')),
    );
  });

  it('is what docs/CLI.md says', { timeout: 120_000 }, async () => {
    const docs = readFileSync(docsFile, 'utf8');
    expect(docs === (await cliDocs(await read)), 'run `node scripts/docs-cli.mjs`').toBe(true);
    expect(docs).toMatch(/^# The command `dt`\n[\s\S]*Exit codes: 0 done[\s\S]*## asset[\s\S]*### `dt tracer union`/);
    expect(docs).not.toMatch(/undefined|NaN|\[object/);
  });

  it('has a variable for every flag, and the spelling with underscores', async () => {
    for (const { id, command } of await loadCommands())
      for (const [name, { env, aliases = [] }] of Object.entries(flagsOf(command))) {
        expect(name, `${id} --${name}`).toMatch(/^[a-z]+(-[a-z]+)*$/);
        const snake = name.replaceAll('-', '_');
        expect(env, `${id} --${name}`).toBe(`DT_${snake.toUpperCase()}`);
        if (snake !== name) expect(aliases, `${id} --${name}`).toContain(snake);
      }
  });

  it('has a description, and examples that name the command and only flags that it has', async () => {
    for (const { id, command } of await loadCommands()) {
      expect(command.description?.length ?? 0, id).toBeGreaterThan(20);
      expect(command.examples?.length ?? 0, id).toBeGreaterThan(0);
      const known = [...Object.keys(flagsOf(command)), 'json'];
      for (const example of command.examples as readonly string[]) {
        expect(example, id).toContain(`<%= config.bin %> ${id.replaceAll(':', ' ')}`);
        for (const [, flag] of example.matchAll(/ --([a-z-]+)/g)) expect(known, `${id}: ${example}`).toContain(flag);
      }
    }
  });

  it('takes no token in a position, and a path only where it is what the command runs', async () => {
    for (const { id, command } of await loadCommands())
      for (const [name, { ignoreStdin }] of Object.entries(command.args ?? {})) {
        expect(['job', 'detail', 'operator', 'what'], `${id} ${name}`).toContain(name);
        expect(ignoreStdin, `${id} ${name} would wait for stdin`).toBe(true);
      }
  });
});
