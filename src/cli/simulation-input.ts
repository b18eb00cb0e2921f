import type { SimulatedInput } from '../actions/job/simulated-seats.js';
import { isObject, type JsonObject } from '../documents/canonical.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { readInput, readJsonInput } from './input-files.js';

/** `2=<file>` or `<seat>:2=<file>`. @throws DT_INPUT_INVALID */
export function parseSimulatedInput(text: string): SimulatedInput {
  const [, seat, number, path] = /^(?:(0|[1-9]\d{0,3}):)?(0|[1-9]\d{0,3})=(.+)$/s.exec(text) ?? [];
  if (number === undefined || path === undefined) {
    const reason = `expected <number>=<file> or <seat>:<number>=<file>, got ${JSON.stringify(text.slice(0, 100))}`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: '--input', reason });
  }
  return { number, path, ...(seat !== undefined && { seat }) };
}

/** Bytes of the operator's file. @throws DT_INPUT_FILE; DT_INPUT_INVALID for one in Python */
export async function readSimulatedOperator(path: string): Promise<Buffer> {
  const bytes = await readInput(path);
  if (!path.endsWith('.py') && !/^#!.*python/.test(bytes.toString('latin1', 0, 100))) return bytes;
  const reason =
    'a joint operator is JavaScript (.mjs or .js) today; Python runs as an operator of one owner alone: `dt system op`, `dt job exec`';
  throw new ToolkitError('DT_INPUT_INVALID', { what: path, reason });
}

/** @throws DT_INPUT_FILE, DT_INPUT_JSON, DT_INPUT_INVALID */
export async function readSimulatedArguments(path: string): Promise<JsonObject> {
  const value = await readJsonInput(path);
  if (isObject(value)) return value;
  throw new ToolkitError('DT_INPUT_INVALID', { what: path, reason: 'the arguments of a job are an object' });
}
