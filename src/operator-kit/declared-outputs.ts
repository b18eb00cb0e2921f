import { appendFileSync, writeFileSync } from 'node:fs';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { OperatorSession } from './operator-session.js';

/** The outputs of this party that the arguments name. What they do not name is not written. */
export interface DeclaredOutputs {
  /** A line on standard output and in the log of this party: `outputs["<its seat>"]`, or `outputs.<logKey>`. */
  log(line: string): void;
  has(key: string): boolean;
  /** Where to write it. */
  path(key: string): string | undefined;
  text(key: string, text: string): void;
  json(key: string, value: unknown): void;
}

/**
 * Reads `outputs` of the arguments: paths by seat, and of `keys`. Call it first: a path that may not be is found before any message.
 * `logKey`: where the log goes; what stands under the seat, where nothing is said. @throws DT_INPUT_INVALID, naming the key
 */
export function declaredOutputs(session: OperatorSession, keys: readonly string[], logKey = session.seat): DeclaredOutputs {
  const declared = session.args['outputs'] ?? {};
  const known = [...session.seats.map(({ seat }) => seat), ...keys];
  const invalid = (what: string, reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what, reason });
  if (typeof declared !== 'object' || Array.isArray(declared)) throw invalid('outputs', 'it is no object');
  const paths = new Map<string, string>();
  for (const [key, path] of Object.entries(declared)) {
    if (!known.includes(key))
      throw invalid(`outputs.${key.slice(0, 60)}`, `this operator has no such output; there are ${known.join(', ')}`);
    const clean = session.output(path, `outputs.${key}`);
    if ([...paths.values()].includes(clean)) throw invalid(`outputs.${key}`, 'two outputs have the same path');
    paths.set(key, clean);
  }
  const text = (key: string, content: string): void => {
    const path = paths.get(key);
    if (path !== undefined) writeFileSync(path, content);
  };
  return {
    log(line) {
      process.stdout.write(`${line}\n`);
      const path = paths.get(logKey);
      if (path !== undefined) appendFileSync(path, `${line}\n`);
    },
    has: (key) => paths.has(key),
    path: (key) => paths.get(key),
    text,
    json: (key, value) => text(key, `${JSON.stringify(value, null, 2)}\n`),
  };
}
