import { describe, expect, it } from 'vitest';
import { buildJobSpec, checkAsset, checkGrants, checkJob, checkStructure } from '../../../src/constraints/check-facts.js';
import { digestOf } from '../../../src/documents/canonical.js';
import type { Ddo } from '../../../src/documents/ddo/ddo.js';
import type { Clause } from '../../../src/documents/decision/decision.js';
import type { Bytes32, TokenId } from '../../../src/documents/ids.js';
import type { JobFacts, OperatorFact, TokenFact } from '../../../src/documents/job/job-facts.js';
import { digestOfSpec } from '../../../src/documents/job/job-spec.js';
import type { OperatorDocument } from '../../../src/documents/operator/operator.js';
import { address, algorithm, created, leaf, OPERATOR, operator, tokenId, union } from './trees.js';

const NOW = 1_800_000_000;
const CONSUMER = address(20);

const one = leaf(1, [{ index: 'a', constraint: { rate: { $match: { maximum: 5 } } } }]);
const two = leaf(2, [{ index: 'a', constraint: { rate: 7 } }]);
const both = union(10, { s: { 1: ['a', { rate: { $match: { maximum: 5 } } }], 2: ['a', { rate: 7 }] } });
const top = algorithm(20, { 10: ['s', { [one.dt]: { rate: 5 }, [two.dt]: { rate: 7 } }] });

interface Twist {
  readonly ddos?: readonly Ddo[];
  readonly token?: (fact: TokenFact) => TokenFact;
  readonly operator?: Partial<OperatorFact['record']> | null;
  readonly template?: OperatorDocument;
  readonly job?: Partial<JobFacts['job']>;
  readonly task?: Partial<JobFacts['job']['task']>;
  readonly providers?: readonly number[];
}

function facts(twist: Twist = {}): JobFacts {
  const ddos = twist.ddos ?? [top, both, one, two];
  const tokens = ddos.map((ddo): TokenFact => {
    const fact: TokenFact = {
      id: ddo.dt,
      owner: ddo.creator,
      digest: digestOf(ddo),
      activated: true,
      grants: (ddo.child_dts ?? []).map((child) => ({ child, grantedUntil: 0 })),
    };
    return twist.token?.(fact) ?? fact;
  });
  const document = twist.template ?? operator({ rate: {} });
  const record = { id: OPERATOR, owner: address(1), digest: digestOf(document), version: 1, retired: false, ...twist.operator };
  return {
    chain: { chainId: 1337, market: address(77) },
    root: top.dt,
    tokens: new Map(tokens.map((token) => [token.id, token])),
    ddos: new Map(ddos.map((ddo) => [ddo.dt, ddo])),
    operators: twist.operator === null ? new Map() : new Map([[OPERATOR, { record, document }]]),
    organizations: new Map(
      (twist.providers ?? [1, 2]).map((n) => [
        address(n),
        {
          address: address(n),
          name: `org ${n}`,
          url: '',
          linkKey: `0x${'0'.repeat(64)}` as Bytes32,
          isAggregator: false,
          isProvider: true,
        },
      ]),
    ),
    now: NOW,
    job: {
      id: 3n,
      algorithm: top.dt,
      demander: CONSUMER,
      task: { id: 2n, demander: CONSUMER, open: true, ...twist.task },
      ...twist.job,
    },
  };
}

const failed = (clauses: readonly Clause[]): readonly (readonly [string, string, string, string])[] =>
  clauses.filter((clause) => !clause.passed).map((clause) => [clause.of, clause.by, clause.pointer, clause.rule]);

function ask(
  twist: Twist = {},
  question: { token?: TokenId; signer?: number; daemon?: number; signedSpec?: Bytes32; earlierRuns?: number } = {},
): readonly Clause[] {
  const given = facts(twist);
  const resolved = buildJobSpec(given);
  const resolvedSpec = digestOfSpec(resolved.spec);
  return checkJob(given, resolved, {
    token: question.token ?? one.dt,
    signer: address(question.signer ?? 20),
    daemon: address(question.daemon ?? 1),
    signedSpec: question.signedSpec ?? resolvedSpec,
    resolvedSpec,
    help: 'own',
    earlierRuns: question.earlierRuns ?? 0,
  });
}

describe('a job of a leaf with a limit of runs', () => {
  const ddos = (runs: { limit: number; perHours?: number; per?: 'consumer' }): Twist => ({
    ddos: [top, both, leaf(1, [{ index: 'a', constraint: { rate: { $match: { maximum: 5 } } }, runs }]), two],
  });

  it('passes below the limit and fails at it, without saying how many there were', () => {
    for (const [earlierRuns, refused] of [
      [0, false],
      [2, false],
      [3, true],
      [40, true],
    ] as const) {
      const clauses = ask(ddos({ limit: 3, perHours: 24, per: 'consumer' }), { earlierRuns });
      const clause = clauses.find(({ rule }) => rule === 'runs');
      expect(failed(clauses)).toEqual(refused ? [[one.dt, top.dt, '/services/0/runs', 'runs']] : []);
      expect(clause).toMatchObject({ required: { limit: 3, perHours: 24, per: 'consumer' }, passed: !refused });
      if (refused) expect(clause?.wouldPass).toBe('at most 3 jobs of one consumer in 24 hours, and there have been as many');
    }
    const [alone] = ask(ddos({ limit: 1 }), { earlierRuns: 1 }).filter(({ passed }) => !passed);
    expect(alone?.wouldPass).toBe('at most 1 job, and there have been as many');
  });

  it('counts nothing where no limit is, nor for another leaf', () => {
    expect(failed(ask({}, { earlierRuns: 99 }))).toEqual([]);
    expect(failed(ask(ddos({ limit: 1 }), { token: two.dt, daemon: 2, earlierRuns: 99 }))).toEqual([]);
  });
});

describe('a job that may run', () => {
  it('passes every clause, for each of its leaves', () => {
    expect(failed(ask())).toEqual([]);
    expect(failed(ask({}, { token: two.dt, daemon: 2 }))).toEqual([]);
    expect(failed(checkAsset(facts()))).toEqual([]);
  });

  it('resolves to the same spec in every order of reading', () => {
    const { spec, steps, problems } = buildJobSpec(facts());
    expect(problems).toEqual([]);
    expect(steps.map((step) => step.token)).toEqual([one.dt, two.dt]);
    expect(spec.steps.map((step) => [step.token, step.owner, step.arguments])).toEqual([
      [one.dt, address(1), { rate: 5 }],
      [two.dt, address(2), { rate: 7 }],
    ]);
    expect(spec.documents.map((document) => document.token)).toEqual([one.dt, two.dt, both.dt, top.dt]);
    const shuffled = buildJobSpec(facts({ ddos: [two, top, one, both] }));
    expect(digestOfSpec(shuffled.spec)).toBe(digestOfSpec(spec));
  });

  it('is another spec when anything that decides is another', () => {
    const digest = (given: JobFacts): string => digestOfSpec(buildJobSpec(given).spec);
    const base = facts();
    const others: readonly JobFacts[] = [
      facts({ job: { id: 4n } }),
      facts({ job: { demander: address(5) } }),
      facts({ task: { id: 9n } }),
      facts({ operator: { version: 2 } }),
      facts({ operator: { digest: digestOf('other code') } }),
      facts({ token: (fact) => ({ ...fact, digest: fact.id === both.dt ? digestOf('x') : fact.digest }) }),
      facts({ token: (fact) => ({ ...fact, owner: fact.id === two.dt ? address(9) : fact.owner }) }),
      { ...base, chain: { chainId: 1, market: base.chain.market } },
      { ...base, chain: { chainId: 1337, market: address(78) } },
    ];
    const digests = [base, ...others].map(digest);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a job is denied when', () => {
  it.each<[string, readonly Clause[], readonly string[]]>([
    ['another signed', ask({}, { signer: 9 }), ['consumer', 'consumer']],
    [
      'the owner of the algorithm is not who added the job',
      ask({ job: { demander: address(9) }, task: { demander: address(9) } }),
      ['consumer'],
    ],
    ['the task is closed', ask({ task: { open: false } }), ['task']],
    ['the task is of somebody else', ask({ task: { demander: address(9) } }), ['task']],
    ['another spec was signed', ask({}, { signedSpec: digestOf('x') }), ['spec']],
    ['the job runs another algorithm', ask({ job: { algorithm: both.dt } }), ['spec']],
    ['another daemon is asked', ask({}, { daemon: 2 }), ['organization']],
    ['its owner is no provider', ask({ providers: [2] }), ['organization']],
    ['it does not use the token', ask({}, { token: tokenId(5) }), ['organization', 'tree']],
    ['the token is a union within it', ask({}, { token: both.dt, daemon: 10 }), ['organization', 'tree']],
    ['an operator is retired', ask({ operator: { retired: true } }), ['operator', 'operator']],
    ['an operator has another version', ask({ operator: { version: 2 } }), ['operator', 'operator']],
    ['an operator is not published', ask({ operator: null }), ['operator', 'operator', 'operator']],
    ['the template wants more', ask({ template: operator({ rate: {}, more: {} }) }), ['keys']],
    ['the template wants less', ask({ template: operator({}) }), []],
  ])('%s', (_, clauses, rules) => {
    expect(failed(clauses).map(([, , , rule]) => rule)).toEqual(rules);
  });

  it('a grant is missing, has ended or ends now, at any level', () => {
    const granted = (child: TokenId, grantedUntil: number | undefined): readonly unknown[] =>
      failed(
        ask({
          token: (fact) => ({ ...fact, grants: fact.grants.map((grant) => (grant.child === child ? { child, grantedUntil } : grant)) }),
        }),
      );
    for (const [child, parent] of [
      [one.dt, both.dt],
      [two.dt, both.dt],
      [both.dt, top.dt],
    ] as const) {
      for (const until of [undefined, 1, NOW - 1, NOW]) expect(granted(child, until)).toEqual([[child, parent, '/', 'grant']]);
      for (const until of [0, NOW + 1, 4e12, 9e18, 1.8e19]) expect(granted(child, until)).toEqual([]);
    }
  });

  it('a composite is not activated, at any level', () => {
    for (const id of [both.dt, top.dt])
      expect(failed(ask({ token: (fact) => ({ ...fact, activated: fact.id !== id }) }))).toEqual([[id, id, '/', 'grant']]);
    expect(failed(ask({ token: (fact) => ({ ...fact, activated: fact.id !== one.dt }) }))).toEqual([]);
  });

  it('the chain and the document name other children', () => {
    const dropped = ask({ token: (fact) => ({ ...fact, grants: fact.id === both.dt ? fact.grants.slice(0, 1) : fact.grants }) });
    expect(failed(dropped)).toEqual([[both.dt, both.dt, '/child_dts', 'tree']]);
    const added = ask({ token: (fact) => ({ ...fact, grants: fact.id === one.dt ? [{ child: two.dt, grantedUntil: 0 }] : fact.grants }) });
    expect(failed(added)).toEqual([[one.dt, one.dt, '/child_dts', 'tree']]);
  });

  it('a document is missing', () => {
    const given = facts();
    const ddos = new Map(given.ddos);
    ddos.delete(two.dt);
    expect(failed(checkStructure({ ...given, ddos }))).toEqual([[two.dt, two.dt, '/', 'tree']]);
    const resolved = buildJobSpec({ ...given, ddos });
    expect(failed(resolved.problems)).toHaveLength(1);
    ddos.delete(top.dt);
    expect(() => buildJobSpec({ ...given, ddos })).toThrowError(expect.objectContaining({ code: 'DT_BUG_UNEXPECTED' }));
  });

  it('its owner agreed to no version at all', () => {
    const [service] = one.services;
    if (service === undefined) throw new Error('the leaf has a service');
    const { template, constraint } = service.descriptor;
    const mute: Ddo = { ...one, services: [{ ...service, descriptor: { template, constraint } }] };
    const any: Ddo = { ...one, services: [{ ...service, descriptor: { template, version: 'any', constraint } }] };
    expect(failed(checkStructure(facts({ ddos: [mute] })))).toEqual([[one.dt, one.dt, '/services/0/descriptor/version', 'operator']]);
    expect(failed(checkStructure(facts({ ddos: [any], operator: { version: 17 } })))).toEqual([]);
  });

  it('an argument breaks a rule of any level, and the daemon says which', () => {
    const wild = algorithm(20, { 10: ['s', { [one.dt]: { rate: 6 }, [two.dt]: { rate: 7 } }] });
    expect(failed(ask({ ddos: [wild, both, one, two] })).map(([of, by, , rule]) => [of, by, rule])).toEqual([
      [both.dt, top.dt, 'match'],
      [one.dt, top.dt, 'match'],
    ]);
    const lazy = algorithm(20, { 10: ['s', { [one.dt]: { rate: 5 }, [two.dt]: { rate: 7 }, [tokenId(8)]: {} }] });
    expect(failed(ask({ ddos: [lazy, both, one, two] })).map(([of, by, , rule]) => [of, by, rule])).toEqual([[both.dt, top.dt, 'keys']]);
  });
});

describe('checkGrants and checkAsset', () => {
  it('say of an ended grant when it ended', () => {
    const ended = facts({
      token: (fact) => ({ ...fact, grants: fact.grants.map(({ child }) => ({ child, grantedUntil: created.getTime() / 1000 })) }),
    });
    for (const clause of checkGrants(ended).filter(({ passed }) => !passed)) expect(clause.wouldPass).toContain('2026-01-02T03:04:05.000Z');
  });

  it('report structure and constraints together', () => {
    const wide = union(10, { s: { 1: ['a', { rate: {} }], 2: ['a', { rate: 7 }] } });
    expect(failed(checkAsset(facts({ ddos: [top, wide, one, two], operator: { retired: true } }))).map(([, , , rule]) => rule)).toEqual([
      'operator',
      'operator',
      'match',
    ]);
  });
});
