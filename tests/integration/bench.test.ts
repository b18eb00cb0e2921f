import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { admission } from '../../bench/admission.js';
import { jobOverhead } from '../../bench/job-overhead.js';
import { queueKill } from '../../bench/queue-kill.js';

const positive = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0);

/** A few rounds of each: that they run, what they print, and the promises that are counts or ratios of processor time. */
describe('benchmarks', { timeout: 180_000 }, () => {
  const bench = (...words: string[]) => {
    const script = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));
    return spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
  };

  it('lists the benches without a name, and knows no others', () => {
    const list = bench();
    expect(list.status).toBe(0);
    for (const name of ['cli-start', 'admission', 'job-overhead', 'queue-kill', 'revoke', 'gas', 'all'])
      expect(list.stdout).toContain(`${name} `);
    expect(bench('nonsense').status).toBe(2);
  });

  it('docs/BENCHMARKS.md has the gas table of docs/gas.md', () => {
    const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
    const table = read('gas.md').match(/^\|.*$/gm) ?? [];
    expect(table.length).toBeGreaterThan(9);
    expect(read('BENCHMARKS.md')).toContain(table.join('\n'));
  });

  it('cli-start prints one object, and starting takes at most four times what node takes', () => {
    const { name, figures, ratios } = JSON.parse(bench('cli-start', '--json', '--rounds', '6').stdout);
    expect(name).toBe('cli-start');
    const programs = { version: positive, help: positive, jobExecHelp: positive, keyList: positive, jobList: positive };
    expect(figures).toEqual({ rounds: 6, medianMs: { node: positive, ...programs } });
    expect(ratios).toMatchObject({ versionVsNode: positive, helpVsNode: positive, jobExecHelpVsNode: positive, limit: 4 });
    // Wall time tells more of the neighbours of this test than of the program.
    for (const program of ['version', 'help', 'jobExecHelp'])
      expect(ratios.processorTime[`${program}VsNode`], program).toBeLessThanOrEqual(4);
  });

  it('admission takes two round trips, however deep the tree is', async () => {
    const { figures, ratios, broken } = await admission.run({ rounds: 5 });
    const stages = { admitMs: positive, resolveMs: positive, authorizeMs: positive };
    const door = { localMs: positive, localP95Ms: positive, rpcMs: positive, bareRpcMs: positive, rpcRoundTrips: 2, stages };
    expect(figures).toEqual({ requests: 5, localMs: positive, localP95Ms: positive, rpcRoundTrips: 2, depth1: door, depth4: door });
    expect(ratios).toMatchObject({ localVsBareRpc: { depth1: positive, depth4: positive } });
    expect(broken).toEqual([]);
  });

  it('job-overhead tells where the time of a job goes', async () => {
    const { figures, ratios } = await jobOverhead.run({ rounds: 3 });
    expect(figures).toMatchObject({ jobs: 3, overheadMs: positive, jobMs: positive, bareMs: positive, sandboxMs: { process: positive } });
    expect(Object.keys(figures['phases'] ?? {})).toEqual(['requestMs', 'queuedMs', 'stagingMs', 'runningMs', 'releasingMs', 'settlingMs']);
    expect(ratios).toMatchObject({ jobVsBare: positive, sandboxVsBare: { process: positive }, overheadMsLimit: 1000 });
  });

  it('queue-kill loses nothing', async () => {
    const { figures, broken } = await queueKill.run({ rounds: 12 });
    const all = { jobs: 12, accepted: 12, lost: 0, succeeded: 12, failed: 0, receipts: 12, anchored: 12 };
    expect(figures).toMatchObject({ ...all, seconds: positive, jobsPerSecond: positive, restartMs: positive });
    expect(broken).toEqual([]);
  });
});
