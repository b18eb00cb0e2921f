import { basename } from 'node:path';
import { digestOf, isObject, type JsonObject, sha256 } from '../../documents/canonical.js';
import { parseAddress } from '../../documents/ids.js';
import { type JointDescription, type JointSeat, parseJointDescription } from '../../documents/job/joint-description.js';
import { ToolkitError } from '../../errors/toolkit-error.js';

/** An input of a simulated job: `seat` left out, it belongs to the seat of its own number. */
export interface SimulatedInput {
  readonly number: string;
  readonly seat?: string;
  readonly path: string;
}

/** What one seat of the simulated job is given. */
export interface SimulatedSeat {
  readonly joint: JointDescription;
  readonly args: JsonObject;
  /** Where each input lies, by its path in the job folder. */
  readonly files: ReadonlyMap<string, string>;
}

const MOST_SEATS = 32;

/**
 * The seats of `exec_endpoints`, as the daemons would describe them to the operator. The values may be any text: it is the name of the seat.
 * @throws DT_INPUT_INVALID, DT_INPUT_MISSING, DT_INPUT_TOO_LARGE
 */
export function simulatedSeats(operator: Uint8Array, args: JsonObject, inputs: readonly SimulatedInput[]): readonly SimulatedSeat[] {
  const numbers = seatNumbers(args);
  const owned = inputs.map((input) => ({ ...input, seat: input.seat ?? input.number }));
  for (const { number, seat } of owned) {
    if (!numbers.includes(seat)) throw invalid(`--input ${number}`, `there is no seat ${seat}; ${advice(number, numbers)}`);
    if (owned.filter((other) => other.number === number).length > 1) throw invalid(`--input ${number}`, 'it is given twice');
  }
  const declared = isObject(args['inputs']) ? args['inputs'] : {};
  const missing = Object.keys(declared).find((number) => !owned.some((input) => input.number === number));
  if (missing !== undefined) throw new ToolkitError('DT_INPUT_MISSING', { what: `--input ${missing}=<file>, which args.json declares,` });

  const endpoints = args['exec_endpoints'] as JsonObject;
  const seats = numbers.map((seat): JointSeat => {
    const own = owned.filter((input) => input.seat === seat).map(({ number }) => number);
    const endpoint = endpoints[seat];
    const organization = parseAddress(`0x${(Number(seat) + 1).toString(16).padStart(40, '0')}`);
    return { seat, organization, name: typeof endpoint === 'string' ? endpoint.slice(0, 60) : '', inputs: own.sort(byNumber) };
  });
  const session = digestOf({ operator: sha256(operator), args }).slice(2);
  return seats.map(({ seat, inputs: own }) => {
    const paths = new Map(
      own.map((number) => [number, inputPath(declared[number], owned.find((input) => input.number === number)?.path ?? '', number)]),
    );
    const joint = { session, seat, seats, inputs: uniquePaths(paths), peers: numbers.filter((other) => other !== seat) };
    const files = own.map((number) => [joint.inputs[number] ?? '', owned.find((input) => input.number === number)?.path ?? ''] as const);
    return { joint: parseJointDescription(joint), args: { ...args, party_id: Number(own[0] ?? seat) }, files: new Map(files) };
  });
}

function seatNumbers(args: JsonObject): readonly string[] {
  const endpoints = args['exec_endpoints'];
  const what = 'exec_endpoints of the arguments';
  if (!isObject(endpoints)) throw invalid(what, 'a joint operator has one, as {"0": "Bank A", "1": "Bank B"}');
  const numbers = Object.keys(endpoints).sort(byNumber);
  const odd = numbers.find((number) => !/^(0|[1-9][0-9]{0,3})$/.test(number));
  if (odd !== undefined) throw invalid(what, `the seat ${JSON.stringify(odd.slice(0, 60))} is no number`);
  if (numbers.length < 2) throw invalid(what, 'a joint job has at least two seats');
  if (numbers.length > MOST_SEATS)
    throw new ToolkitError('DT_INPUT_TOO_LARGE', { what, actual: `${numbers.length} seats`, limit: MOST_SEATS });
  return numbers;
}

/** Where the operator looks for it: as the arguments say, else under its own name. */
function inputPath(declared: unknown, source: string, number: string): string {
  const found = typeof declared === 'string' ? /^(?:\.\/)?inputs\/([^/]+)$/.exec(declared)?.[1] : undefined;
  if (typeof declared === 'string' && found === undefined)
    throw invalid(`inputs.${number} of the arguments`, 'it must be a path like ./inputs/data.csv');
  return `inputs/${found ?? basename(source)}`;
}

/** Two inputs of one seat may have files of the same name. */
function uniquePaths(paths: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const taken = new Set<string>();
  return Object.fromEntries(
    [...paths].map(([number, path]) => {
      const unique = taken.has(path) ? path.replace('inputs/', `inputs/${number}-`) : path;
      taken.add(unique);
      return [number, unique];
    }),
  );
}

const byNumber = (a: string, b: string): number => Number(a) - Number(b);
const advice = (number: string, seats: readonly string[]): string =>
  `say whose it is: --input ${seats[0]}:${number}=<file> gives it to seat ${seats[0]}`;
const invalid = (what: string, reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what, reason });
