import { ToolkitError } from '../errors/toolkit-error.js';
import type { RunProblem } from './store/run.js';

/** The same without the last lines of the operator, which are part of its log: receipts and auditors have its digest alone. */
export function withoutLog(problem: RunProblem): RunProblem {
  if (problem.details['log'] === undefined) return problem;
  const { code, message, hint, details } = new ToolkitError(problem.code, { ...problem.details, log: '(in its log)' });
  return { code, message, hint, details };
}
