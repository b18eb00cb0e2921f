import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as source from '../../../src/operator-kit/privacy.js';
import { stagePrivacyPackage } from '../../../src/operator-kit/stage-privacy-package.js';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dt-kit-'));
  await stagePrivacyPackage(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a script beside the staged package prints; it sees nothing of this working copy. */
function run(script: string): string {
  writeFileSync(join(folder, 'script.mjs'), script);
  return execFileSync(process.execPath, ['script.mjs'], { cwd: folder, env: {}, encoding: 'utf8' });
}

describe('the package compute-to-data/privacy', () => {
  it('is two files, and exports what its source does', () => {
    expect(readdirSync(join(folder, 'node_modules/compute-to-data')).sort()).toEqual(['package.json', 'privacy.js']);
    const names = JSON.parse(run("console.log(JSON.stringify(Object.keys(await import('compute-to-data/privacy'))))")) as string[];
    expect(names.sort()).toEqual(Object.keys(source).sort());
    expect(names).toEqual(
      expect.arrayContaining(['runOperator', 'readTable', 'secureSum', 'fitSgdBank', 'fitSgdDealer', 'predictBank', 'ToolkitError']),
    );
  });

  it('needs Node only, and says nothing but what it exports', () => {
    const text = readFileSync(join(folder, 'node_modules/compute-to-data/privacy.js'), 'utf8');
    const imported = [...text.matchAll(/(?:from|import|require\()\s*"([^"]+)"/g)].map(([, name]) => name);
    expect(imported.length).toBeGreaterThan(2);
    for (const name of imported) expect(name).toMatch(/^node:/);
    expect(run("try { await import('compute-to-data'); } catch (error) { console.log(error.code); }").trim()).toBe(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });

  it('computes with its kernels: the WebAssembly is inside', () => {
    const script = `import { memoryChannelPair, predictBank, predictThird, systemRandom } from 'compute-to-data/privacy';
const [a, b] = memoryChannelPair(), [c, d] = memoryChannelPair(), [e, f] = memoryChannelPair();
const options = { jobDigest: 'x', scoresTo: 'dealer' };
const part = (bank, weight) => ({ owner: 'bank' + bank, intercept: 0, clip: 8, columns: [{ name: 'v', weight, mean: 0, deviation: 1 }] });
const columns = { names: ['v'], rows: 2, values: Float64Array.of(1, 2) };
const [, , scores] = await Promise.all([
  predictBank({ otherBank: a, dealer: c }, 0, options, { part: part(0, 2), model: 'm', columns }, systemRandom()),
  predictBank({ otherBank: b, dealer: e }, 1, options, { part: part(1, 3), model: 'm', columns }, systemRandom()),
  predictThird({ banks: [d, f] }, options),
]);
console.log([...scores].map((score) => score.toFixed(6)).join());`;
    expect(run(script).trim()).toBe('5.000000,10.000000');
  });

  it('loads nothing more of Node than it needs to begin: no network, no other process', () => {
    const before = "const loaded = new Set(process.moduleLoadList); await import('compute-to-data/privacy');";
    const names = JSON.parse(
      run(`${before} console.log(JSON.stringify(process.moduleLoadList.filter((name) => !loaded.has(name))));`),
    ) as string[];
    expect(names).toContain('NativeModule crypto');
    for (const module of ['http', 'https', 'http2', 'child_process', 'cluster', 'worker_threads', 'undici'])
      expect(names).not.toContain(`NativeModule ${module}`);
  });

  it('is found by an author who has installed this package, with its types', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, Record<string, string>> };
    expect(createRequire(join(root, 'package.json')).resolve('compute-to-data/privacy')).toBe(
      join(root, exports['./privacy']?.['default'] ?? ''),
    );
    const author = join(root, 'node_modules', `.author-${process.pid}.mts`);
    const check = (text: string): string => {
      writeFileSync(author, text);
      try {
        const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--skipLibCheck'];
        return spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, author], {
          cwd: root,
          encoding: 'utf8',
        }).stdout;
      } finally {
        rmSync(author, { force: true });
      }
    };
    const head = "import { type Channel, readTable, runOperator } from 'compute-to-data/privacy';\n";
    expect(
      check(
        `${head}await runOperator(async (session) => { const c: Channel = session.channel('1'); await c.send((await readTable(session.input(0))).values); });`,
      ),
    ).toContain("'Float64Array<ArrayBuffer");
    expect(
      check(
        `${head}await runOperator(async (session) => { const c: Channel = session.channel('1'); await c.send(new Uint8Array((await readTable(session.input(0))).rows)); });`,
      ),
    ).toBe('');
  }, 120_000);
});
