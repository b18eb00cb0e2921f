import { canonicalBytes, isObject, type Json } from '../documents/canonical.js';
import type { Clause } from '../documents/decision/decision.js';
import { isFixed, readConstraint } from './constraint.js';
import { narrowsSchema } from './narrow-schema.js';
import { matchSchema, refuseSchema } from './schema-match.js';

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
 * `terminal`: the offer must leave nothing open, as an algorithm has to. Pure. DESIGN section 6 has the semantics.
 */
export function evaluate(demand: Json, offer: Json, site: Site, terminal: boolean): readonly Clause[] {
  const clauses: Clause[] = [];
  check(demand, offer, site, terminal, clauses);
  return clauses;
}

function check(demand: Json, offer: Json | undefined, site: Site, terminal: boolean, out: Clause[]): void {
  const add = (passed: boolean, rule: Clause['rule'], wouldPass: string): void => {
    out.push({
      ...site,
      rule,
      required: demand,
      ...(offer === undefined ? {} : { offered: offer }),
      passed,
      ...(passed ? {} : { wouldPass }),
    });
  };
  if (offer === undefined) return add(false, 'keys', `give this key: ${wish(demand)}`);
  const lower = readConstraint(demand);
  const upper = readConstraint(offer);
  if (lower.kind === 'unknown') return add(false, 'keyword', `the owner corrects its constraint: ${lower.reason}`);
  if (upper.kind === 'unknown') return add(false, 'keyword', upper.reason);
  if (upper.kind === 'match' && refuseSchema(upper.schema) !== undefined) return add(false, 'keyword', refuseSchema(upper.schema) ?? '');
  if (lower.kind === 'keys') return checkKeys(lower.keys, offer, site, terminal, out, add);
  if (terminal && !isFixed(offer)) return add(false, 'fixed', `an algorithm fixes every parameter: ${wish(demand)}`);
  if (lower.kind === 'any') {
    const reason = refuseInside(offer);
    return add(reason === undefined, reason === undefined ? 'any' : 'keyword', reason ?? '');
  }
  if (lower.kind === 'equals')
    return add(upper.kind === 'equals' && same(lower.value, upper.value), 'equals', `exactly ${text(lower.value)}`);
  if (upper.kind === 'match')
    return add(narrowsSchema(lower.schema, upper.schema), 'match', `a $match that is provably within ${text(lower.schema)}`);
  if (!isFixed(offer)) return add(false, 'match', `a fixed value, or a $match within ${text(lower.schema)}`);
  const verdict = matchSchema(lower.schema, offer);
  return add(verdict.accepted, 'match', verdict.accepted ? '' : `a value that ${text(lower.schema)} accepts (${verdict.reason})`);
}

function checkKeys(
  keys: Readonly<Record<string, Json>>,
  offer: Json,
  site: Site,
  terminal: boolean,
  out: Clause[],
  add: (passed: boolean, rule: Clause['rule'], wouldPass: string) => void,
): void {
  const names = Object.keys(keys);
  if (readConstraint(offer).kind !== 'keys' || !isObject(offer))
    return add(false, 'keys', `an object with exactly the keys ${names.join(', ')}`);
  const at = (key: string): Site => ({ ...site, pointer: `${site.pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` });
  for (const key of names) check(keys[key] ?? null, Object.hasOwn(offer, key) ? offer[key] : undefined, at(key), terminal, out);
  for (const key of Object.keys(offer))
    if (!Object.hasOwn(keys, key))
      out.push({
        ...at(key),
        rule: 'keys',
        offered: offer[key] ?? null,
        passed: false,
        wouldPass: `leave out ${key}; the keys are ${names.join(', ')}`,
      });
}

/** An unknown keyword deep inside of an offer that nothing below looks at is still one that nobody understands. */
function refuseInside(offer: Json): string | undefined {
  const read = readConstraint(offer);
  if (read.kind === 'unknown') return read.reason;
  if (read.kind === 'match') return refuseSchema(read.schema);
  if (read.kind !== 'keys') return undefined;
  for (const inner of Object.values(read.keys)) {
    const reason = refuseInside(inner);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const same = (a: Json, b: Json): boolean => Buffer.compare(canonicalBytes(a), canonicalBytes(b)) === 0;

function wish(demand: Json): string {
  const lower = readConstraint(demand);
  if (lower.kind === 'equals') return `exactly ${text(lower.value)}`;
  if (lower.kind === 'match') return `a value that ${text(lower.schema)} accepts`;
  return lower.kind === 'keys' ? `an object with the keys ${Object.keys(lower.keys).join(', ')}` : 'any fixed value';
}

function text(value: Json): string {
  const whole = Buffer.from(canonicalBytes(value)).toString('utf8');
  return whole.length > 200 ? `${whole.slice(0, 200)}…` : whole;
}
