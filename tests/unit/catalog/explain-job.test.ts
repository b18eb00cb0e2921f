import { describe, expect, it } from 'vitest';
import { explainJob, explainUnresolved } from '../../../src/catalog/explain-job.js';
import type { ExplainFacts, ShareFacts } from '../../../src/catalog/explanation.js';
import { cannotTakePart } from '../../../src/catalog/root-cause.js';
import { type Clause, denial } from '../../../src/documents/decision/decision.js';
import { parseAddress, parseTokenId } from '../../../src/documents/ids.js';
import { type ErrorCode, errorTable } from '../../../src/errors/codes.js';
import { type ErrorDetails, ToolkitError } from '../../../src/errors/toolkit-error.js';

const token = (digit: string) => parseTokenId(`dt:ownership:${digit.repeat(64)}`);
const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`);
const demander = address('d');
const algorithm = token('f');

type Change = Partial<ShareFacts>;
const share = (name: string, digit: string, change: Change): ShareFacts => ({
  token: token(digit),
  asset: `loans ${name.slice(-1).toLowerCase()}`,
  owner: address(digit),
  ownerName: name,
  daemon: `http://${digit}.test/`,
  state: 'succeeded',
  isProblem: false,
  ...change,
});
const failure = (code: ErrorCode, details: ErrorDetails = {}): NonNullable<ShareFacts['failure']> =>
  new ToolkitError(code, details).toJSON() as never;
const failed = (code: ErrorCode, details: ErrorDetails = {}, more: Change = {}): Change => ({
  state: 'failed',
  startedAt: '2026-01-01T00:00:00.000Z',
  failure: failure(code, details),
  ...more,
});
const away: Change = {
  state: 'unreachable',
  isProblem: true,
  failure: failure('DT_PEER_UNREACHABLE', { url: 'http://b.test/', reason: 'connect ECONNREFUSED' }),
};
const peerFailed = (peer: string, reason: string, cause: string): Change => failed('DT_JOINT_PEER_FAILED', { peer, reason, cause });

const factsOf = (a: Change, b: Change = {}, c?: Change, more: Partial<ExplainFacts> = {}): ExplainFacts => ({
  job: 7n,
  task: 3n,
  algorithm,
  isDemander: true,
  isJoint: c !== undefined,
  names: new Map([
    [demander, 'Third C'],
    [address('a'), 'Bank A'],
  ]),
  shares: [share('Bank A', 'a', a), share('Bank B', 'b', b), ...(c === undefined ? [] : [share('Third C', 'c', c)])],
  ...more,
});

const clause = (rule: Clause['rule'], more: Partial<Clause> = {}): Clause => ({
  of: token('b'),
  by: algorithm,
  pointer: '/services/0/descriptor/constraint/bins',
  rule,
  passed: false,
  wouldPass: 'a number from 1 to 10',
  ...more,
});
const denied = (clauses: readonly Clause[], more: Change = {}): Change => ({
  state: 'refused',
  failure: denial(algorithm, clauses).toJSON() as never,
  ...more,
});

/** Of a failure: the shares, whose it is, its code, what the cause must say, what the evidence, what the next step. */
const cases: readonly (readonly [string, ExplainFacts, string, string, RegExp, RegExp, RegExp])[] = [
  [
    'a constraint',
    factsOf({}, denied([clause('match', { required: { maximum: 10 }, offered: 12 }), clause('keys')])),
    'Bank B',
    'DT_POLICY_DENIED',
    /^Bank B refused it\. 2 conditions do not hold; the first, of loans b \(Bank B\): needed is a number from 1 to 10/,
    /match \/services\/0\S* of loans b \(Bank B\), required \{"maximum":10\}, offered 12; would pass: a number from 1 to 10/,
    /arguments pass.*dt asset show --dt dt:ownership:b/,
  ],
  [
    'no grant, at the door',
    factsOf({}, denied([clause('grant', { wouldPass: 'a grant of it' })])),
    'Bank B',
    'DT_POLICY_DENIED',
    /needed is a grant of it/,
    /would pass: a grant/,
    /dt asset grant --dt dt:ownership:b+ --cdt dt:ownership:f+.*dt job exec --task-id 3 --cdt dt:ownership:f/,
  ],
  [
    'a grant that ran out before it started',
    factsOf({}, denied([clause('grant', { wouldPass: 'a grant that has not run out; it ended at 2026' })], { startedAt: 'x' })),
    'Bank B',
    'DT_POLICY_DENIED',
    /it ended at 2026/,
    /grant/,
    /dt job rerun 7/,
  ],
  [
    'a closed task',
    factsOf({}, denied([clause('task', { wouldPass: 'an open task' })])),
    'Bank B',
    'DT_POLICY_DENIED',
    /open task/,
    /task/,
    /dt job init/,
  ],
  ['another key', factsOf({}, denied([clause('consumer')])), 'Bank B', 'DT_POLICY_DENIED', /refused/, /consumer/, /dt key list/],
  [
    'a retired operator',
    factsOf({}, denied([clause('operator', { wouldPass: 'an operator that is not retired' })])),
    'Bank B',
    'DT_POLICY_DENIED',
    /not retired/,
    /operator/,
    /agree to the published operator/,
  ],
  [
    'a role that is gone',
    factsOf({}, denied([clause('organization')])),
    'Bank B',
    'DT_POLICY_DENIED',
    /refused/,
    /organization/,
    /dt system org/,
  ],
  ['changed documents', factsOf({}, denied([clause('spec')])), 'Bank B', 'DT_POLICY_DENIED', /refused/, /spec/, /changed.*dt job exec/],
  [
    'a revoked grant',
    factsOf({}, failed('DT_JOB_REVOKED', { id: 7n })),
    'Bank B',
    'DT_JOB_REVOKED',
    /^At Bank B|grant/,
    /nothing of it was released/,
    /dt asset grant --dt dt:ownership:b/,
  ],
  [
    'a daemon that is away',
    factsOf({}, away),
    'Bank B',
    'DT_PEER_UNREACHABLE',
    /^The daemon of Bank B does not answer at http:\/\/b\.test/,
    /ECONNREFUSED/,
    /dt daemon run.*dt job rerun 7/,
  ],
  [
    'a daemon that is away, of which the chain knows',
    factsOf({}, { ...away, reported: 'failed' }),
    'Bank B',
    'DT_PEER_UNREACHABLE',
    /does not answer/,
    /on chain Bank B has reported: failed/,
    /rerun/,
  ],
  [
    'data that is gone',
    factsOf({}, failed('DT_DATASET_VANISHED', { id: token('b') })),
    'Bank B',
    'DT_DATASET_VANISHED',
    /./,
    /^$/,
    /put the data of loans b back.*dt job rerun 7/,
  ],
  [
    'data that changed',
    factsOf({}, failed('DT_DATASET_CHANGED', { id: token('b') })),
    'Bank B',
    'DT_DATASET_CHANGED',
    /./,
    /^$/,
    /as it was published/,
  ],
  [
    'an operator that failed',
    factsOf({}, failed('DT_JOB_OPERATOR_FAILED', { exit: 'exit code 3', log: 'x' }, { log: ['one', 'no such column: age'] })),
    'Bank B',
    'DT_JOB_OPERATOR_FAILED',
    /^The operator ended with exit code 3 at Bank B\.$/,
    /log: no such column: age/,
    /dt job logs 7 --dt dt:ownership:b/,
  ],
  [
    'a limit',
    factsOf(
      {},
      failed(
        'DT_SANDBOX_LIMIT',
        { limit: 60, unit: 'seconds', resource: 'wall' },
        {
          receipt: {
            outcome: 'failed',
            sandbox: { level: 'namespaces', layers: [], limits: { wallMs: 60_000 } },
            usage: { wallMs: 60_003, peakMemoryBytes: 5 },
            exit: { code: null, signal: 'SIGKILL', limit: 'wall' },
          } as never,
        },
      ),
    ),
    'Bank B',
    'DT_SANDBOX_LIMIT',
    /limit of 60 seconds \(wall\).* at Bank B/,
    /sandbox level namespaces held: wallMs 60000[\s\S]*used: wallMs 60003, peakMemoryBytes 5[\s\S]*ended by wall/,
    /raise sandbox\.limits/,
  ],
  [
    'an output',
    factsOf({}, failed('DT_JOB_OUTPUT_REFUSED', { name: 'x', reason: 'it is a link' }, { log: ['wrote x'] })),
    'Bank B',
    'DT_JOB_OUTPUT_REFUSED',
    /x may not leave: it is a link/,
    /wrote x/,
    /plain files/,
  ],
  [
    'a full queue',
    factsOf({}, { state: 'refused', isProblem: true, failure: failure('DT_JOB_QUEUE_FULL', { limit: 5 }) }),
    'Bank B',
    'DT_JOB_QUEUE_FULL',
    /holds 5 jobs/,
    /^$/,
    /dt job rerun 7/,
  ],
  [
    'an interruption',
    factsOf({}, failed('DT_JOB_INTERRUPTED', { id: 7n, limit: 3 })),
    'Bank B',
    'DT_JOB_INTERRUPTED',
    /3 attempts are used up/,
    /^$/,
    /why its daemon stopped.*dt job rerun 7/,
  ],
  [
    'a cancel',
    factsOf({}, { state: 'canceled', failure: failure('DT_JOB_CANCELED', { id: 7n, by: demander, reason: 'wrong data' }) }),
    'Bank B',
    'DT_JOB_CANCELED',
    /^Third C \(0xd+\) canceled it: wrong data$/,
    /^$/,
    /dt job rerun 7/,
  ],
  [
    'joint: an operator, and who followed',
    factsOf(
      peerFailed('Bank B', 'its operator ended with 3', 'DT_JOB_OPERATOR_FAILED'),
      failed('DT_JOB_OPERATOR_FAILED', { exit: 'exit code 3', log: '' }),
      failed('DT_JOINT_PEER_LOST', { peer: 'Bank A', reason: 'x' }),
    ),
    'Bank B',
    'DT_JOB_OPERATOR_FAILED',
    /at Bank B/,
    /^$/,
    /dt job logs 7/,
  ],
  [
    'joint: an operator at a party that is away since',
    factsOf(
      peerFailed('Bank B', 'its operator ended with 3', 'DT_JOB_OPERATOR_FAILED'),
      away,
      failed('DT_JOINT_PEER_LOST', { peer: 'Bank B', reason: 'x' }),
    ),
    'Bank B',
    'DT_JOINT_PEER_FAILED',
    /^It ended at Bank B: its operator ended with 3$/,
    /told by Bank A/,
    /dt job logs 7 --dt dt:ownership:b/,
  ],
  [
    'joint: who refused, by itself',
    factsOf(
      failed('DT_JOINT_REFUSED', { peer: 'Bank B', reason: 'x' }),
      denied([clause('match')]),
      failed('DT_JOINT_REFUSED', { peer: 'Bank B', reason: 'x' }),
    ),
    'Bank B',
    'DT_POLICY_DENIED',
    /^Bank B refused it/,
    /match/,
    /dt asset show/,
  ],
  [
    'joint: who refused, as the others tell',
    factsOf(failed('DT_JOINT_REFUSED', { peer: 'Bank B', reason: 'no such purpose', refusal: { seat: '1' } }), away, {}),
    'Bank B',
    'DT_JOINT_REFUSED',
    /^At Bank B: Bank B refused its part.*no such purpose|^Bank B refused/,
    /Bank B has signed this refusal[\s\S]*told by Bank A/,
    /dt job status 7/,
  ],
  [
    'joint: who did not come',
    factsOf(
      failed('DT_JOINT_PEER_ABSENT', { peer: 'Bank B', seconds: 60, reason: 'no link' }),
      away,
      peerFailed('Bank A', 'Bank B did not come', 'DT_JOINT_PEER_ABSENT'),
    ),
    'Bank B',
    'DT_PEER_UNREACHABLE',
    /daemon of Bank B does not answer/,
    /ECONNREFUSED/,
    /dt job rerun 7/,
  ],
  [
    'joint: who vanished and is there again',
    factsOf(
      failed('DT_JOINT_PEER_LOST', { peer: 'Bank B', reason: 'the connection broke' }),
      peerFailed('Bank A', 'Bank B was lost', 'DT_JOINT_PEER_LOST'),
      {},
    ),
    'Bank B',
    'DT_JOINT_PEER_LOST',
    /Bank B was lost while the joint job ran/,
    /told by Bank A/,
    /dt job rerun 7/,
  ],
  [
    'joint: who lied',
    factsOf(
      failed('DT_JOINT_TRANSCRIPT', { peer: 'Bank B', reason: '4 messages against 5' }),
      peerFailed('Bank A', 'what it says', 'DT_JOINT_TRANSCRIPT'),
      {},
    ),
    'Bank B',
    'DT_JOINT_TRANSCRIPT',
    /What Bank B says it sent is not what arrived/,
    /told by Bank A/,
    /receipts of both sides/,
  ],
  [
    'joint: given up since one was away',
    factsOf(
      { state: 'canceled', failure: failure('DT_JOB_CANCELED', { by: demander, reason: `${cannotTakePart('Bank B')}down` }) },
      away,
      peerFailed('Bank A', `it was canceled: ${cannotTakePart('Bank B')}down`, 'DT_JOB_CANCELED'),
    ),
    'Bank B',
    'DT_PEER_UNREACHABLE',
    /does not answer/,
    /ECONNREFUSED/,
    /dt job rerun 7/,
  ],
  [
    'joint: canceled by one, and the others followed',
    factsOf(
      peerFailed('Bank B', 'it was canceled by 0x1', 'DT_JOB_CANCELED'),
      { state: 'canceled', failure: failure('DT_JOB_CANCELED', { by: address('a'), reason: 'too slow' }) },
      {},
    ),
    'Bank B',
    'DT_JOB_CANCELED',
    /^Bank A \(0xa+\) canceled it: too slow/,
    /^$/,
    /rerun/,
  ],
];

describe('why a job has failed', () => {
  it.each(cases)('%s', (_, facts, ownerName, code, cause, evidence, next) => {
    const said = explainJob(facts);
    expect(said).toMatchObject({ status: 'failed', code, at: { ownerName } });
    expect(said.cause).toMatch(cause);
    expect(said.evidence.join('\n')).toMatch(evidence);
    expect(`${said.next.text} ${said.next.command ?? ''}`).toMatch(next);
    expect(said.others).toHaveLength(facts.shares.length - 1);
  });

  it.each(Object.keys(errorTable) as readonly ErrorCode[])('whatever ends a run has one cause and one next step: %s', (code) => {
    const names = [...`${errorTable[code].message} ${errorTable[code].hint}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    const details = Object.fromEntries(names.map((name) => [name, `the ${name}`]));
    for (const known of [details, {}]) {
      const said = explainJob(factsOf({}, failed(code, known), undefined, { isJoint: true }));
      expect(said).toMatchObject({ status: 'failed', code, at: { ownerName: 'Bank B' } });
      const words = [said.cause, ...said.evidence, said.next.text, said.next.command ?? ''].join('\n');
      expect(words).not.toMatch(/undefined|\[object/);
      if (known === details) expect(words).not.toMatch(/\{\w+\}/);
      expect(said.cause).not.toBe('');
      expect(said.next.text).not.toBe('');
    }
  });

  it('words of a daemon of another version, or of none that means well, are taken as they are', () => {
    const odd = { code: 'constructor', message: 'odd', hint: 'ask', details: { clauses: [null, 7, {}], peer: { x: 1 } } };
    expect(explainJob(factsOf({ state: 'failed', failure: odd }))).toMatchObject({
      code: 'constructor',
      cause: 'At Bank A: odd',
      next: { text: 'ask' },
    });
    const clauses = [{ of: token('b'), pointer: '/', rule: 'grant' }];
    const refused = { state: 'refused', failure: { code: 'DT_POLICY_DENIED', message: 'm', hint: 'h', details: { clauses } } };
    expect(explainJob(factsOf(refused)).next.text).toContain('dt asset grant');
    expect(explainJob(factsOf({ state: 'failed' })).cause).toBe('At Bank A: it is failed, without a word why');
  });

  it('the parties themselves cannot be told', () => {
    const error = new ToolkitError('DT_DOCUMENT_UNRESOLVED', { id: token('b'), reason: 'nobody has it' });
    expect(explainUnresolved(7n, error)).toMatchObject({ status: 'failed', code: 'DT_DOCUMENT_UNRESOLVED', cause: error.message });
  });
});

describe('why a job is not at its end', () => {
  it.each<[string, ExplainFacts, string, RegExp, string]>([
    [
      'an owner who has not approved',
      factsOf({ state: 'awaiting-approval', deadlineAt: '2026-01-08T00:00:00.000Z' }, { state: 'running' }),
      'waiting',
      /^Bank A has to decide whether the job may run on loans a, until 2026-01-08T00:00:00.000Z\.$/,
      'dt asset holds',
    ],
    [
      'results that are held',
      factsOf({ state: 'succeeded' }, { state: 'held' }),
      'waiting',
      /^It has run\. Bank B has to look at the results and decide whether they leave\.$/,
      'dt asset holds',
    ],
    [
      'a chain that is down',
      factsOf({}, { state: 'queued', isChainDown: true }),
      'waiting',
      /Bank B cannot reach the chain/,
      'dt job status 7',
    ],
    [
      'a request that never came',
      factsOf({}, { state: 'absent' }),
      'waiting',
      /http:\/\/b\.test\/ knows nothing of the job/,
      'dt job rerun 7',
    ],
    ['a queue', factsOf({}, { state: 'queued' }), 'running', /waits in the queue of Bank B/, 'dt job logs 7 --follow'],
    ['a run', factsOf({ state: 'running' }), 'running', /^It is running at Bank A/, 'dt job logs 7 --follow'],
    ['nothing', factsOf({}), 'succeeded', /Every share has succeeded/, 'dt job outputs 7 --out <folder>'],
    [
      'shares of others, to an owner',
      factsOf({}, { state: 'absent' }, undefined, { isDemander: false }),
      'succeeded',
      /that you may see/,
      'dt job outputs 7 --out <folder>',
    ],
  ])('%s', (_, facts, status, cause, command) => {
    const said = explainJob(facts);
    expect(said).toMatchObject({ status, next: { command } });
    expect(said.cause).toMatch(cause);
  });

  it('says what comes of an answer, of none, and who may give it', () => {
    const waiting = factsOf({ state: 'awaiting-approval' }, {}, undefined, { isDemander: false, asker: address('a') });
    const own = explainJob(waiting);
    expect(own.evidence).toEqual([expect.stringMatching(/^approved: .*runs$/), expect.stringMatching(/^refused, or no answer by then: /)]);
    expect(own.next.text).toContain('`dt asset approve 7` or `dt asset refuse 7`');
    expect(explainJob({ ...waiting, asker: demander }).next.text).toMatch(/^Ask Bank A to answer/);
    const held = explainJob(factsOf({ state: 'held' }, {}, {}));
    expect(held.evidence.join()).toMatch(/results are released.*nothing of it leaves$/);
  });

  it('the parties of a joint job wait for the one', () => {
    const said = explainJob(factsOf({ state: 'staging' }, { state: 'absent' }, { state: 'staging' }));
    expect(said).toMatchObject({ status: 'waiting', at: { ownerName: 'Bank B' } });
    expect(said.evidence.join()).toContain('the others wait for it');
    expect(said.others.map(({ state }) => state)).toEqual(['staging', 'staging']);
  });
});
