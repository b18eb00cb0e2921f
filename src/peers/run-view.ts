import { isObject, type JsonObject } from '../documents/canonical.js';
import { type Address, type Bytes32, parseAddress, parseBytes32, parseTokenId, type TokenId } from '../documents/ids.js';
import { type OwnerAnswer, parseOwnerAnswer } from '../documents/receipt/receipt.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** One party's run as a daemon tells it to the consumer or the owner. */
export interface RunView {
  readonly id: string;
  readonly job: string;
  readonly task: string;
  readonly algorithm: TokenId;
  readonly token: TokenId;
  readonly consumer: Address;
  readonly state: string;
  readonly attempt: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Of a run that waits for its owner: until when. */
  readonly deadlineAt?: string;
  /** The owner's word on the request, and on the outputs. */
  readonly approval?: OwnerAnswer;
  readonly hold?: OwnerAnswer;
  readonly failure?: { readonly code: string; readonly message: string; readonly hint: string; readonly details?: JsonObject };
  readonly outputs: readonly OutputView[];
  readonly receipt?: Bytes32;
  readonly settlement: string;
}

export interface OutputView {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Bytes32;
  /** Its content stays with the owner. */
  readonly recipient?: 'owner';
}

/** Far above what a daemon releases; below what would choke who reads it. */
const MOST_OUTPUTS = 100_000;

/** What a daemon answered as a run. It may be anyone's, and say anything. @throws DT_PEER_ANSWER */
export function parseRunView(value: unknown, url: string): RunView {
  const fail = (key: string): never => {
    throw new ToolkitError('DT_PEER_ANSWER', { url, reason: `what it tells of a run has no valid ${key}` });
  };
  if (!isObject(value)) return fail('shape');
  const checked = <T>(key: string, parse: (found: unknown) => T): T => {
    try {
      return parse(value[key]);
    } catch {
      return fail(key);
    }
  };
  const text = (key: string): string => {
    const found = value[key];
    return typeof found === 'string' ? found : fail(key);
  };
  const time = (key: 'startedAt' | 'finishedAt' | 'deadlineAt') => (value[key] === undefined ? {} : { [key]: text(key) });
  const count = (key: string, found: unknown): number =>
    typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : fail(key);
  const answer = (key: 'approval' | 'hold') => {
    if (value[key] === undefined) return {};
    return checked(key, (found) => ({ [key]: parseOwnerAnswer(found) }));
  };
  const outputs = value['outputs'];
  if (!Array.isArray(outputs) || outputs.length > MOST_OUTPUTS) return fail('outputs');
  return {
    id: text('id'),
    job: text('job'),
    task: text('task'),
    algorithm: checked('algorithm', (found) => parseTokenId(found)),
    token: checked('token', (found) => parseTokenId(found)),
    consumer: checked('consumer', (found) => parseAddress(found)),
    state: text('state'),
    attempt: count('attempt', value['attempt']),
    createdAt: text('createdAt'),
    ...time('startedAt'),
    ...time('finishedAt'),
    ...time('deadlineAt'),
    ...answer('approval'),
    ...answer('hold'),
    ...(value['failure'] !== undefined && { failure: parseFailure(value['failure']) ?? fail('failure') }),
    outputs: outputs.map((output: unknown) => parseOutputView(output, fail)),
    ...(value['receipt'] !== undefined && { receipt: checked('receipt', (found) => parseBytes32(found)) }),
    settlement: text('settlement'),
  };
}

/** @param fail throws, naming the key */
export function parseOutputView(output: unknown, fail: (key: string) => never): OutputView {
  if (!isObject(output)) return fail('outputs');
  const { name, sizeBytes, sha256, recipient } = output;
  if (typeof name !== 'string' || typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    return fail('outputs');
  try {
    return { name, sizeBytes, sha256: parseBytes32(sha256), ...(recipient === 'owner' && { recipient }) };
  } catch {
    return fail('outputs');
  }
}

function parseFailure(value: unknown): RunView['failure'] {
  if (!isObject(value)) return undefined;
  const { code, message, hint, details } = value;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof hint !== 'string') return undefined;
  return { code, message, hint, ...(isObject(details) && { details }) };
}
