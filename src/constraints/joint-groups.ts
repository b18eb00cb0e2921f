import { digestOf, isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import type { Clause } from '../documents/decision/decision.js';
import type { Address } from '../documents/ids.js';
import type { OrganizationFact, TreeFacts } from '../documents/job/job-facts.js';
import type { JointGroup, JointSeat } from '../documents/job/joint-group.js';
import { failure } from './check-tree.js';
import type { Step } from './resolve-steps.js';

const MOST_SEATS = 16;
const noKey = `0x${'0'.repeat(64)}`;

export interface JointResolution {
  readonly groups: readonly JointGroup[];
  readonly problems: readonly Clause[];
}

/**
 * Who computes jointly with whom: the steps of each joint operator are one group, `exec_endpoints` names the organization on each of its
 * seats, and `party_id` the number of the input that a data token brings. Every party derives the same from the same facts.
 *
 * Each organization sits on one seat, so that what is kept apart by the protocol is kept apart by people too: a dealer inside of a bank
 * could read the other bank's rows.
 *
 * @param linked whether each party's link key must be on chain already: to run, but not yet to compose
 */
export function resolveJoint(facts: TreeFacts, steps: readonly Step[], { linked }: { readonly linked: boolean }): JointResolution {
  const groups: JointGroup[] = [];
  const problems: Clause[] = [];
  const operators = new Set(steps.map((step) => step.service.descriptor.template));
  for (const operator of operators) {
    if (facts.operators.get(operator)?.document.joint !== true) continue;
    const own = steps.filter((step) => step.service.descriptor.template === operator);
    const fail = (step: Step | undefined, keys: readonly string[], wouldPass: string): void => {
      problems.push(failure(facts.root, step?.token ?? facts.root, whereOf(step, keys), 'joint', wouldPass));
    };
    const seats = resolveSeats(facts, own, linked, fail);
    if (seats !== undefined) groups.push({ operator, seats });
  }
  const helpers = groups.flatMap(({ seats }) => seats.filter((seat) => seat.inputs.length === 0).map((seat) => seat.organization));
  const twice = helpers.find((organization, i) => helpers.indexOf(organization) !== i);
  if (twice !== undefined)
    problems.push(failure(facts.root, facts.root, '/services', 'joint', `another helper in each joint computation; ${twice} helps in two`));
  return { groups, problems };
}

/** Where the argument stands in the algorithm, as far as its own document holds it. */
const whereOf = (step: Step | undefined, keys: readonly string[]): string =>
  step === undefined
    ? '/services'
    : pointer('services', 0, 'descriptor', 'workflow', ...(step.path.slice(1) as readonly string[]), 'constraint', ...keys);

type Fail = (step: Step | undefined, keys: readonly string[], wouldPass: string) => void;

function resolveSeats(facts: TreeFacts, steps: readonly Step[], linked: boolean, fail: Fail): readonly JointSeat[] | undefined {
  let ok = true;
  const refuse: Fail = (...args) => {
    ok = false;
    fail(...args);
  };
  const [first] = steps;
  const endpoints = first?.arguments['exec_endpoints'];
  if (first === undefined || endpoints === undefined || !isEndpoints(endpoints)) {
    refuse(first, ['exec_endpoints'], `an object of 2 to ${MOST_SEATS} seats, "0", "1", …, each with an organization`);
    return undefined;
  }
  // One process computes with all inputs of a party, so what one token's owner allows must be what all of them run with.
  for (const step of steps.slice(1))
    for (const key of new Set([...Object.keys(first.arguments), ...Object.keys(step.arguments)]))
      if (key !== 'party_id' && digestOf(step.arguments[key] ?? null) !== digestOf(first.arguments[key] ?? null))
        refuse(step, [key], 'the same for all parties that compute together; only party_id differs');

  const inputs = new Map<string, Step>();
  for (const step of steps) {
    const number = numberOf(step.arguments['party_id']);
    if (number === undefined) refuse(step, ['party_id'], 'a number from 0');
    else if (inputs.has(number)) refuse(step, ['party_id'], `a number of its own; ${number} is taken twice`);
    else inputs.set(number, step);
  }
  const ownerOf = (step: Step): Address | undefined => facts.tokens.get(step.token)?.owner;
  const seats: JointSeat[] = [];
  for (const seat of Object.keys(endpoints).sort((a, b) => Number(a) - Number(b))) {
    const found = organizationAt(facts, endpoints[seat]);
    if (typeof found === 'string') {
      refuse(first, ['exec_endpoints', seat], found);
      continue;
    }
    const taken = seats.find(({ organization }) => organization === found.address);
    if (taken !== undefined)
      refuse(
        first,
        ['exec_endpoints', seat],
        `an organization of its own; ${found.name} has seat ${taken.seat}. A helper must not be one of those whose data it protects`,
      );
    else if (linked && found.linkKey === noKey)
      refuse(
        first,
        ['exec_endpoints', seat],
        `an organization with a link key on chain; start the daemon of ${found.name}, which publishes it: \`dt daemon run\``,
      );
    const own = [...inputs].filter(([, step]) => ownerOf(step) === found.address).sort(([a], [b]) => Number(a) - Number(b));
    if (own.length > 0 && own.every(([number]) => number !== seat))
      refuse(
        first,
        ['exec_endpoints', seat],
        `the owner of the data with party_id ${seat}; ${found.name} brings ${own.map(([n]) => n).join(', ')}`,
      );
    // The input with the number of the seat leads, as the original's party does.
    own.sort(([a], [b]) => Number(b === seat) - Number(a === seat) || Number(a) - Number(b));
    seats.push({ seat, organization: found.address, inputs: own.map(([number, step]) => ({ number, token: step.token })) });
  }
  for (const [number, step] of inputs)
    if (ok && seats.every(({ organization }) => organization !== ownerOf(step)))
      refuse(step, ['exec_endpoints'], `a seat for ${ownerOf(step)}, who brings the data with party_id ${number}`);
  return ok ? seats : undefined;
}

const isEndpoints = (value: Json): value is JsonObject =>
  isObject(value) &&
  Object.keys(value).length >= 2 &&
  Object.keys(value).length <= MOST_SEATS &&
  Object.keys(value).every((key) => /^(0|[1-9][0-9]{0,3})$/.test(key));

function numberOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 10_000) return String(value);
  return typeof value === 'string' && /^(0|[1-9][0-9]{0,3})$/.test(value) ? value : undefined;
}

/** The organization behind one value of `exec_endpoints`, or what would be one. */
function organizationAt(facts: TreeFacts, value: Json | undefined): OrganizationFact | string {
  const wish = "an organization's address, or the daemon URL that an owner of the job's tokens has on chain";
  if (typeof value !== 'string') return wish;
  if (/^0x[0-9a-fA-F]{40}$/.test(value))
    return facts.organizations.get(value.toLowerCase() as Address) ?? `an organization that is registered; ${value} is not`;
  const wanted = hostPort(value);
  const found = wanted === undefined ? [] : [...facts.organizations.values()].filter(({ url }) => hostPort(url) === wanted);
  const [only] = found;
  if (found.length > 1) return `an organization's address: ${found.map(({ name }) => name).join(' and ')} have the same URL on chain`;
  if (only !== undefined) return only;
  const known = [...facts.organizations.values()].flatMap(({ name, url }) => (url === '' ? [] : [`${url} (${name})`])).sort();
  return `${wish}${known.length > 0 ? `: ${known.join(', ')}` : ''}; ${JSON.stringify(value.slice(0, 100))} is neither`;
}

/** `host:port` of a URL, or of host:port as the original wrote it. */
function hostPort(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
    return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
  } catch {
    return undefined;
  }
}
