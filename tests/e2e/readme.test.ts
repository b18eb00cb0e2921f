import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashBlocks, fences, freePort, type Program, processesOf, startProgram, steady, Terminal } from './readme-terminals.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = (name: string): Promise<string> => readFile(join(root, name), 'utf8');

describe('the tutorial of README.md, typed as it stands', () => {
  let folder: string;
  let project: string;
  let terminal: Terminal;
  const programs: Program[] = [];
  /** What each block of commands wrote, by the commands. */
  const transcript: { readonly code: string; readonly shown: string | undefined; readonly output: string }[] = [];
  const outputOf = (part: string): string => {
    const found = transcript.find(({ code }) => code.includes(part));
    if (found === undefined) throw new Error(`no block has ${part}`);
    return found.output;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-readme-'));
    project = join(folder, 'project');
    await cp(join(root, 'samples'), join(project, 'samples'), { recursive: true });
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'bin', 'dt'), `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/run.js' "$@"\n`);
    await chmod(join(folder, 'bin', 'dt'), 0o755);
    const ports = { '8545': await freePort(), '8090': await freePort(), '8091': await freePort(), '8092': await freePort() };
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: folder,
      // Stands for the default of `dt chain start`; where the page names a port, that is replaced.
      DT_PORT: String(ports['8545']),
    };
    const withPorts = (code: string): string =>
      Object.entries(ports).reduce((text, [port, free]) => text.replace(new RegExp(`\\b${port}\\b`, 'g'), String(free)), code);
    // The algorithm names the daemons of the tutorial.
    const algorithm = join(project, 'samples', 'ddo', 'joint', 'algorithm_attr.json');
    await writeFile(algorithm, withPorts(await readFile(algorithm, 'utf8')));
    terminal = new Terminal(folder, env, project);
    for (const { terminal: number, code, shown } of bashBlocks(await page('README.md'))) {
      if (number === 1) {
        transcript.push({ code, shown, output: await terminal.type(withPorts(code)) });
      } else {
        const program = startProgram(withPorts(code), /Stop it with ctrl-c|^Daemon of 0x/m, env, project);
        programs.push(program);
        await program.ready;
        transcript.push({ code, shown, output: program.said() });
      }
    }
  }, 360_000);

  afterAll(async () => {
    await terminal?.close();
    for (const program of programs.reverse()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('opens five terminals', () => {
    expect(new Set(transcript.map(({ code }) => /^# terminal (\d)/.exec(code)?.[1]).filter(Boolean))).toEqual(
      new Set(['1', '2', '3', '4', '5']),
    );
  });

  it('registers, publishes and mints', () => {
    expect(outputOf('dt system org').match(/Organization registered/g)).toHaveLength(3);
    expect(outputOf('dt system op --attr-file samples')).toMatch(/scorecard published, version 1[\s\S]*profile published, version 1/);
    expect(outputOf('dt asset dt --attr-file samples').match(/held by the daemon at http/g)).toHaveLength(2);
  });

  it('refuses what goes beyond the constraints, names every clause, and mints nothing', () => {
    const refused = outputOf('dt asset check --attr-file .dt/greedy.json');
    expect(refused).toMatch(/✗ match \S+ \/services\/0\/descriptor\/constraint\/privacy\/min_group /);
    expect(refused).toMatch(/✗ match \S+ \/services\/0\/descriptor\/constraint\/split\/test_fraction /);
    expect(refused).toMatch(/denied: 2 of \d+ conditions are not met\nexit code 5\n/);
    const minted = outputOf('dt asset cdt --attr-file .dt/greedy.json');
    expect(minted).toMatch(/DT_POLICY_DENIED[\s\S]*exit code 5\n/);
    expect(minted).not.toMatch(/✓ Mint|composed/);
    expect(outputOf('dt tracer stats')).toMatch(/tokens +2 leaves, 1 composite /);
  });

  it('runs the job at both banks and downloads their outputs', async () => {
    expect(outputOf('dt job status 1').match(/succeeded/g)?.length).toBeGreaterThanOrEqual(4);
    const results = join(project, '.dt', 'results');
    const scorecard = await readFile(join(results, 'bank-a-card-customers-and-their-defaults', 'scorecard.json'), 'utf8');
    expect(JSON.parse(scorecard)).toHaveProperty('coefficients');
    const profile = await readFile(join(results, 'bank-b-income-and-deposits', 'profile.json'), 'utf8');
    expect(JSON.parse(profile)).toHaveProperty('columns');
    expect(outputOf('dt job logs 1')).toContain('Bank A │ fitted on 7000 rows');
  });

  it('shows the regulator the reports of both banks, and the state of the grant', () => {
    const before = outputOf('dt tracer stats');
    expect(before).toMatch(/\[granted\]\n[\s\S]*✓ Bank A {2}succeeded .*receipt 0x/);
    expect(before).toMatch(/✓ Bank B {2}succeeded .*receipt 0x/);
    expect(before).toMatch(/shares reported: 2 succeeded/);
    expect(outputOf('dt asset revoke')).toMatch(/\[revoked\]/);
  });

  it('lets the regulator verify the receipts by its own key', () => {
    expect(outputOf('dt tracer receipts')).toMatch(/Bank A +bank A: card customers and their defaults +succeeded/);
    expect(outputOf('dt tracer verify 1')).toMatch(/^job 1 {2}\d+ checks passed, \d+ not made$/m);
  });

  it('trains one model over both banks, whose parts stay apart', async () => {
    const joint = join(project, '.dt', 'joint');
    const metrics = JSON.parse(await readFile(join(joint, 'bank-a-card-behaviour', 'metrics.json'), 'utf8'));
    expect(metrics).toMatchObject({ rows: { all: 10_000, train: 7000, test: 3000 }, features: { all: 16, own: 8 } });
    expect(metrics.auc).toBeGreaterThan(0.79);
    const columns = async (share: string): Promise<readonly string[]> => {
      const model = JSON.parse(await readFile(join(joint, share, 'model.json'), 'utf8')) as { parts: { columns: { name: string }[] }[] };
      return model.parts.flatMap((part) => part.columns.map(({ name }) => name));
    };
    expect(await columns('bank-a-card-behaviour')).toContain('late_payments');
    expect(await columns('bank-a-card-behaviour')).not.toContain('income');
    expect(await columns('bank-b-income-and-deposits')).toContain('income');
    expect(outputOf('dt tracer job 2')).toMatch(/· Fintech C on seat 2: helps, brings no data/);
  });

  it('refuses the job after the grant was revoked', () => {
    expect(outputOf('dt asset revoke')).toMatch(/TokenGrantNotLive[\s\S]*exit code 6\n[\s\S]*✗ grant [\s\S]*exit code 5\n/);
  });

  it("runs a newcomer's own operator, the same in both languages", async () => {
    const tried = outputOf('my-op/try');
    const mean = JSON.parse(/^\{"column":"income".*?\}/m.exec(tried)?.[0] ?? '{}').mean;
    expect(mean).toBeGreaterThan(1000);
    expect(JSON.parse(await readFile(join(project, 'my-op/try/outputs/mean.json'), 'utf8')).mean).toBeCloseTo(mean, 6);
    expect(JSON.parse(await readFile(join(project, 'my-op/results/bank-b-means/mean.json'), 'utf8'))).toEqual({ column: 'income', mean });
  });

  it('explains the job whose operator gave up', () => {
    expect(outputOf('dt job explain 4')).toMatch(/exit code 8\n[\s\S]*Job 4: failed at Bank B[\s\S]*log: too few rows/);
  });

  it('gives the owner a code for the page', () => {
    expect(outputOf('dt daemon login')).toMatch(/^Code: +\w{4}-\w{4}-\w{4}$/m);
  });

  it('deploys to a chain by its URL', async () => {
    expect(JSON.parse(await readFile(join(project, '.dt', 'another-book.json'), 'utf8'))).toMatchObject({
      market: expect.stringMatching(/^0x[0-9a-f]{40}$/),
    });
  });

  it('shows on the page what really comes', () => {
    expect(transcript.filter(({ shown }) => shown !== undefined).length).toBeGreaterThan(5);
    for (const { code, shown, output } of transcript) {
      const lines = new Set(steady(output));
      for (const line of steady(shown ?? '')) expect(lines, `after ${code}`).toContain(line);
    }
  });

  it('ends everything with ctrl-c', async () => {
    await terminal.close();
    for (const program of programs.reverse()) expect(await program.stop()).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });
});

describe('the pages', () => {
  it('have the same commands in both languages', async () => {
    const commands = async (name: string) =>
      fences(await page(name)).filter(({ language }) => ['bash', 'sh', 'console', 'text', 'yaml'].includes(language));
    expect(await commands('README.zh-CN.md')).toEqual(await commands('README.md'));
  });

  it('have the same tables, line by line', async () => {
    const rows = async (name: string) => (await page(name)).split('\n').filter((line) => line.startsWith('|')).length;
    expect(await rows('README.zh-CN.md')).toBe(await rows('README.md'));
  });

  it('link to files that are there', async () => {
    const pages = [
      'README.md',
      'README.zh-CN.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'docs/API.md',
      'docs/OPERATORS.md',
      'docs/PROTOCOLS.md',
      'docs/LIMITS.md',
      'docs/THREAT-MODEL.md',
    ];
    for (const name of pages) {
      const links = [...(await page(name)).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);
      expect(links.length, name).toBeGreaterThan(0);
      for (const target of links) expect(existsSync(join(root, dirname(name), target)), `${target} in ${name}`).toBe(true);
    }
  });
});
