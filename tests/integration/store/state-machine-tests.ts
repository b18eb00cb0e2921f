import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OwnerAnswer } from '../../../src/documents/receipt/receipt.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { Lease } from '../../../src/tracer-daemon/store/run.js';
import { isFinal, isLegal, isLegalOutcome, type RunOutcome, runStates } from '../../../src/tracer-daemon/store/run-state.js';
import type { Store } from '../../../src/tracer-daemon/store/store.js';
import type { NewBench } from './store-conformance.js';
import { address, digest, newRun, problem } from './store-fixtures.js';

const outcomes: readonly RunOutcome[] = ['succeeded', 'failed', 'canceled', 'refused'];
const QUEUE_LIMIT = 3;

type LeaseStep =
  | { readonly do: 'advance'; readonly lease: number; readonly to: 'running' | 'releasing' }
  | { readonly do: 'settle'; readonly lease: number; readonly outcome: RunOutcome }
  | { readonly do: 'finish'; readonly lease: number; readonly receipt: boolean }
  | { readonly do: 'park'; readonly lease: number; readonly to: 'awaiting-approval' | 'held' }
  | { readonly do: 'giveBack' | 'renew'; readonly lease: number };

type Step =
  | LeaseStep
  | { readonly do: 'work'; readonly lease: number; readonly outcome: RunOutcome }
  | { readonly do: 'enqueue' | 'refuse' | 'cancel' | 'rerun' | 'anchor' | 'expire' | 'ask' | 'lose'; readonly job: number }
  | { readonly do: 'answer'; readonly job: number; readonly outcome: OwnerAnswer['outcome'] }
  | { readonly do: 'claim' | 'claimSettling' | 'recover' | 'restart'; readonly worker: number }
  | { readonly do: 'wait'; readonly ms: number };

const LEASE_MS = 1000;
const job = fc.integer({ min: 1, max: 4 });
const worker = fc.integer({ min: 1, max: 2 });
// Most steps use the newest lease, so that runs get far; the others try old ones.
const lease = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 30 }));
const outcome = fc.constantFrom(...outcomes);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('enqueue', 'refuse', 'cancel', 'rerun', 'anchor', 'expire', 'ask', 'lose'), job }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('answer'), job, outcome: fc.constantFrom('approved', 'approved', 'refused', 'expired') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('enqueue'), job }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('claim', 'claim', 'claimSettling', 'recover', 'restart'), worker }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('work'), lease: fc.constant(0), outcome: fc.oneof(fc.constant('succeeded' as const), outcome) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance'), lease, to: fc.constantFrom('running', 'releasing') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('park'), lease, to: fc.constantFrom('awaiting-approval', 'held') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle'), lease, outcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish'), lease, receipt: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('giveBack', 'renew'), lease }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(500, 2000) }) },
);

/** What the test itself knows: who holds which run until when. */
interface World {
  readonly store: Store;
  readonly clock: { time: number };
  /** Newest first; none is ever removed, so old ones are tried again and again. */
  readonly leases: Lease[];
  readonly holders: Map<string, { readonly lease: Lease; until: number }>;
}

const expected = ['DT_JOB_STATE', 'DT_JOB_UNKNOWN', 'DT_JOB_QUEUE_FULL'];
const failure = problem('DT_JOB_FAILED');

async function take(world: World, s: Step): Promise<void> {
  if ('lease' in s) {
    const held = world.leases[s.lease % Math.max(world.leases.length, 1)];
    if (held !== undefined) await useLease(world, held, s.do === 'work' ? await nextStep(world.store, held, s) : s);
    return;
  }
  const { runs } = world.store;
  const run = 'job' in s ? (await runs.list({ jobId: BigInt(s.job) }))[0] : undefined;
  const runId = run?.runId ?? 'none';
  switch (s.do) {
    case 'enqueue':
      await runs.enqueue(newRun(s.job, { maxAttempts: 2 }), { queueLimit: QUEUE_LIMIT });
      return;
    case 'ask':
      await runs.enqueue(newRun(s.job, { maxAttempts: 2, awaitsUntil: world.clock.time + 1 }), { queueLimit: QUEUE_LIMIT });
      return;
    case 'answer': {
      const answer = { outcome: s.outcome, at: '2026-01-02T03:04:05.000Z', subject: digest('subject') };
      await runs.answer(runId, answer, { failure });
      return;
    }
    case 'lose':
      await runs.endWaiting(runId, failure);
      return;
    case 'refuse':
      await runs.recordRefusal(newRun(s.job), { failure, receiptDigest: digest('refusal') });
      return;
    case 'cancel':
      await runs.requestCancel(runId, address('alice'));
      return;
    case 'rerun':
      await runs.rerun(runId, { queueLimit: QUEUE_LIMIT }).catch((error: unknown) => {
        if (!(error instanceof ToolkitError && expected.includes(error.code))) throw error;
      });
      return;
    case 'anchor':
      await runs
        .claimAnchor({ workerId: 'w1', leaseMs: 0, limit: 2 })
        .then((plan) => (plan === undefined ? false : runs.markAnchored(plan.root, digest('tx'))));
      return;
    case 'expire':
      await runs.markExpired(runId);
      return;
    case 'claim':
    case 'claimSettling': {
      const got = await runs[s.do]({ workerId: `w${s.worker}`, leaseMs: LEASE_MS });
      if (got === undefined) return;
      expect(world.holders.has(got.run.runId), 'only what nobody holds is handed out').toBe(false);
      world.leases.unshift(got.lease);
      world.holders.set(got.run.runId, { lease: got.lease, until: world.clock.time + LEASE_MS });
      return;
    }
    case 'recover':
    case 'restart':
      return recover(world, `w${s.worker}`, s.do === 'restart');
    case 'wait':
      world.clock.time += s.ms;
  }
}

async function recover(world: World, workerId: string, atStart: boolean): Promise<void> {
  const { requeued, ended, settling } = await world.store.runs.recover({ workerId, atStart });
  const dead = [...world.holders].filter(
    ([
      ,
      {
        lease: { workerId: owner },
        until,
      },
    ]) => (owner === workerId ? atStart : until <= world.clock.time),
  );
  expect([...requeued, ...ended, ...settling].map(({ runId }) => runId).sort()).toEqual(dead.map(([runId]) => runId).sort());
  for (const [runId] of dead) world.holders.delete(runId);
}

/** The step that is right for the state of the run, so that runs come to an end at all. */
async function nextStep(
  store: Store,
  held: Lease,
  { lease: index, outcome: wanted }: { lease: number; outcome: RunOutcome },
): Promise<LeaseStep> {
  const state = (await store.runs.get(held.runId))?.state;
  if (state === 'staging') return { do: 'advance', lease: index, to: 'running' };
  if (state === 'running')
    return wanted === 'succeeded' ? { do: 'advance', lease: index, to: 'releasing' } : { do: 'settle', lease: index, outcome: wanted };
  if (state === 'releasing')
    return wanted === 'refused' ? { do: 'park', lease: index, to: 'held' } : { do: 'settle', lease: index, outcome: wanted };
  return { do: 'finish', lease: index, receipt: wanted !== 'failed' };
}

async function useLease(world: World, held: Lease, s: LeaseStep): Promise<void> {
  const { runs } = world.store;
  const holder = world.holders.get(held.runId);
  const current = holder?.lease === held;
  const before = await runs.get(held.runId);
  let done: boolean;
  try {
    if (s.do === 'advance') done = await runs.advance(held, s.to);
    else if (s.do === 'settle')
      done = await runs.settle(held, s.outcome === 'succeeded' ? { outcome: s.outcome } : { outcome: s.outcome, failure });
    else if (s.do === 'park') done = await runs.park(held, s.to, { deadlineAt: world.clock.time + 1, grantsEndAt: undefined });
    else if (s.do === 'finish') done = await runs.finish(held, s.receipt ? digest('receipt') : undefined);
    else if (s.do === 'giveBack') done = await runs.giveBack(held);
    else done = await runs.renewLease(held, LEASE_MS);
  } catch (error) {
    expect(error).toMatchObject({ code: 'DT_JOB_STATE' });
    expect(current, 'whoever lost the run is told so first').toBe(true);
    expect(await runs.get(held.runId), 'a refused step changes nothing').toEqual(before);
    return;
  }
  expect(done, 'a lease works exactly as long as it is held').toBe(current);
  if (!current) expect(await runs.get(held.runId)).toEqual(before);
  if (s.do === 'settle' && current) expect(before !== undefined && isLegalOutcome(before.state, s.outcome)).toBe(true);
  if (done && (s.do === 'finish' || s.do === 'giveBack' || s.do === 'park')) world.holders.delete(held.runId);
  if (done && s.do === 'renew' && holder !== undefined) holder.until = world.clock.time + LEASE_MS;
}

async function checkWorld({ store }: World): Promise<void> {
  const runs = await store.runs.list();
  expect(runs.filter(({ state }) => state === 'queued').length).toBeLessThanOrEqual(QUEUE_LIMIT + 2);
  for (const run of runs) {
    expect(isFinal(run.state)).toBe(run.finishedAt !== undefined);
    expect(run.outcome !== undefined).toBe(isFinal(run.state) || run.state === 'settling');
    if (isFinal(run.state)) expect(run.outcome).toBe(run.state);
    if (run.state === 'succeeded') expect(run.hold?.outcome ?? 'approved').toBe('approved');
    if (['queued', 'awaiting-approval', 'held'].includes(run.state)) expect(run.workerId).toBeUndefined();
    expect(run.deadlineAt !== undefined).toBe(run.state === 'awaiting-approval' || run.state === 'held');
    if (['staging', 'running', 'releasing'].includes(run.state)) expect(run.workerId).toBeDefined();
    if (run.settlement !== 'none') expect(run.receiptDigest !== undefined && isFinal(run.state)).toBe(true);
    expect(run.attempt).toBeLessThanOrEqual(run.maxAttempts);
    if (run.expiredAt !== undefined) continue;
    const told = (await store.events.read(run.runId, 0, 5000)).flatMap((event) => (event.kind === 'state' ? [event.payload.state] : []));
    expect(told.at(-1)).toBe(run.state);
    for (const [index, to] of told.entries()) {
      const from = told[index - 1];
      if (from !== undefined && from !== to) expect(isLegal(from, to), `${from} to ${to}`).toBe(true);
    }
  }
}

export function stateMachineTests(newBench: NewBench): void {
  test('no sequence of calls makes an illegal step, lets a lost lease write, or leaves a run half changed', {
    timeout: 120_000,
  }, async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 120 }), async (steps) => {
        const bench = await newBench();
        try {
          const clock = { time: bench.time };
          const store = await bench.open({ now: () => clock.time });
          const world: World = { store, clock, leases: [], holders: new Map() };
          for (const s of steps) {
            try {
              await take(world, s);
            } catch (error) {
              if (!(error instanceof ToolkitError) || !['DT_JOB_STATE', 'DT_JOB_UNKNOWN', 'DT_JOB_QUEUE_FULL'].includes(error.code))
                throw error;
            }
          }
          await checkWorld(world);
          for (const { runId } of await store.runs.list()) {
            for (const event of await store.events.read(runId, 0, 5000)) if (event.kind === 'state') reached.add(event.payload.state);
          }
        } finally {
          await bench.dispose();
        }
      }),
      { numRuns: 60 },
    );
    // Otherwise the sequences are too tame to prove anything.
    expect([...reached].sort()).toEqual([...runStates].sort());
  });
}
