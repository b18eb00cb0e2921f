import { beforeAll, describe, expect, it } from 'vitest';
import { type GasRow, gasTable, measureGas } from './measure-gas.js';

describe('gas', () => {
  let rows: readonly GasRow[];
  beforeAll(async () => {
    rows = await measureGas();
  }, 60_000);

  it('is below that of the original for everything that it can do', () => {
    const compared = rows.filter((row) => row.original !== undefined);
    expect(compared).toHaveLength(7);
    for (const { action, first, later, original } of compared) expect(Math.max(first, later), action).toBeLessThan(original ?? 0);
  });

  it('is as docs/gas.md says', async () => {
    await expect(gasTable(rows)).toMatchFileSnapshot('../../docs/gas.md');
  });
});
