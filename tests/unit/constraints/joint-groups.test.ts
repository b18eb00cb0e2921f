import { describe, expect, it } from 'vitest';
import { buildJobSpec, checkAsset, checkJob } from '../../../src/constraints/check-facts.js';
import { digestOf, type Json, type JsonObject } from '../../../src/documents/canonical.js';
import type { Address, Bytes32, TokenId } from '../../../src/documents/ids.js';
import type { JobFacts, OrganizationFact } from '../../../src/documents/job/job-facts.js';
import { digestOfSpec } from '../../../src/documents/job/job-spec.js';
import { jointSession, leadToken, parseJointSession, partiesNamed, seatOf, tokensOf } from '../../../src/documents/job/joint-group.js';
import { buildOperator, isJointCode, type OperatorDocument, parseOperator } from '../../../src/documents/operator/operator.js';
import { address, algorithm, created, leaf, OPERATOR, tokenId } from './trees.js';

const params = { party_id: {}, exec_endpoints: {}, lr: {} };
const template = (joint: boolean): OperatorDocument =>
  parseOperator(
    buildOperator(
      { metadata: { main: { type: 'Operation', name: 'op' } }, runtime: 'node', operation: 'export {};', params, joint },
      OPERATOR,
      address(9),
      created,
    ),
  );
const bankA = address(1);
const bankB = address(2);
const third = address(20);

interface Twist {
  readonly endpoints?: Json;
  readonly args?: Readonly<Record<number, JsonObject>>;
  readonly organizations?: Readonly<Record<Address, Partial<OrganizationFact>>>;
  readonly joint?: boolean;
}

/** Bank A's features and label, bank B's features, an algorithm of the third party: the original's joint job. */
function facts({ endpoints = { 0: bankA, 1: bankB, 2: third }, args = {}, organizations = {}, joint = true }: Twist = {}): JobFacts {
  const leaves = [1, 2, 3].map((n) => leaf(n, [{ index: 's', constraint: params }]));
  const workflow = Object.fromEntries(
    [1, 2, 3].map((n) => [n, ['s', { party_id: n - 1, exec_endpoints: endpoints, lr: 1, ...args[n] }] as const]),
  );
  const top = algorithm(20, workflow);
  const owners: Readonly<Record<number, Address>> = { 1: bankA, 2: bankB, 3: bankA, 20: third };
  const ddos = [top, ...leaves];
  const document = template(joint);
  return {
    chain: { chainId: 1337, market: address(77) },
    root: top.dt,
    tokens: new Map(
      ddos.map((ddo) => {
        const owner = owners[Number(`0x${ddo.dt.slice(-4)}`)] as Address;
        const grants = (ddo.child_dts ?? []).map((child) => ({ child, grantedUntil: 0 }));
        return [ddo.dt, { id: ddo.dt, owner, digest: digestOf(ddo), activated: true, grants }] as const;
      }),
    ),
    ddos: new Map(ddos.map((ddo) => [ddo.dt, ddo])),
    operators: new Map([
      [OPERATOR, { record: { id: OPERATOR, owner: address(9), digest: digestOf(document), version: 1, retired: false }, document }],
    ]),
    organizations: new Map(
      [bankA, bankB, third, address(30)].map((one, i) => [
        one,
        {
          address: one,
          name: ['Bank A', 'Bank B', 'Third C', 'Helper D'][i] as string,
          url: `http://10.0.0.${i + 1}:8090`,
          linkKey: `0x${'ab'.repeat(32)}` as Bytes32,
          isAggregator: i > 1,
          isProvider: i < 2,
          ...organizations[one],
        },
      ]),
    ),
    now: 1_800_000_000,
    job: { id: 3n, algorithm: top.dt, demander: third, task: { id: 2n, demander: third, open: true } },
  };
}

const problems = (twist: Twist): readonly string[] =>
  buildJobSpec(facts(twist)).problems.map((clause) => `${clause.pointer.split('/').slice(-2).join('/')}: ${clause.wouldPass}`);

function failed(twist: Twist, token: TokenId, daemon: Address, help: 'own' | 'any' | 'none' = 'own'): readonly string[] {
  const given = facts(twist);
  const resolved = buildJobSpec(given);
  const spec = digestOfSpec(resolved.spec);
  const question = { token, signer: third, daemon, signedSpec: spec, resolvedSpec: spec, help, earlierRuns: 0 };
  return checkJob(given, resolved, question).flatMap((clause) => (clause.passed ? [] : [`${clause.rule}: ${clause.wouldPass}`]));
}

describe('who sits where in a joint job', () => {
  it('is read from exec_endpoints and party_id: the label goes to the seat of its owner, the dealer brings nothing', () => {
    const { spec, problems: none } = buildJobSpec(facts());
    expect(none).toEqual([]);
    expect(spec.joint).toEqual([
      {
        operator: OPERATOR,
        seats: [
          {
            seat: '0',
            organization: bankA,
            inputs: [
              { number: '0', token: tokenId(1) },
              { number: '2', token: tokenId(3) },
            ],
          },
          { seat: '1', organization: bankB, inputs: [{ number: '1', token: tokenId(2) }] },
          { seat: '2', organization: third, inputs: [] },
        ],
      },
    ]);
    const [group] = spec.joint ?? [];
    expect(group?.seats.map((seat) => leadToken(spec, seat))).toEqual([tokenId(1), tokenId(2), tokenId(20)]);
    expect(group?.seats.map((seat) => tokensOf(spec, seat).length)).toEqual([2, 1, 1]);
    expect(seatOf(spec, bankA, tokenId(3))?.seat.seat).toBe('0');
    expect(seatOf(spec, bankB, tokenId(3))).toBeUndefined();
  });

  it('daemon URLs of the chain name their organizations, as host:port too', () => {
    const spec = (endpoints: Json) => buildJobSpec(facts({ endpoints })).spec.joint?.[0]?.seats.map(({ organization }) => organization);
    expect(spec({ 0: '10.0.0.1:8090', 1: 'http://10.0.0.2:8090', 2: 'http://10.0.0.3:8090/' })).toEqual([bankA, bankB, third]);
    expect(spec({ 0: '10.0.0.1:8090', 1: bankB.toUpperCase().replace('0X', '0x'), 2: address(30) })).toEqual([bankA, bankB, address(30)]);
  });

  it('an operator that is not joint runs alone, whatever its parameters are called', () => {
    const { spec, problems: none } = buildJobSpec(facts({ joint: false, endpoints: { 0: 'anywhere' } }));
    expect(none).toEqual([]);
    expect(spec).not.toHaveProperty('joint');
  });

  it.each<[string, Twist, RegExp]>([
    [
      'a dealer inside of a bank',
      { endpoints: { 0: bankA, 1: bankB, 2: bankA } },
      /exec_endpoints\/2: an organization of its own; Bank A has seat 0/,
    ],
    [
      'an endpoint of nobody',
      { endpoints: { 0: bankA, 1: bankB, 2: '10.9.9.9:1' } },
      /exec_endpoints\/2: an organization's address, or .* is neither/,
    ],
    ['an address that is not registered', { endpoints: { 0: bankA, 1: bankB, 2: address(99) } }, /registered; 0x0+63 is not/],
    ['no seat for an owner', { endpoints: { 0: bankA, 2: third } }, /a seat for 0x0+2, who brings the data with party_id 1/],
    ['seats that are swapped', { endpoints: { 0: bankB, 1: bankA, 2: third } }, /the owner of the data with party_id 0; Bank B brings 1/],
    ['one seat', { endpoints: { 0: bankA } }, /an object of 2 to 16 seats/],
    ['no object', { endpoints: 'all' }, /an object of 2 to 16 seats/],
    ['seats with other names', { endpoints: { a: bankA, b: bankB } }, /an object of 2 to 16 seats/],
    ['the same party_id twice', { args: { 3: { party_id: 0 } } }, /party_id: a number of its own; 0 is taken twice/],
    ['a party_id that is none', { args: { 3: { party_id: 'x' } } }, /party_id: a number from 0/],
    [
      'other endpoints at one',
      { args: { 2: { exec_endpoints: { 0: bankA, 1: bankB } } } },
      /constraint\/exec_endpoints: the same for all parties/,
    ],
    ['other arguments at one', { args: { 3: { lr: 2 } } }, /constraint\/lr: the same for all parties that compute together; only party_id/],
    [
      'two organizations with one URL',
      { endpoints: { 0: bankA, 1: bankB, 2: '10.0.0.3:8090' }, organizations: { [address(30)]: { url: 'http://10.0.0.3:8090' } } },
      /Third C and Helper D have the same URL/,
    ],
    [
      'no link key',
      { organizations: { [bankB]: { linkKey: `0x${'0'.repeat(64)}` as Bytes32 } } },
      /exec_endpoints\/1: an organization with a link key on chain/,
    ],
  ])('%s is refused, at everyone', (_, twist, reason) => {
    expect(problems(twist).join('\n')).toMatch(reason);
    expect(failed(twist, tokenId(1), bankA).join('\n')).toMatch(/^joint: /m);
    expect(failed(twist, tokenId(2), bankB).length).toBeGreaterThan(0);
  });

  it('is checked when the algorithm is composed, before any daemon has a link key', () => {
    const none = { linkKey: `0x${'0'.repeat(64)}` as Bytes32 };
    const rules = (twist: Twist) => checkAsset(facts(twist)).flatMap((clause) => (clause.passed ? [] : [clause.rule]));
    expect(rules({ organizations: { [bankA]: none, [bankB]: none } })).toEqual([]);
    expect(rules({ endpoints: { 0: bankA, 1: bankB, 2: bankA } })).toEqual(['joint']);
  });
});

describe('may a daemon take part', () => {
  it('owners for their own tokens, the helper for the algorithm', () => {
    expect(failed({}, tokenId(1), bankA)).toEqual([]);
    expect(failed({}, tokenId(3), bankA)).toEqual([]);
    expect(failed({}, tokenId(2), bankB)).toEqual([]);
    expect(failed({}, tokenId(20), third)).toEqual([]);
  });

  it('a helper helps in jobs of its own organization, unless its owner says otherwise', () => {
    const other = { endpoints: { 0: bankA, 1: bankB, 2: address(30) } };
    expect(failed(other, tokenId(20), address(30))).toEqual([expect.stringMatching(/^joint: a job of 0x0+1e itself/)]);
    expect(failed(other, tokenId(20), address(30), 'any')).toEqual([]);
    expect(failed({}, tokenId(20), third, 'none')).toEqual([expect.stringMatching(/^joint: a daemon that helps in joint jobs/)]);
  });

  it('who has data in the job, or no seat, is no helper', () => {
    expect(failed({}, tokenId(20), bankA).join()).toContain('a seat without data for this organization');
    expect(failed({}, tokenId(20), address(30), 'any').join()).toContain('a seat without data for this organization');
  });
});

describe('names', () => {
  it('a session says which job and spec it is about, and nothing else is taken for one', () => {
    const { spec } = buildJobSpec(facts());
    const digest = digestOfSpec(spec);
    const session = jointSession(spec.job, digest, (spec.joint ?? [])[0]!);
    expect(parseJointSession(session)).toMatchObject({ job: 3n, spec: digest });
    expect(session.length).toBeLessThanOrEqual(128);
    for (const text of ['', 'joint', `${session} `, session.slice(0, -1), session.toUpperCase(), `x${session}`])
      expect(parseJointSession(text)).toBeUndefined();
  });

  it('addresses are found wherever a document names parties, and only there', () => {
    const deep = {
      services: [{ descriptor: { workflow: { x: { constraint: { exec_endpoints: { 0: bankA, 1: '10.0.0.1:1', 2: 7 } } } } } }],
    };
    expect(partiesNamed([deep, { owner: bankB }])).toEqual([bankA]);
  });

  it('code that imports the kit makes a joint operator where its template asks who computes where', () => {
    const code = "import { runOperator } from 'compute-to-data/privacy';";
    expect(isJointCode(code, params)).toBe(true);
    expect(isJointCode(code, { lr: {} })).toBe(false);
    expect(isJointCode('// compute-to-data/privacy', params)).toBe(false);
    expect(() =>
      buildOperator(
        { metadata: { main: { type: 'Operation', name: 'x' } }, runtime: 'node', operation: code, params: {}, joint: true },
        OPERATOR,
        bankA,
        created,
      ),
    ).toThrow(/a joint operator needs the key party_id/);
  });
});
