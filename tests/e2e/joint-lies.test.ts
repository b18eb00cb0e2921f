import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerOrganization } from '../../src/actions/system/register-organization.js';
import { digestOf } from '../../src/documents/canonical.js';
import type { Address, Bytes32, TokenId } from '../../src/documents/ids.js';
import { LinkKey } from '../../src/peers/link/link-key.js';
import type { RunView } from '../../src/peers/run-view.js';
import { signDecision } from '../../src/tracer-daemon/joint/sign-decision.js';
import { eventsOf, type PartedJob, partedJob, releasedFiles } from '../support/joint-parts.js';
import { asProcess, createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import { ScriptedPeer, sentOn, sessionOf, type Talk } from '../support/scripted-peer.js';
import type { BankProcess, BankRole, Role } from '../support/world.js';

const ROUNDS = 2;
const BYTES = 10;
const honest = ['a0', 'a2', 'c'] as const;
const another = digestOf({ spec: 'another' });

/** Says done, truly, and waits for the other side's. */
async function finish(talk: Talk): Promise<string> {
  const execution = await talk.agree();
  const data = await talk.compute(execution, ROUNDS, BYTES);
  await talk.say({ kind: 'done', execution, sent: sentOn(data) });
  await talk.hear('done');
  return execution;
}

const helloWith = async (talk: Talk, decision: { spec?: Bytes32; by?: Role; allowed?: boolean; token?: 'a0' }): Promise<object> => {
  const { by = talk.by.self, spec = talk.job.resolved.specDigest, allowed = true, token = 'b1' } = decision;
  const deps = { domain: by.context.ledger.ref, signer: by.wallet };
  const made = { token: talk.job.parts[token].party.token, decision: spec, allowed };
  return { ...(await talk.hello()), decisions: [await signDecision(deps, { job: talk.job.job, spec }, made)] };
};

/** What a false peer does with each of the others at once, what they must say of it, and whether their operators may have been started. */
const lies: readonly (readonly [string, (talk: Talk, world: JointWorld<BankRole>) => Promise<unknown>, RegExp, boolean])[] = [
  ['a decision signed by somebody else', async (talk, { c }) => talk.say(await helloWith(talk, { by: c })), /is signed by 0x/, false],
  ['a decision about another spec', async (talk) => talk.say(await helloWith(talk, { spec: another })), /about another job spec/, false],
  [
    'a decision about the token of another',
    async (talk) => talk.say(await helloWith(talk, { token: 'a0' })),
    /is not its own in this job/,
    false,
  ],
  ['a refusal in a hello', async (talk) => talk.say(await helloWith(talk, { allowed: false })), /does not fit what it says/, false],
  ['no decision', async (talk) => talk.say({ ...(await talk.hello()), decisions: [] }), /no decision about/, false],
  [
    'a refusal without a decision',
    (talk) => talk.say({ kind: 'refused', decisions: [], reason: 'x' }),
    /refused without a decision/,
    false,
  ],
  ['another version', async (talk) => talk.say({ ...(await talk.hello()), version: 2 }), /speaks version 2 of the joint protocol/, false],
  ['no JSON', (talk) => talk.say(Buffer.from('{"kind":')), /no JSON/, false],
  ['no object', (talk) => talk.say(Buffer.from('[1]')), /no object/, false],
  ['an unknown kind', (talk) => talk.say({ kind: '__proto__' }), /unknown kind/, false],
  ['a message of 1 MB', (talk) => talk.say(Buffer.alloc(1_000_000, 32)), /a message of 1000000 bytes/, false],
  ['the wrong order', (talk) => talk.say({ kind: 'confirmed', execution: 'ab'.repeat(32) }), /sent confirmed in the place of hello/, false],
  [
    'that it waits for its owner, again and again',
    async (talk) => {
      for (let times = 0; times < 50; times += 1) await talk.say({ kind: 'waiting', until: Date.now() + 3_600_000 + times });
    },
    /said waiting more than 8 times/,
    false,
  ],
  [
    'hello twice',
    async (talk) => {
      await talk.say(await talk.hello());
      await talk.say(await talk.hello());
    },
    /sent hello in the place of agreed/,
    false,
  ],
  [
    'a release that never was',
    async (talk) => talk.say(await talk.hello({ committed: true, finished: 'cd'.repeat(32) })),
    /has released its part/,
    false,
  ],
  ['a release of nothing', async (talk) => talk.say(await talk.hello({ committed: true })), /has released its part/, false],
  [
    'an agreement to something else',
    async (talk) => {
      await talk.say(await talk.hello());
      await talk.say({ kind: 'agreed', execution: 'cd'.repeat(32) });
    },
    /agreed with the others on another execution/,
    false,
  ],
  [
    'another nonce to each',
    async (talk) => {
      await talk.say(await talk.hello({ nonce: talk.peer.slice(2, 34).repeat(2) }));
      await talk.hear('hello');
      const { execution } = await talk.hear('agreed');
      await talk.say({ kind: 'agreed', execution });
    },
    /agreed with the others on another execution/,
    false,
  ],
  [
    'done before it began',
    async (talk) => {
      const execution = await talk.agree();
      await talk.say({ kind: 'done', execution, sent: { bytes: 0, messages: 0, sha256: 'ab'.repeat(32) } });
    },
    /it is done before it began|sent done in the place of/,
    true,
  ],
  [
    'done with something else',
    async (talk) => {
      const execution = await talk.agree();
      const data = await talk.compute(execution, ROUNDS, BYTES);
      await talk.say({ kind: 'done', execution: 'cd'.repeat(32), sent: sentOn(data) });
    },
    /done with something else/,
    true,
  ],
  [
    'false counts',
    async (talk) => {
      const execution = await talk.agree();
      const data = await talk.compute(execution, ROUNDS, BYTES);
      await talk.say({ kind: 'done', execution, sent: { ...sentOn(data), bytes: 1 } });
    },
    /is not what arrived here/,
    true,
  ],
  [
    'a false hash',
    async (talk) => {
      const execution = await talk.agree();
      const data = await talk.compute(execution, ROUNDS, BYTES);
      await talk.say({ kind: 'done', execution, sent: { ...sentOn(data), sha256: 'ab'.repeat(32) } });
    },
    /is not what arrived here/,
    true,
  ],
  [
    'confirmed something else',
    async (talk) => {
      await finish(talk);
      await talk.say({ kind: 'confirmed', execution: 'cd'.repeat(32) });
    },
    /confirmed something else/,
    true,
  ],
  [
    'an end in words that would paint a terminal',
    async (talk) => {
      await talk.agree();
      await talk.say({ kind: 'ended', code: 'DT_X', message: `\u001b[2J${'x'.repeat(50_000)}`, echo: false });
    },
    /ended at Bank B: {2}\[2Jx{10}/,
    true,
  ],
  // Nothing that lives is waited for without end: not for its agreement, its end or its confirmation.
  ['silence', () => Promise.resolve(), /did not say hello|did not come to the joint job/, false],
  ['silence after its hello', async (talk) => talk.say(await talk.hello()), /did not say agreed|did not come to the joint job/, false],
  [
    'silence before its end',
    async (talk) => talk.compute(await talk.agree(), ROUNDS, BYTES),
    /did not say done|did not come to the joint job/,
    true,
  ],
  ['silence in the place of its confirmation', finish, /did not say confirmed|did not come to the joint job/, true],
];

const untilAll = async (job: PartedJob): Promise<readonly RunView[]> => job.ends(...honest);

describe('a party that lies', () => {
  let joint: JointWorld<BankRole>;
  let peer: ScriptedPeer;
  let algorithm: TokenId;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 2 }, sandbox: { limits: { wallSeconds: 3 } } });
    algorithm = await joint.algorithm({ mode: 'ok', rounds: ROUNDS, bytes: BYTES });
    // While bank B's daemon is there its documents come to the others.
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask('a0', 'b1', 'a2', 'c');
    for (const { state } of await job.ends('a0', 'b1', 'a2', 'c')) expect(state).toBe('succeeded');
    await joint.b.daemon.close();
    peer = await ScriptedPeer.open(joint.b, [joint.a, joint.c]);
  });
  afterAll(async () => {
    await peer.close();
    await joint.b.restart();
    await joint.close();
  });

  it.each(lies)('%s', async (_, lie, says, mayRun) => {
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask(...honest);
    const ended = untilAll(job);
    const talks = Promise.allSettled([joint.a, joint.c].map(async ({ address }) => lie(await peer.control(address, job), joint)));
    const runs = await ended;
    await talks;
    for (const run of runs) expect(`${run.state} ${run.failure?.code}`).toMatch(/^failed DT_JOINT_/);
    // Who found it says so, and the others name it.
    expect(runs.map(({ failure }) => failure?.message)).toContainEqual(expect.stringMatching(says));
    for (const run of runs) {
      expect(run.failure?.message.length).toBeLessThan(5_000);
      expect(run.failure?.message).not.toMatch(/\p{Cc}/u);
      expect(run.outputs).toEqual([]);
    }
    for (const [i, name] of honest.entries()) {
      const { states } = await eventsOf(job.parts[name]);
      if (!mayRun) expect(states).not.toContain('running');
      expect(states).not.toContain('releasing');
      expect(releasedFiles(name === 'c' ? joint.c : joint.a, (runs[i] as RunView).id)).toEqual([]);
    }
  });

  /** What bank B's daemon would pass on to another of bank A's refusal, if `by` had signed it. */
  const heardOfA = async (talk: Talk, by: Role, allowed = false): Promise<object> => {
    const { specDigest } = talk.job.resolved;
    const made = { token: joint.tokens.a0, decision: specDigest, allowed };
    const decision = await signDecision(
      { domain: by.context.ledger.ref, signer: by.wallet },
      { job: talk.job.job, spec: specDigest },
      made,
    );
    const refusal = { seat: '0', decisions: [decision], reason: 'no such purpose' };
    return { kind: 'ended', code: 'DT_JOINT_REFUSED', message: 'Bank A refused its part', echo: true, refusal };
  };

  it('a refusal that is passed on is that of the one who refused', async () => {
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask('c');
    const talk = await peer.control(joint.c.address, job);
    await talk.say(await talk.hello());
    await talk.say(await heardOfA(talk, joint.a));
    const c = await job.parts.c.end();
    expect(`${c.state} ${c.failure?.code}`).toBe('failed DT_JOINT_REFUSED');
    expect(c.failure?.message).toMatch(/^Bank A refused its part.*no such purpose/);
    expect(c.failure?.details).toMatchObject({ refusal: { seat: '0', decisions: [{ token: joint.tokens.a0, allowed: false }] } });
  });

  it.each([
    ['is not signed by who refused', (talk: Talk) => heardOfA(talk, joint.b), /what it passed on as Bank A's decision.*is signed by 0x/],
    ['is none', (talk: Talk) => heardOfA(talk, joint.a, true), /what it passed on as Bank A's decision.*does not fit/],
  ])('a refusal that is passed on and %s is the lie of the one who did', async (_, lie, says) => {
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask('c');
    const talk = await peer.control(joint.c.address, job);
    await talk.say(await talk.hello());
    await talk.say(await lie(talk));
    const c = await job.parts.c.end();
    expect(`${c.state} ${c.failure?.code}`).toBe('failed DT_JOINT_PROTOCOL');
    expect(c.failure?.message).toMatch(/^Bank B does not keep/);
    expect(c.failure?.message).toMatch(says);
  });

  it('who hears of a refusal passes it on, so that all name the one who refused', async () => {
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask(...honest);
    const toC = await peer.control(joint.c.address, job);
    await toC.say(await toC.hello());
    await toC.hear('hello');
    const toA = await peer.control(joint.a.address, job);
    const { decisions } = (await helloWith(toA, { allowed: false })) as Awaited<ReturnType<Talk['hello']>>;
    await toA.say({ kind: 'refused', decisions, reason: 'not these' });
    for (const run of await untilAll(job)) {
      expect(`${run.state} ${run.failure?.code}`).toBe('failed DT_JOINT_REFUSED');
      expect(run.failure?.message).toMatch(/^Bank B refused its part.*not these/);
    }
  });

  it('a hello that is played again does not bring back a computation that was begun', async () => {
    const job = await partedJob(joint, {}, { algorithm });
    await job.ask(...honest);
    const ended = untilAll(job);
    const played = new Map<Address, object>();
    const begin = async (): Promise<string> => {
      const [first, second] = await Promise.all(
        [joint.a, joint.c].map(async ({ address }) => {
          const talk = await peer.control(address, job);
          const hello = played.get(address) ?? (await talk.hello());
          played.set(address, hello);
          await talk.say(hello);
          await talk.hear('hello');
          const { execution } = await talk.hear('agreed');
          await talk.say({ kind: 'agreed', execution });
          await talk.hear('offer');
          return { execution, channel: talk.channel };
        }),
      );
      expect(first?.execution).toBe(second?.execution);
      await Promise.all([first?.channel.close(), second?.channel.close()]);
      return first?.execution as string;
    };
    const executions = [await begin(), await begin()];
    expect(new Set(executions).size).toBe(2);
    for (const run of await ended) expect(run.failure?.code).toMatch(/^DT_JOINT_PEER_(LOST|ABSENT|FAILED)$/);
  });

  it('a peer is told nothing about a job in which it has no seat', async () => {
    const job = await partedJob(joint, {}, { algorithm });
    await expect(job.parts.a0.ask(another)).rejects.toMatchObject({ code: 'DT_POLICY_DENIED' });
    const stranger = await joint.world.bank('Stranger S');
    await stranger.daemon.close();
    const asks = await ScriptedPeer.open(stranger, [joint.a]);
    try {
      await expect(asks.control(joint.a.address, job, 1_500)).rejects.toMatchObject({ code: 'DT_LINK_NO_ANSWER' });
      // One that has is told of the refusal, with a signed decision.
      const talk = await peer.control(joint.a.address, job);
      await talk.say(await talk.hello());
      expect(await talk.hear('refused')).toMatchObject({ decisions: [{ token: joint.tokens.a0, allowed: false }] });
    } finally {
      await asks.close();
      await stranger.restart();
    }
  });

  it('an organization whose link key on chain is another is not let in, and the job names it', async () => {
    const { b, world } = joint;
    const before = (await b.context.ledger.operatorsAndOrganizations([], [b.address])).organizations[0]?.linkKey as Bytes32;
    await peer.close();
    await b.restart();
    const setKey = (linkKey: Bytes32) => registerOrganization(world.system.context, { address: b.address, linkKey, isAggregator: true });
    await setKey(LinkKey.create().publicKey);
    try {
      const job = await partedJob(joint, {}, { algorithm });
      await job.ask('a0', 'b1', 'a2', 'c');
      for (const run of await job.ends('a0', 'b1', 'a2', 'c')) {
        expect(run.state).toBe('failed');
        expect(run.failure?.code).toMatch(/^DT_(LINK_(KEY_MISMATCH|REFUSED)|JOINT_PEER_(ABSENT|FAILED))$/);
        expect(run.failure?.message).toMatch(/key|Bank/);
        expect((await eventsOf(job.parts.a0)).states).not.toContain('running');
      }
    } finally {
      await setKey(before);
      await b.daemon.close();
      peer = await ScriptedPeer.open(b, [joint.a, joint.c]);
    }
  });
});

describe('a flood of sessions', () => {
  let joint: JointWorld<BankProcess>;
  beforeAll(async () => {
    joint = await createJointWorld(asProcess, { link: { peerWaitSeconds: 20 } });
  });
  afterAll(() => joint.close());

  const residentMiB = async (pid: number): Promise<number> =>
    Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

  it('costs the daemon little memory and no job', async () => {
    const { a, b, c } = joint;
    const job = await partedJob(joint, { mode: 'ok' });
    await b.kill('SIGKILL');
    const flood = await ScriptedPeer.open(b, [a]);
    const before = await residentMiB(a.pid());
    try {
      for (let batch = 0; batch < 20; batch += 1) {
        const names = Array.from({ length: 200 }, (_, i) => {
          const count = batch * 200 + i;
          // Of jobs that do not exist, of none at all, and of one with an end.
          if (count % 3 === 0) return `joint.${count + 1000}.${'ab'.repeat(32)}.${'cd'.repeat(8)}`;
          return count % 3 === 1 ? `nonsense-${count}` : sessionOf(job).replace(/[0-9a-f]{16}$/, String(count).padStart(16, '0'));
        });
        const opened = await Promise.allSettled(
          names.map((name) => flood.hub.channel(a.address, name, 'control', { timeoutMs: 30, transcript: false })),
        );
        expect(opened.filter(({ status }) => status === 'fulfilled')).toEqual([]);
      }
    } finally {
      await flood.close();
    }
    expect((await residentMiB(a.pid())) - before).toBeLessThan(200);
    await b.restart();
    await job.ask('a0', 'b1', 'a2', 'c');
    expect((await job.ends('a0', 'b1', 'a2', 'c')).map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expect(c.pid()).toBeGreaterThan(0);
  });
});
