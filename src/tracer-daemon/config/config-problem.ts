import { ToolkitError } from '../../errors/toolkit-error.js';

export interface ConfigProblem {
  /** `/etc/dt/daemon.yaml:12`, or `environment` for a variable. */
  readonly where: string;
  /** Dotted key, or the name of the variable. */
  readonly key: string;
  readonly reason: string;
}

/** All problems in one error: the first in its place, the others in lines of their own. */
export function configError(problems: readonly [ConfigProblem, ...ConfigProblem[]]): ToolkitError {
  const [first, ...rest] = problems;
  const others = rest.map(({ where, key, reason }) => `\n${where}, key ${key}: ${reason}`).join('');
  return new ToolkitError('DT_CONFIG_INVALID', { path: first.where, key: first.key, reason: first.reason + others, problems });
}
