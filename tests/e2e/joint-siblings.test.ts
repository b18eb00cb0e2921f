import { rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyFiles } from '../../src/actions/tracer/verify-job.js';
import { type JsonObject, sha256 } from '../../src/documents/canonical.js';
import { parseSignedReceipt, type Receipt } from '../../src/documents/receipt/receipt.js';
import { DaemonClient } from '../../src/peers/daemon-client.js';
import type { RunView } from '../../src/peers/run-view.js';
import { type Part, type PartedJob, partedJob, partNames, releasedFiles } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';

const outcome = ({ state, failure }: RunView): string => `${state} ${failure?.code ?? ''}`;

describe('two runs of one seat, of which a kill leaves one without the other', () => {
  let joint: JointWorld<BankRole>;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 6 }, jobs: { attempts: 3 } });
  });
  afterAll(() => joint.close());

  const receiptOf = async ({ party, run }: Part): Promise<Receipt> => parseSignedReceipt(await party.client.receipt(run!.id)).receipt;
  const folderOf = ({ run }: Part): string => join(joint.a.folder, 'jobs', run!.id);
  /** What is left of the computation beside a run of bank A, when the kill comes. */
  const leaveFinished = async (part: Part, { joint: record, exit, usage, sandbox }: Receipt): Promise<void> => {
    const data = { [joint.tokens.a0]: sha256(Buffer.from('x\n1\n2\n')), [joint.tokens.a2]: sha256(Buffer.from('label\n0\n')) };
    const left = { record, exit: { exitCode: exit?.code, exitSignal: null, aborted: false, ...usage, report: sandbox }, data };
    await mkdir(folderOf(part), { recursive: true });
    await writeFile(join(folderOf(part), 'finished.json'), JSON.stringify(left));
  };
  /** The owner puts other data in the place of what a token stands for. */
  const exchange = async (part: Part, text: string): Promise<void> => {
    const { context } = joint.a;
    const { token } = part.party;
    const document = await context.content.get((await context.ledger.tokenTree(token)).tokens[0]!.digest);
    const { client } = part.party;
    const owner = new DaemonClient({
      url: new URL(client.url),
      domain: context.ledger.ref,
      organization: joint.a.address,
      signer: joint.a.wallet,
    });
    const path = await joint.a.data(`${part.name}-other.csv`, text);
    await owner.holdAsset({ token, path, document: JSON.parse(Buffer.from(document!).toString('utf8')) as JsonObject });
  };
  const succeeded = async (): Promise<PartedJob> => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask(...partNames);
    expect((await job.ends(...partNames)).map(outcome)).toEqual(partNames.map(() => 'succeeded '));
    for (const part of Object.values(job.parts)) await part.settled();
    return job;
  };
  /** What the store knows of the run when its daemon is killed while it is at this state. */
  const killedAt = async (state: 'running' | 'releasing', { run }: Part, meanwhile: () => Promise<void> = async () => undefined) => {
    await joint.a.daemon.close();
    const store = new DatabaseSync(join(joint.a.folder, 'state.db'));
    const left = store.prepare(
      `update runs set state = ?, worker_id = 'killed', lease_expires_at = 0, outcome = null, failure = null, receipt_digest = null,
       settlement = 'none', settlement_transaction = null, anchor_root = null, anchor_proof = null, finished_at = null where run_id = ?`,
    );
    expect(left.run(state, run!.id).changes).toBe(1);
    store.close();
    await meanwhile();
    await joint.a.restart();
  };

  it('the one that leads releases what all have confirmed, though its sibling has ended well and no peer is there', async () => {
    const { parts } = await succeeded();
    const before = await receiptOf(parts.a0);
    await joint.b.daemon.close();
    await killedAt('releasing', parts.a0, () => leaveFinished(parts.a0, before));
    const run = await parts.a0.end();
    await joint.b.restart();
    expect(outcome(run)).toBe('succeeded ');
    expect(run.outputs.map(({ name }) => name)).toEqual(['result.json']);
    expect(releasedFiles(joint.a, run.id)).toEqual(['result.json']);
    expect((await receiptOf(parts.a0)).joint).toEqual(before.joint);
  });

  it('the one that leads and has lost its result says so', async () => {
    const { parts } = await succeeded();
    await killedAt('releasing', parts.a0, async () => rmSync(folderOf(parts.a0), { recursive: true }));
    const run = await parts.a0.end();
    expect(outcome(run)).toBe('failed DT_JOINT_ALREADY_RELEASED');
    expect(releasedFiles(joint.a, run.id)).toEqual([]);
  });

  it('the one that brings data ends as well as the one that leads has', async () => {
    const { parts } = await succeeded();
    const led = await receiptOf(parts.a0);
    await killedAt('releasing', parts.a2, () => leaveFinished(parts.a2, led));
    expect(outcome(await parts.a2.end())).toBe('succeeded ');
    expect(await receiptOf(parts.a2)).toMatchObject({ outputs: [], joint: led.joint, exit: led.exit, usage: led.usage });
  });

  it.each(['a0', 'a2'] as const)('what was computed on other data is no result of %s, whose owner has exchanged it since', async (name) => {
    const { parts } = await succeeded();
    const before = await receiptOf(parts.a0);
    await exchange(parts[name], 'x\n7\n');
    await killedAt('releasing', parts[name], () => leaveFinished(parts[name], before));
    const run = await parts[name].end();
    await exchange(parts[name], name === 'a0' ? 'x\n1\n2\n' : 'label\n0\n');
    expect(outcome(run)).toBe('failed DT_JOINT_ALREADY_RELEASED');
    expect(releasedFiles(joint.a, run.id)).toEqual([]);
    expect((await receiptOf(parts[name])).input).toBeUndefined();
  });

  it('what a kill right after the end leaves in a job folder is gone at the next start, so that it can be verified', async () => {
    const { parts } = await succeeded();
    const folder = folderOf(parts.a0);
    const { content, ledger } = joint.c.context;
    const verified = async () => (await verifyFiles({ content, ledger }, folder)).verified;
    await joint.a.daemon.close();
    await leaveFinished(parts.a0, parseSignedReceipt(JSON.parse(await readFile(join(folder, 'receipt.json'), 'utf8'))).receipt);
    await writeFile(join(folder, 'ending.json'), '{}');
    expect(await verified()).toBe(false);
    await joint.a.restart();
    await expect.poll(verified, { timeout: 30_000 }).toBe(true);
  });

  it('the one that brings data ends with the one that leads, which has failed', async () => {
    const { parts, ...job } = await partedJob(joint, { mode: 'ok' });
    await job.ask('a0', 'a2', 'c');
    const [a0] = await job.ends('a0', 'a2', 'c');
    expect(outcome(a0 as RunView)).toBe('failed DT_JOINT_PEER_ABSENT');
    for (const part of [parts.a0, parts.a2]) await part.settled();
    await killedAt('running', parts.a2);
    const a2 = await parts.a2.end();
    expect(outcome(a2)).toBe('failed DT_JOINT_PEER_FAILED');
    expect(a2.failure?.message).toContain('Bank B did not come');
  });

  it('the one that brings data does not wait for ever for the one that leads', async () => {
    const { parts, ...job } = await partedJob(joint, { mode: 'ok' });
    await job.ask('a2');
    const a2 = await parts.a2.end();
    expect(outcome(a2)).toBe('failed DT_JOINT_PEER_ABSENT');
    expect(a2.failure?.message).toContain(joint.tokens.a0);
  });
});
