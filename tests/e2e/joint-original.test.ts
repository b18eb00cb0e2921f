import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/privacy/random-source.js';
import { type Asset, KEYS, type OriginalProject, openOriginalProject, root } from '../support/original-project.js';
import { processesOf } from './readme-terminals.js';

const ROWS = 50_000;
const COLUMNS = { org1_feature: 30, org2_feature: 42 } as const;

/** The original's shapes: 50,000 customers with 30 columns at one bank and 42 at the other, and who defaulted. */
function generate(seed: string): { readonly texts: Readonly<Record<Asset, string>>; readonly bestAuc: number } {
  const random = seededRandom(createHash('sha256').update(seed).digest().subarray(0, 16));
  const uniform = (count: number): Float64Array => {
    const words = random.bytes(4 * count);
    const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
    return Float64Array.from({ length: count }, (_, i) => (view.getUint32(4 * i, true) + 0.5) / 2 ** 32);
  };
  const width = COLUMNS.org1_feature + COLUMNS.org2_feature;
  const weights = uniform(width).map((value) => value - 0.5);
  const scores = new Float64Array(ROWS);
  const lines: Record<Asset, string[]> = {
    org1_feature: [Array.from({ length: COLUMNS.org1_feature }, (_, j) => `a${j}`).join(',')],
    org2_feature: [Array.from({ length: COLUMNS.org2_feature }, (_, j) => `b${j}`).join(',')],
    org1_label: ['y'],
  };
  const labels = new Uint8Array(ROWS);
  for (let i = 0; i < ROWS; i++) {
    // Of mean 0 and deviation 1.
    const row = uniform(width + 1);
    const cells = Array.from(row.subarray(0, width), (value) => ((value - 0.5) * Math.sqrt(12)).toFixed(4));
    const score = cells.reduce((sum, cell, j) => sum + Number(cell) * (weights[j] ?? 0), -1);
    scores[i] = score;
    labels[i] = (row[width] ?? 0) < 1 / (1 + Math.exp(-score)) ? 1 : 0;
    lines.org1_feature.push(cells.slice(0, COLUMNS.org1_feature).join(','));
    lines.org2_feature.push(cells.slice(COLUMNS.org1_feature).join(','));
    lines.org1_label.push(String(labels[i]));
  }
  const texts = Object.fromEntries(Object.entries(lines).map(([name, all]) => [name, `${all.join('\n')}\n`])) as Record<Asset, string>;
  return { texts, bestAuc: aucOf(scores.subarray(40_000), labels.subarray(40_000)) };
}

/** By ranks; scores are distinct. */
function aucOf(scores: Float64Array, labels: Uint8Array): number {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const bad = order.flatMap((index, rank) => (labels[index] === 1 ? [rank + 1] : []));
  const good = scores.length - bad.length;
  return (bad.reduce((sum, rank) => sum + rank, 0) - (bad.length * (bad.length + 1)) / 2) / (bad.length * good);
}

describe("the original's joint risk model, from its constraint files with only endpoints and paths adapted", () => {
  let original: OriginalProject;

  beforeAll(async () => {
    original = await openOriginalProject(
      async (folder) => {
        await cp(join(root, 'samples', 'op', 'vertical_lr.mjs'), join(folder, 'vertical_lr.mjs'));
        const attributes = join(folder, 'rtt_op_attr.json');
        await writeFile(attributes, (await readFile(attributes, 'utf8')).replace('./samples/op/rtt_op.py', './samples/op/vertical_lr.mjs'));
      },
      ['org1', 'org2', 'org3'],
    );
  }, 120_000);

  afterAll(() => original?.close());

  it('trains over three daemons and writes the log that the original wrote', { timeout: 300_000 }, async () => {
    const { folder, project, ports, done } = original;
    const [c] = KEYS.org3;
    const at = (org: keyof typeof ports): string => `127.0.0.1:${ports[org]}`;
    original.organizations({ org1: `http://${at('org1')}`, org2: `http://${at('org2')}`, org3: `http://${at('org3')}` });
    const { texts, bestAuc } = generate('original');
    const data = {
      org1_feature: join(folder, 'org1', 'f.csv'),
      org1_label: join(folder, 'org1', 'l.csv'),
      org2_feature: join(folder, 'org2', 'f.csv'),
    };
    for (const name of Object.keys(data) as readonly Asset[]) await writeFile(data[name], texts[name]);
    const ids = await original.compose(data, {
      '127.0.0.1:8090': at('org1'),
      '127.0.0.1:8091': at('org2'),
      '127.0.0.1:8911': at('org1'),
      '127.0.0.1:8912': at('org2'),
      '127.0.0.1:8913': at('org3'),
    });
    expect(done(`dt job init --name 'risk control' --desc 'find bad guys' --private_key ${c}`)).toMatch(/Task 1 opened/);
    const executed = done(`dt job exec --task_id 1 --cdt ${ids.algorithm} --private_key ${c}`);
    expect(executed.match(/✓ org\d .* succeeded /g)).toHaveLength(4);
    done(`dt job outputs 1 --out results --private_key ${c}`);

    const log = (await readFile(join(project, 'results', 'credit-default-features-0-30', 'rtt_log.txt'), 'utf8')).trimEnd().split('\n');
    const rounds = log.map((line) => /^AUC at round (\d+): (0\.\d+)$/.exec(line)).filter((found) => found !== null);
    expect(rounds.length, log.join('\n')).toBe(log.length);
    const points = rounds.map(([, round, auc]) => ({ round: Number(round), auc: Number(auc) }));
    expect(points.map(({ round }) => round)).toEqual(Array.from({ length: 11 }, (_, i) => 1000 * i));
    // Ten thousand steps come to what is to be known of these labels.
    expect(points.at(-1)?.auc).toBeGreaterThan(bestAuc - 0.01);
    expect(points.at(-1)?.auc).toBeLessThan(bestAuc + 0.005);
    expect(points.at(-1)?.auc).toBeGreaterThan((points[0]?.auc ?? 1) + 0.1);

    const traced = done('dt tracer job 1');
    expect(traced.match(/✓ org[12] on seat [01]: /g)).toHaveLength(3);
    expect(traced).toMatch(/· org3 on seat 2: helps, brings no data/);
  });

  it('leaves no process behind', async () => {
    expect(await original.stop()).toEqual([0, 0, 0, 0]);
    expect(processesOf(original.folder)).toEqual([]);
  });
});
