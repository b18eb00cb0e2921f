import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/constraints/evaluate.js';
import { sameValue } from '../../../src/constraints/same-value.js';
import { canonicalBytes, type Json } from '../../../src/documents/canonical.js';
import { anything, fixed, loosened, mutated, opened } from './arbitraries.js';

const site = { of: 'below', by: 'above', pointer: '/params' };
const passes = (demand: Json, offer: Json, terminal: boolean): boolean =>
  evaluate(demand, offer, site, terminal).every((clause) => clause.passed);

describe('evaluate, for all constraints', () => {
  it('is sound: who meets a constraint that narrows another meets the other too', { timeout: 60_000 }, () => {
    let premises = 0;
    const chain = fixed.chain((value) =>
      opened(value).chain((upper) =>
        fc.record({
          value: fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: mutated(value) }),
          upper: fc.constant(upper),
          lower: loosened(upper),
        }),
      ),
    );
    fc.assert(
      fc.property(chain, ({ lower, upper, value }) => {
        if (!passes(lower, upper, false) || !passes(upper, value, true)) return;
        premises += 1;
        expect(passes(lower, value, true), JSON.stringify({ lower, upper, value })).toBe(true);
      }),
      { numRuns: 4000 },
    );
    expect(premises).toBeGreaterThan(400);
  });

  it('is transitive: three levels that narrow one another narrow end to end', { timeout: 60_000 }, () => {
    let premises = 0;
    const chain = fixed
      .chain((value) => opened(value))
      .chain((top) =>
        loosened(top).chain((middle) => fc.record({ top: fc.constant(top), middle: fc.constant(middle), bottom: loosened(middle) })),
      );
    fc.assert(
      fc.property(chain, ({ top, middle, bottom }) => {
        if (!passes(bottom, middle, false) || !passes(middle, top, true)) return;
        premises += 1;
        expect(passes(bottom, top, true), JSON.stringify({ bottom, middle, top })).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(premises).toBeGreaterThan(50);
  });

  it('lets every well-formed constraint meet itself', { timeout: 60_000 }, () => {
    const wellFormed = fixed.chain((value) => opened(value)).chain((upper) => fc.oneof(fc.constant(upper), loosened(upper)));
    fc.assert(
      fc.property(wellFormed, (constraint) => {
        expect(passes(constraint, constraint, false), JSON.stringify(constraint)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('lets every fixed value meet itself, also at the end', { timeout: 60_000 }, () => {
    fc.assert(fc.property(fixed, (value) => passes(value, value, true)));
  });

  it('denies every change of a fixed value', { timeout: 60_000 }, () => {
    const pairs = fixed.chain((value) => fc.record({ value: fc.constant(value), other: mutated(value) }));
    fc.assert(
      fc.property(pairs, ({ value, other }) => {
        fc.pre(!sameValue(value, other));
        expect(passes(value, other, true)).toBe(false);
        expect(passes(value, other, false)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('never passes an offer that leaves anything open at the end', { timeout: 60_000 }, () => {
    const withHole = fixed.chain((value) => opened(value).filter((constraint) => JSON.stringify(constraint) !== JSON.stringify(value)));
    fc.assert(
      fc.property(withHole, anything, (offer, demand) => {
        const open = /\{\}|"\$match"/.test(JSON.stringify(offer));
        if (open) expect(passes(demand, offer, true)).toBe(false);
      }),
    );
  });

  it('throws on nothing, and its clauses can be written into a decision', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anything, anything, fc.boolean(), (demand, offer, terminal) => {
        const clauses = evaluate(demand, offer, site, terminal);
        expect(clauses.length).toBeGreaterThan(0);
        canonicalBytes(clauses);
        for (const clause of clauses) expect(clause.passed === (clause.wouldPass === undefined)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('throws on no JSON that a parser can make of text, lone surrogates and depth included', { timeout: 60_000 }, () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\ud800', '\udfff', 'a\ud800b'),
      fc.integer({ min: 60, max: 3000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json),
      fc.integer({ min: 60, max: 3000 }).map((depth) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Json),
      fc.constant<Json>(JSON.parse('{"__proto__":{"a":1}}') as Json),
      fc.constant<Json>(JSON.parse('{"$match":{"pattern":"\\\\\ud83d"}}') as Json),
      fc.constant<Json>(JSON.parse('1e999') as Json),
    );
    const nested = fc.oneof(
      odd,
      odd.map((value): Json => ({ a: value })),
      odd.map((value): Json => ({ $match: { const: value } })),
      fc.constant<Json>({}),
      fc.constant<Json>({ a: {} }),
    );
    fc.assert(
      fc.property(nested, nested, fc.boolean(), (demand, offer, terminal) => {
        canonicalBytes(evaluate(demand, offer, site, terminal));
      }),
      { numRuns: 1000 },
    );
  });
});
