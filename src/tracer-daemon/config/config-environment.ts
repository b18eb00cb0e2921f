import { parse } from 'yaml';
import { nearestWord } from '../../errors/nearest-word.js';
import type { ConfigProblem } from './config-problem.js';
import { type ConfigKey, configKeys, VARIABLE_PREFIX } from './config-schema.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override extends ConfigKey {
  /** undefined: the variable is empty, which takes an optional key away. */
  readonly value: unknown;
}

/**
 * Variables like DT_DAEMON__LISTEN__PORT. Lists are separated by commas, or written as in YAML: [a, b]. An unknown name is a problem
 * as an unknown key in the file is: a misspelt variable would otherwise be silently without effect.
 */
export function readOverrides(environment: Environment): {
  readonly overrides: readonly Override[];
  readonly problems: readonly ConfigProblem[];
} {
  const keys = configKeys();
  const overrides: Override[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(VARIABLE_PREFIX)) continue;
    const known = keys.find(({ variable }) => variable === name);
    if (known !== undefined) {
      overrides.push({ ...known, value: fromText(text, known) });
      continue;
    }
    const meant = nearestWord(
      name,
      keys.map(({ variable }) => variable),
    );
    problems.push({
      where: 'environment',
      key: name,
      reason: `there is no such key${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    });
  }
  return { overrides, problems };
}

/** What does not have the form of its type is handed on as text; the schema then refuses it. */
function fromText(text: string, { schema }: ConfigKey): unknown {
  const value = text.trim();
  const types = [schema.type].flat();
  if (value === '' && schema.default === undefined) return undefined;
  if (types.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  if (types.includes('integer') && /^-?\d+$/.test(value)) return Number(value);
  if (types.includes('array')) return listOf(value);
  return value;
}

function listOf(value: string): unknown {
  if (value === '') return [];
  if (!value.startsWith('[')) return value.split(',').map((part) => part.trim());
  try {
    return parse(value);
  } catch {
    return value;
  }
}
