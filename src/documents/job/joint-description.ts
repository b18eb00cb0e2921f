import { ToolkitError } from '../../errors/toolkit-error.js';
import { isObject, pointer } from '../canonical.js';
import { type Address, parseAddress } from '../ids.js';

/** One party of a joint job: an organization with one process. */
export interface JointSeat {
  /** Its key in `exec_endpoints`: "0", "1", … */
  readonly seat: string;
  readonly organization: Address;
  /** What the chain calls it, for people; without control characters. */
  readonly name: string;
  /** Numbers of the inputs that it brings; none: a helper, as the dealer of correlated randomness is. */
  readonly inputs: readonly string[];
}

/** joint.json in the job folder of every party: who takes part, and what this party has. */
export interface JointDescription {
  /** 64 hex digits: the digest of what all parties agreed to. */
  readonly session: string;
  readonly seat: string;
  readonly seats: readonly JointSeat[];
  /** Own inputs by number; paths relative to the job folder. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The other seats, those that are not in `direct` in the order of the descriptors of DT_CHANNELS. */
  readonly peers: readonly string[];
  /**
   * Peers with a TCP connection of their own, in the order of the descriptors of DT_SOCKETS, and this party's role in the TLS on it. With
   * any of them the last descriptor of DT_CHANNELS leads to the own daemon, which gives the keys and is given the account.
   */
  readonly direct?: readonly { readonly seat: string; readonly role: 'client' | 'server' }[];
}

const NUMBER = /^(0|[1-9][0-9]{0,3})$/;
const INPUT = /^inputs\/(?!\.{1,2}$)[^/\p{Cc}]+$/u;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const NAME_LENGTH = 200;

/**
 * Exactly the fields above, and only if they fit each other. By hand and not by a schema: operators pay for what they load.
 * @throws DT_DOCUMENT_INVALID
 */
export function parseJointDescription(value: unknown): JointDescription {
  const fields = exactly(value, '/', ['session', 'seat', 'seats', 'inputs', 'peers'], ['direct']);
  const session = text(fields['session'], '/session', /^[0-9a-f]{64}$/, '64 hex digits');
  const seats = list(fields['seats'], '/seats').map((seat, i) => parseSeat(seat, pointer('seats', i)));
  if (seats.length < 2) throw invalid('/seats', 'a joint job has at least two seats');
  requireDifferent(
    seats.map(({ seat }) => seat),
    '/seats',
    'seat',
  );
  requireDifferent(
    seats.map(({ organization }) => organization),
    '/seats',
    'organization',
  );
  requireDifferent(
    seats.flatMap(({ inputs }) => inputs),
    '/seats',
    'input',
  );
  const own = seats.find(({ seat }) => seat === fields['seat']);
  if (own === undefined) throw invalid('/seat', 'it is none of the seats');
  const peers = numbers(fields['peers'], '/peers');
  const others = seats.flatMap(({ seat }) => (seat === own.seat ? [] : [seat]));
  if (!sameMembers(peers, others)) throw invalid('/peers', 'it does not name every other seat once');
  const direct = fields['direct'] === undefined ? undefined : parseDirect(fields['direct'], peers);
  return { session, seat: own.seat, seats, inputs: parseInputs(fields['inputs'], own.inputs), peers, ...(direct && { direct }) };
}

function parseDirect(value: unknown, peers: readonly string[]): NonNullable<JointDescription['direct']> {
  const direct = list(value, '/direct').map((item, i) => {
    const { seat, role } = exactly(item, pointer('direct', i), ['seat', 'role']);
    const peer = peers.find((candidate) => candidate === seat);
    if (peer === undefined) throw invalid(pointer('direct', i, 'seat'), 'it is none of the peers');
    if (role !== 'client' && role !== 'server') throw invalid(pointer('direct', i, 'role'), 'it is neither client nor server');
    return { seat: peer, role } as const;
  });
  requireDifferent(
    direct.map(({ seat }) => seat),
    '/direct',
    'seat',
  );
  return direct;
}

function parseSeat(value: unknown, at: string): JointSeat {
  const fields = exactly(value, at, ['seat', 'organization', 'name', 'inputs']);
  const { name } = fields;
  if (typeof name !== 'string' || name.length > NAME_LENGTH)
    throw invalid(`${at}/name`, `it is no text of at most ${NAME_LENGTH} characters`);
  return {
    seat: text(fields['seat'], `${at}/seat`, NUMBER, 'a number in quotes'),
    organization: parseAddress(text(fields['organization'], `${at}/organization`, ADDRESS, 'an address in lower case')),
    name: name.replace(/[\p{Cc}\p{Cf}]/gu, ' '),
    inputs: numbers(fields['inputs'], `${at}/inputs`),
  };
}

function parseInputs(value: unknown, own: readonly string[]): Readonly<Record<string, string>> {
  const fields = exactly(value, '/inputs', own);
  return Object.fromEntries(
    own.map((number) => [number, text(fields[number], pointer('inputs', number), INPUT, 'a path like inputs/data.csv')]),
  );
}

function exactly(value: unknown, at: string, keys: readonly string[], optional: readonly string[] = []): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid(at, 'it is no object');
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) throw invalid(at, `the key ${JSON.stringify(missing)} is missing`);
  const extra = Object.keys(value).find((key) => !keys.includes(key) && !optional.includes(key));
  if (extra !== undefined) throw invalid(at, `it has a key ${JSON.stringify(extra.slice(0, 60))} that is not known here`);
  return value;
}

function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(at, 'it is no list');
  return value;
}

function numbers(value: unknown, at: string): readonly string[] {
  const all = list(value, at).map((item, i) => text(item, `${at}/${i}`, NUMBER, 'a number in quotes'));
  requireDifferent(all, at, 'number');
  return all;
}

function text(value: unknown, at: string, form: RegExp, wanted: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw invalid(at, `it is not ${wanted}`);
  return value;
}

function requireDifferent(all: readonly string[], at: string, what: string): void {
  if (new Set(all).size !== all.length) throw invalid(at, `it names the same ${what} twice`);
}

const sameMembers = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((member) => other.includes(member));

const invalid = (at: string, reason: string): ToolkitError =>
  new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'joint description', pointer: at, reason });
