import { measureGas } from '../tests/contracts/measure-gas.js';
import { type Bench, beyond, round } from './bench.js';

const LIMIT = 1;

export const gas: Bench = {
  name: 'gas',
  about: 'gas of every write, from receipts of this run, against what the original contracts took for the same',
  async run() {
    const rows = await measureGas();
    const compared = rows.flatMap(({ action, first, later, original }) =>
      original === undefined ? [] : [{ action, ratio: Math.max(first, later) / original }],
    );
    return {
      figures: Object.fromEntries(
        rows.map(({ action, first, later, original }) => [action, { first, later, ...(original !== undefined && { original }) }]),
      ),
      ratios: { ...Object.fromEntries(compared.map(({ action, ratio }) => [action, round(ratio)])), limit: LIMIT },
      broken: compared.flatMap(({ action, ratio }) => beyond(`${action} against the original`, ratio, LIMIT)),
    };
  },
};
