import { canonicalBytes, inspectJson, isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import type { Clause } from '../documents/decision/decision.js';
import { type Constraint, flawsOf, openPlaces, readConstraint } from './constraint.js';
import { type Effort, newEffort, spend, TOO_MUCH } from './effort.js';
import { isWithin } from './narrow-schema.js';
import { sameValue } from './same-value.js';
import { mismatchOf } from './schema-match.js';

/** Where a constraint stands and who answers it; copied into every clause. */
export interface Site {
  /** The token or operator whose demand it is. */
  readonly of: string;
  /** The token that answers it. */
  readonly by: string;
  /** RFC 6901 pointer into the document of `of`. */
  readonly pointer: string;
}

/**
 * Checks what a level offers against what the level below demands, key by key to any depth, and reports every clause, passed or failed.
 * `terminal`: the offer must leave nothing open, as an algorithm has to. Pure, and throws on nothing. DESIGN section 6 has the semantics.
 */
export function evaluate(demand: Json, offer: Json, site: Site, terminal: boolean, effort = newEffort()): readonly Clause[] {
  // What is not JSON cannot stand in a decision either, so these clauses do not quote it.
  const refuse = (wouldPass: string): readonly Clause[] => [{ ...site, rule: 'keyword', passed: false, wouldPass }];
  if (effort.left < 0) return refuse(TOO_MUCH);
  const demanded = unreadable(demand);
  if (demanded !== undefined) return refuse(`the owner corrects its constraint: ${demanded}`);
  const offered = unreadable(offer);
  if (offered !== undefined) return refuse(offered);
  const clauses: Clause[] = [];
  check(demand, offer, site, { terminal, clauses, effort });
  return clauses;
}

/**
 * The same for the parameters as a whole. They are a named list, so `{}` against `{}` is an operator without parameters: there is nothing
 * that an algorithm could leave open.
 */
export function evaluateParameters(demand: Json, offer: Json, site: Site, terminal: boolean, effort?: Effort): readonly Clause[] {
  if (isEmpty(demand) && isEmpty(offer)) return [{ ...site, rule: 'keys', required: demand, offered: offer, passed: true }];
  return evaluate(demand, offer, site, terminal, effort);
}

/** What one clause costs to make, to write down and to send. */
const CLAUSE_STEPS = 2_000;

interface Run {
  readonly terminal: boolean;
  readonly clauses: Clause[];
  readonly effort: Effort;
}

type Finding = Pick<Clause, 'rule' | 'passed' | 'wouldPass'>;
const pass = (rule: Clause['rule']): Finding => ({ rule, passed: true });
/** Reasons are cut to size and quote foreign patterns; half of a surrogate pair that is left over could not be written into a decision. */
const fail = (rule: Clause['rule'], wouldPass: string): Finding => ({
  rule,
  passed: false,
  wouldPass: wouldPass.replace(/\p{Surrogate}/gu, '\ufffd'),
});

function check(demand: Json, offer: Json | undefined, site: Site, run: Run): void {
  const add = (finding: Finding): void => {
    run.clauses.push({ ...site, required: demand, ...(offer === undefined ? {} : { offered: offer }), ...finding });
  };
  if (!spend(run.effort, CLAUSE_STEPS)) return add(fail('keyword', TOO_MUCH));
  const lower = readConstraint(demand, run.effort);
  if (lower.kind === 'unknown') return add(fail('keyword', `the owner corrects its constraint: ${lower.reason}`));
  if (offer === undefined) return add(fail('keys', `give this key: ${wish(lower)}`));
  if (lower.kind !== 'keys') return add(judge(lower, offer, run));
  if (!hasKeys(offer)) return add(fail('keys', wish(lower)));
  checkKeys(lower.keys, offer, site, run);
}

function judge(lower: Exclude<Constraint, { kind: 'unknown' | 'keys' }>, offer: Json, { terminal, effort }: Run): Finding {
  const flaws = flawsOf(offer, effort);
  if (flaws.length > 0) return fail('keyword', brief(flaws.join('; ')));
  const open = openPlaces(offer);
  if (terminal && open.length > 0)
    return fail('fixed', `an algorithm fixes every parameter: ${wish(lower)}, nothing open at ${brief(open.join(', '))}`);
  if (lower.kind === 'any') return pass('any');
  if (lower.kind === 'equals') return sameValue(lower.value, offer) ? pass('equals') : fail('equals', wish(lower));
  const upper = readConstraint(offer, effort);
  if (upper.kind === 'match')
    return isWithin(lower.schema, upper.schema, effort)
      ? pass('match')
      : fail('match', `a $match that is provably within ${text(lower.schema)}${typeHint(lower.schema, upper.schema)}`);
  if (open.length > 0) return fail('match', `a fixed value, or a $match within ${text(lower.schema)}`);
  const reason = mismatchOf(lower.schema, offer, effort);
  return reason === undefined ? pass('match') : fail('match', `${wish(lower)} (${brief(reason)})`);
}

/** Bounds say nothing of values of other types: `{"minimum": 1}` accepts null and every text. */
function typeHint(lower: Json, upper: Json): string {
  if (!isObject(lower) || !isObject(upper) || lower['type'] === undefined || upper['type'] !== undefined) return '';
  return `; without "type": ${text(lower['type'])} it also lets other types pass, as null`;
}

function checkKeys(keys: JsonObject, offer: JsonObject, site: Site, run: Run): void {
  const at = (key: string): Site => ({ ...site, pointer: site.pointer + pointer(key) });
  for (const [key, inner] of Object.entries(keys)) check(inner, Object.hasOwn(offer, key) ? offer[key] : undefined, at(key), run);
  const names = brief(Object.keys(keys).join(', '));
  for (const [key, offered] of Object.entries(offer)) {
    if (Object.hasOwn(keys, key)) continue;
    if (!spend(run.effort, CLAUSE_STEPS)) return void run.clauses.push({ ...site, ...fail('keyword', TOO_MUCH) });
    const finding = key.startsWith('$')
      ? fail('keyword', `leave out the keyword ${brief(key)}: only $match is known, and it stands alone in its object`)
      : fail('keys', `leave out ${brief(key)}; the keys are ${names}`);
    run.clauses.push({ ...at(key), offered, ...finding });
  }
}

const isEmpty = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0;

/** An object that is neither `{}` nor a `$match` alone, whatever else is wrong with it. */
const hasKeys = (value: Json): value is JsonObject => isObject(value) && Object.keys(value).some((key) => key !== '$match');

function unreadable(value: Json): string | undefined {
  const { tooDeep, flaw } = inspectJson(value);
  return tooDeep ? 'it is nested too deep' : flaw;
}

function wish(lower: Constraint): string {
  if (lower.kind === 'equals') return `exactly ${text(lower.value)}`;
  if (lower.kind === 'match') return `a value that ${text(lower.schema)} accepts`;
  return lower.kind === 'keys' ? `an object with exactly the keys ${brief(Object.keys(lower.keys).join(', '))}` : 'any fixed value';
}

const text = (value: Json): string => brief(Buffer.from(canonicalBytes(value)).toString('utf8'));

const brief = (whole: string): string => (whole.length > 200 ? `${whole.slice(0, 200)}…` : whole);
