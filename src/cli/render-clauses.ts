import chalk from 'chalk';
import type { CheckAssetResult } from '../actions/asset/check-asset.js';
import { renderClause } from './render-error.js';

/** Every clause of a dry run, the failed ones last so that they stand right above the verdict. */
export function renderCheck({ clauses, allowed }: CheckAssetResult): string {
  const failed = clauses.filter(({ passed }) => !passed);
  const lines = [
    ...clauses.filter(({ passed }) => passed).map((clause) => chalk.dim(renderClause(clause))),
    ...failed.map((clause) => renderClause(clause)),
  ];
  const verdict = allowed
    ? `${chalk.green.bold('✓')} allowed: all ${clauses.length} conditions are met`
    : `${chalk.red.bold('✗')} denied: ${failed.length} of ${clauses.length} conditions are not met`;
  return [...lines, verdict].join('\n');
}
