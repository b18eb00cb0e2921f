import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/documents/canonical.js';
import { createJointWorld, endings, inProcess, type JointWorld, jointOf, receiptsOf, sampleText } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';

/** Customers of both banks in files of their own, each in an order of its own; 900 of them are known to both. */
function tables(): readonly [string, string, string] {
  let state = 7;
  const draw = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const customers = Array.from({ length: 1_200 }, (_, i) => {
    const [a, b] = [draw(), draw()];
    return { id: `c${i}`, a, b, label: a + 2 * b + 0.3 * draw() > 0 ? 1 : 0, place: draw() };
  });
  const shuffled = [...customers].sort((one, other) => one.place - other.place);
  const file = (header: string, rows: readonly string[]): string => `${header}\n${rows.join('\n')}\n`;
  const atA = customers.slice(0, 1_050);
  const atB = shuffled.filter(({ id }) => Number(id.slice(1)) >= 150);
  return [
    file(
      'id,a',
      atA.map(({ id, a }) => `${id},${a}`),
    ),
    file(
      'id,b',
      atB.map(({ id, b }) => `${id},${b}`),
    ),
    file(
      'id,label',
      [...atA].reverse().map(({ id, label }) => `${id},${label}`),
    ),
  ];
}

describe('a joint model on the customers that both banks have', () => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    joint = await createJointWorld(
      inProcess,
      {},
      {
        code: await sampleText('op/vertical_lr.mjs'),
        params: JSON.parse(await sampleText('op/vertical_lr_params.json')) as JsonObject,
        outputs: { '0': './outputs/log.txt', metrics: './outputs/metrics.json' },
        data: tables(),
      },
    );
  });
  afterAll(() => joint.close());

  const modelArgs = (options: JsonObject): JsonObject => ({
    method: 'fixed_hessian',
    in_dim: 2,
    out_dim: 1,
    lr: null,
    batch_size: null,
    split: 0.7,
    epoch: 10,
    model_to: 'owners',
    options,
  });

  it('joins over the daemons as its first step, and trains on what is common', async () => {
    const result = await joint.exec(modelArgs({ join_on: 'id' }));
    expect(endings(result).map(([, state, code]) => [state, code])).toEqual(Array.from({ length: 4 }, () => ['succeeded', '']));
    const [lead] = result.shares;
    const output = await lead!.party.client.output(lead!.run!.id, 'metrics.json');
    const metrics = (await output.json()) as { readonly auc: number };
    expect(metrics).toMatchObject({ rows: { all: 900 } });
    expect(metrics.auc).toBeGreaterThan(0.95);
    // The dealer is sent no id and no row: a few words of set-up and the row count.
    const [a0] = await receiptsOf(joint, result);
    expect(jointOf(a0).peers.find(({ seat }) => seat === '2')?.sent?.bytes).toBeLessThan(4_000);
  });

  it('ends everywhere where too few are common, before training and without the number', async () => {
    const result = await joint.exec(modelArgs({ join_on: 'id', min_intersection: 950 }));
    for (const { run } of result.shares) {
      expect(run?.state).toBe('failed');
      expect(run?.failure?.message).not.toContain('900');
    }
    const log = await result.shares[0]!.party.client.logs(result.shares[0]!.run!.id);
    expect(log).toContain('DT_PSI_TOO_FEW');
    expect(log).not.toContain('900');
  });
});
