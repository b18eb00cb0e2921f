import { ToolkitError } from '../../errors/toolkit-error.js';

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** `data` is the revert data in hex where the node gives any. */
export type RpcAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: { readonly code: number; readonly message: string; readonly data: string | undefined } };

/** A JSON-RPC endpoint. What it answers is not trusted beyond its form. */
export interface Rpc {
  /** The endpoint without credentials and without its path, which may be an API key. For messages. */
  readonly label: string;
  /**
   * One round trip for all calls; the answers come in the order of the calls.
   * @throws DT_CHAIN_UNREACHABLE
   */
  send(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]>;
  /** Resolves at the next block; undefined where the endpoint cannot push. Rejects when the connection is lost. */
  readonly nextHead?: (signal: AbortSignal) => Promise<void>;
  close(): void;
}

export interface RpcOptions {
  /** Upper bound for one round trip. Default 30000. */
  readonly timeoutMs?: number;
  /** Called before each round trip with its methods; benchmarks count them. */
  readonly onRoundTrip?: (methods: readonly string[]) => void;
}

/** Thrown when something answers at the address, but not as a WebSocket server: asking again will not help. */
export class NoWebSocketError extends Error {}

export function labelOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

export function unreachable(label: string, reason: string, cause?: unknown): ToolkitError {
  return new ToolkitError('DT_CHAIN_UNREACHABLE', { url: label, reason }, cause);
}

export function encodeCalls(calls: readonly RpcCall[], firstId: number): string {
  const messages = calls.map((call, index) => ({ jsonrpc: '2.0', id: firstId + index, method: call.method, params: call.params }));
  return JSON.stringify(messages.length === 1 ? messages[0] : messages);
}

/** The answers of a parsed message, which may be one or a batch, by request id. */
export function answersById(message: unknown): ReadonlyMap<number, RpcAnswer> {
  const answers = new Map<number, RpcAnswer>();
  for (const entry of Array.isArray(message) ? message : [message]) {
    if (!isRecord(entry) || typeof entry['id'] !== 'number') continue;
    answers.set(entry['id'], answerOf(entry));
  }
  return answers;
}

function answerOf(entry: Readonly<Record<string, unknown>>): RpcAnswer {
  const error = entry['error'];
  if (!isRecord(error)) return { ok: true, result: entry['result'] };
  const code = typeof error['code'] === 'number' ? error['code'] : 0;
  const message = typeof error['message'] === 'string' ? error['message'].slice(0, 1000) : 'no message';
  return { ok: false, error: { code, message, data: hexIn(error['data'], 3) } };
}

/** Nodes put the revert data into `data`, `data.data` or `data.originalError.data`. */
function hexIn(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return /^0x([0-9a-fA-F]{2})*$/.test(value) ? value : undefined;
  if (!isRecord(value) || depth === 0) return undefined;
  return hexIn(value['data'], depth - 1) ?? hexIn(value['originalError'], depth - 1);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The result of a call that must not fail. @throws DT_CHAIN_UNREACHABLE with what the endpoint said */
export function resultOf(answer: RpcAnswer | undefined, rpc: Rpc, method: string): unknown {
  if (answer?.ok) return answer.result;
  throw unreachable(rpc.label, `${method}: ${answer?.error.message ?? 'no answer'}`);
}

/** A hex quantity as a number. @throws DT_CHAIN_UNREACHABLE when it is none */
export function quantityOf(value: unknown, rpc: Rpc, what: string): number {
  const number = typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw unreachable(rpc.label, `${what} is not a quantity`);
  return number;
}
