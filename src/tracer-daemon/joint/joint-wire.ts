import { isObject } from '../../documents/canonical.js';
import { type Bytes32, parseBytes32, parseTokenId, type TokenId } from '../../documents/ids.js';
import type { LinkTraffic } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';

/** A daemon's decision about one token of the job, signed for its peers. */
export interface SignedDecision {
  readonly token: TokenId;
  /** Digest of the decision document, which stays with the daemon. */
  readonly decision: Bytes32;
  readonly allowed: boolean;
  readonly signature: string;
}

/** That the organization on a seat refused its part, in a form that a third party can pass on: its signature is on the decision. */
export interface Refusal {
  readonly seat: string;
  readonly decisions: readonly SignedDecision[];
  /** Its words, which nobody has signed. */
  readonly reason: string;
}

/**
 * What the daemons of a joint job tell each other beside the computation, on a channel of their own. In this order: hello both ways,
 * agreed and offer both ways, path one way, the computation, done both ways, confirmed both ways. `refused` takes the place of hello, `ended` that of anything
 * after it. `waiting` may come before hello.
 */
export type ControlMessage =
  | {
      readonly kind: 'hello';
      readonly version: 1;
      /** 64 hex digits, fresh for each meeting. */
      readonly nonce: string;
      /** An execution that this side has finished and not released; with `committed`: has released. */
      readonly finished?: string;
      readonly committed: boolean;
      readonly decisions: readonly SignedDecision[];
    }
  /** In the place of hello, which follows: the owner has to approve the request until then, milliseconds since 1970. */
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'refused'; readonly decisions: readonly SignedDecision[]; readonly reason: string }
  | { readonly kind: 'agreed'; readonly execution: string }
  /** What this side brings for a connection between the operators: see DirectOffer. Empty: nothing. */
  | { readonly kind: 'offer'; readonly key?: string; readonly token?: string }
  /** Whether the caller has made that connection. */
  | { readonly kind: 'path'; readonly direct: boolean }
  /** Its operator has ended well, and this is what was sent on the link to the reader. */
  | { readonly kind: 'done'; readonly execution: string; readonly sent: LinkTraffic }
  /** All traffic was as announced, and its results are safe on its disk: from here on it can release. */
  | { readonly kind: 'confirmed'; readonly execution: string }
  /** `echo`: it followed from another party's end. `refusal`: that end was this one. */
  | { readonly kind: 'ended'; readonly code: string; readonly message: string; readonly echo: boolean; readonly refusal?: Refusal };

export type ControlKind = ControlMessage['kind'];

const LONGEST_BYTES = 64 * 1024;
const LONGEST_TEXT = 2_000;
const MOST_DECISIONS = 256;

export const encodeControl = (message: ControlMessage): Uint8Array => Buffer.from(JSON.stringify(message), 'utf8');

type Broken = (reason: string) => ToolkitError;

/** @throws DT_JOINT_PROTOCOL naming `peer` */
export function parseControl(bytes: Uint8Array, peer: string): ControlMessage {
  const broken: Broken = (reason) => new ToolkitError('DT_JOINT_PROTOCOL', { peer, reason });
  if (bytes.byteLength > LONGEST_BYTES) throw broken(`it sent a message of ${bytes.byteLength} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw broken('it sent a message that is no JSON');
  }
  if (!isObject(value)) throw broken('it sent a message that is no object');
  const hex = (key: string): string => {
    const text = value[key];
    if (typeof text !== 'string' || !/^[0-9a-f]{64}$/.test(text)) throw broken(`${key} is not 64 hex digits`);
    return text;
  };
  const text = (key: string): string => parseText(value[key], key, broken);
  const token = (): string => {
    const found = value['token'];
    if (typeof found !== 'string' || !/^[0-9a-f]{32}$/.test(found)) throw broken('token is not 32 hex digits');
    return found;
  };
  const flag = (key: string): boolean => {
    const found = value[key];
    if (typeof found !== 'boolean') throw broken(`${key} is neither true nor false`);
    return found;
  };
  const decisions = (): readonly SignedDecision[] => parseDecisions(value['decisions'], broken);
  switch (value['kind']) {
    case 'hello':
      if (value['version'] !== 1) throw broken(`it speaks version ${JSON.stringify(value['version'])} of the joint protocol, this side 1`);
      return {
        kind: 'hello',
        version: 1,
        nonce: hex('nonce'),
        ...(value['finished'] !== undefined && { finished: hex('finished') }),
        committed: flag('committed'),
        decisions: decisions(),
      };
    case 'waiting': {
      const { until } = value;
      if (!isCount(until)) throw broken('until is no time');
      return { kind: 'waiting', until };
    }
    case 'refused':
      return { kind: 'refused', decisions: decisions(), reason: text('reason') };
    case 'agreed':
      return { kind: 'agreed', execution: hex('execution') };
    case 'offer':
      return {
        kind: 'offer',
        ...(value['key'] !== undefined && { key: hex('key') }),
        ...(value['token'] !== undefined && { token: token() }),
      };
    case 'path':
      return { kind: 'path', direct: flag('direct') };
    case 'confirmed':
      return { kind: 'confirmed', execution: hex('execution') };
    case 'done':
      return { kind: 'done', execution: hex('execution'), sent: parseTraffic(value['sent'], broken) };
    case 'ended':
      return {
        kind: 'ended',
        code: text('code'),
        message: text('message'),
        echo: flag('echo'),
        ...(value['refusal'] !== undefined && { refusal: parseRefusal(value['refusal'], broken) }),
      };
    default:
      throw broken('it sent a message of an unknown kind');
  }
}

export function parseRefusal(item: unknown, broken: Broken): Refusal {
  if (!isObject(item)) throw broken('refusal is no object');
  const { seat, decisions, reason } = item;
  if (typeof seat !== 'string' || seat.length > 20) throw broken('refusal names no seat');
  return { seat, decisions: parseDecisions(decisions, broken), reason: parseText(reason, 'reason', broken) };
}

function parseText(value: unknown, key: string, broken: Broken): string {
  if (typeof value !== 'string') throw broken(`${key} is no text`);
  return value.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, LONGEST_TEXT);
}

function parseDecisions(list: unknown, broken: Broken): readonly SignedDecision[] {
  if (!Array.isArray(list) || list.length > MOST_DECISIONS) throw broken('decisions is no list');
  return list.map((item) => parseDecision(item, broken));
}

function parseDecision(item: unknown, broken: Broken): SignedDecision {
  if (!isObject(item)) throw broken('a decision is no object');
  const { signature, allowed } = item;
  if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature)) throw broken('a decision has no signature');
  if (typeof allowed !== 'boolean') throw broken('a decision is neither allowed nor refused');
  try {
    return { token: parseTokenId(item['token']), decision: parseBytes32(item['decision']), allowed, signature };
  } catch (error) {
    throw broken((error as Error).message);
  }
}

function parseTraffic(item: unknown, broken: Broken): LinkTraffic {
  if (!isObject(item)) throw broken('sent is no object');
  const { bytes, messages, sha256 } = item;
  if (!isCount(bytes) || !isCount(messages)) throw broken('sent has no counts');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw broken('sent has no hash');
  return { bytes, messages, sha256 };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
