import { isObject, type JsonObject } from '../documents/canonical.js';
import type { Clause } from '../documents/decision/decision.js';
import { type Bytes32, parseBytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type OutputView, parseOutputView, parseRunView, type RunView } from './run-view.js';

/** What waits for the owner at its daemon: a request to approve, or outputs to look at. */
export interface HoldView {
  readonly kind: 'request' | 'outputs';
  readonly run: RunView;
  /** What an answer is about; absent with the rest where the daemon could not read it, see `problem`. */
  readonly subject?: Bytes32;
  readonly operator?: { readonly id: string; readonly version: number; readonly digest: Bytes32; readonly code?: string };
  /** The operator of the last request for this data that the owner approved. */
  readonly approved?: { readonly run: string; readonly at: string; readonly operator: Bytes32 };
  readonly arguments?: JsonObject;
  /** Digest of the data; of a request. */
  readonly data?: Bytes32;
  readonly outputs: readonly OutputView[];
  /** All conditions that the request was checked against. */
  readonly clauses: readonly Clause[];
  readonly problem?: { readonly code: string; readonly message: string };
}

/** What a daemon answered as one. @throws DT_PEER_ANSWER */
export function parseHoldView(value: unknown, url: string): HoldView {
  const fail = (key: string): never => {
    throw new ToolkitError('DT_PEER_ANSWER', { url, reason: `what it tells of a hold has no valid ${key}` });
  };
  if (!isObject(value)) return fail('shape');
  const { kind, subject, operator, approved, data, problem, outputs = [], clauses = [] } = value;
  if (kind !== 'request' && kind !== 'outputs') return fail('kind');
  if (!Array.isArray(outputs) || !Array.isArray(clauses) || !clauses.every(isClause)) return fail('outputs or clauses');
  const digest = (key: string, found: unknown): Bytes32 => {
    try {
      return parseBytes32(found);
    } catch {
      return fail(key);
    }
  };
  const texts = (key: string, found: unknown, ...names: readonly string[]): JsonObject =>
    isObject(found) && names.every((name) => typeof found[name] === 'string') ? found : fail(key);
  const code = isObject(operator) && typeof operator['code'] === 'string' && { code: operator['code'] };
  return {
    kind,
    run: parseRunView(value['run'], url),
    outputs: outputs.map((output) => parseOutputView(output, fail)),
    clauses,
    ...(subject !== undefined && { subject: digest('subject', subject) }),
    ...(data !== undefined && { data: digest('data', data) }),
    ...(isObject(value['arguments']) && { arguments: value['arguments'] }),
    ...(operator !== undefined && {
      operator: {
        id: String(texts('operator', operator, 'id', 'digest')['id']),
        version: Number(texts('operator', operator)['version']),
        digest: digest('operator', texts('operator', operator)['digest']),
        ...code,
      },
    }),
    ...(approved !== undefined && {
      approved: {
        run: String(texts('approved', approved, 'run', 'at')['run']),
        at: String(texts('approved', approved)['at']),
        operator: digest('approved', texts('approved', approved)['operator']),
      },
    }),
    ...(problem !== undefined && {
      problem: {
        code: String(texts('problem', problem, 'code', 'message')['code']),
        message: String(texts('problem', problem)['message']),
      },
    }),
  };
}

const isClause = (item: unknown): item is Clause =>
  isObject(item) && ['of', 'by', 'pointer', 'rule'].every((key) => typeof item[key] === 'string') && typeof item['passed'] === 'boolean';
