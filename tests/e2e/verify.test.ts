import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { daemonOf } from '../../src/actions/action-context.js';
import { downloadOutputs, refuseOtherJobs } from '../../src/actions/job/download-outputs.js';
import type { ExecJobResult } from '../../src/actions/job/exec-job.js';
import { gatherEvidence } from '../../src/actions/tracer/gather-evidence.js';
import { listReceipts } from '../../src/actions/tracer/list-receipts.js';
import { traceLifecycle, traceUnion } from '../../src/actions/tracer/trace-lifecycle.js';
import { verifyFiles, verifyJob } from '../../src/actions/tracer/verify-job.js';
import { verifyTrace } from '../../src/actions/tracer/verify-trace.js';
import type { Verification } from '../../src/catalog/verify-evidence.js';
import { verifyEvidence } from '../../src/catalog/verify-evidence.js';
import { saveOpening } from '../../src/cli/save-opening.js';
import { canonicalBytes, digestOf } from '../../src/documents/canonical.js';
import type { Decision } from '../../src/documents/decision/decision.js';
import { type Address, parseAddress, type TokenId } from '../../src/documents/ids.js';
import type { JobSpec } from '../../src/documents/job/job-spec.js';
import { receiptTypedData } from '../../src/documents/job/typed-data.js';
import type { EvidenceName, InputOpening } from '../../src/documents/receipt/evidence.js';
import type { Receipt } from '../../src/documents/receipt/receipt.js';
import { findsEveryChange } from '../support/changed-folders.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole, Role } from '../support/world.js';

interface ChangedEvidence {
  readonly receipt: Receipt;
  readonly spec: JobSpec;
  readonly decision: Decision;
}

/** One joint job of three parties and four runs, done once; every case looks at copies of what it left. */
describe('a job is verified from the chain and the documents', () => {
  const auditor = Wallet.createRandom();
  let joint: JointWorld<BankRole>;
  let result: ExecJobResult;
  let folder: string;
  /** Job folders by input, the helper's last. */
  let folders: readonly string[];
  let downloads: string;

  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 30 }, auditors: [parseAddress(auditor.address)] });
    result = await joint.exec({ mode: 'ok', rounds: 2, bytes: 10 });
    for (const { party, run } of result.shares)
      await vi.waitFor(async () => expect(await party.client.job(run?.id as string)).toMatchObject({ settlement: 'anchored' }), {
        timeout: 60_000,
      });
    folder = await mkdtemp(join(tmpdir(), 'dt-verify-'));
    const owners = [joint.a, joint.b, joint.a, joint.c];
    folders = result.shares.map(({ run }, i) => join((owners[i] as BankRole).folder, 'jobs', run?.id as string));
    downloads = join(folder, 'downloads');
    await downloadOutputs(joint.c.context, { job: result.job, folder: downloads });
  });
  afterAll(async () => {
    await joint.close();
    await rm(folder, { recursive: true, force: true });
  });

  const failures = ({ checks }: Verification) => checks.filter(({ state }) => state === 'failed');

  it('outputs of another job do not go into its folder of downloads', async () => {
    await refuseOtherJobs(downloads, result.job);
    await refuseOtherJobs(join(folder, 'none yet'), undefined);
    const other = { code: 'DT_INPUT_OTHER_JOB', details: { path: downloads, job: String(result.job) } };
    for (const job of [undefined, result.job + 1n]) await expect(refuseOtherJobs(downloads, job)).rejects.toMatchObject(other);
    const download = downloadOutputs(joint.c.context, { job: result.job + 1n, folder: downloads });
    await expect(download).rejects.toMatchObject(other);
  });

  it('all parties of it, from their daemons', async () => {
    const verification = await verifyJob(joint.c.context, result.job);
    expect(failures(verification)).toEqual([]);
    expect(verification).toMatchObject({ verified: true, job: String(result.job) });
    expect(verification.parties.map(({ party }) => party).sort()).toEqual([
      'Bank A: features-a',
      'Bank A: label-a',
      'Bank B: features-b',
      'Third C: helper',
    ]);
    // What nobody but the owner, or who has the files, can check is said to be that.
    expect([...new Set(verification.checks.flatMap(({ needs }) => needs ?? []))]).toEqual([
      expect.stringContaining('the kit of joint operators'),
      expect.stringContaining('what opens the commitment'),
      expect.stringContaining('a folder of `dt job outputs`'),
    ]);
  });

  it('what was downloaded, and each job folder by itself', async () => {
    const { content, ledger } = joint.c.context;
    const all = await verifyFiles({ content, ledger }, downloads);
    expect(failures(all)).toEqual([]);
    expect(all.parties.map(({ verdict }) => verdict)).toEqual(['verified', 'verified', 'verified', 'verified']);
    for (const one of folders) expect(failures(await verifyFiles({ content, ledger }, one)), one).toEqual([]);
  });

  it('without the chain as far as that goes, and says what needs it', async () => {
    const verification = await verifyFiles({ content: joint.c.context.content }, folders[0] as string);
    expect(failures(verification)).toEqual([]);
    const needs = new Set(verification.checks.flatMap(({ needs: what }) => what ?? []));
    expect(needs).toContain('the chain');
  });

  it('finds one byte that was changed, cut off or added anywhere', async () => {
    const { content, ledger } = joint.c.context;
    const verified = async (copy: string) => (await verifyFiles({ content, ledger }, copy)).verified;
    await findsEveryChange([...folders, downloads], folder, verified, 60);
  });

  /** Evidence of bank B, changed and signed again by somebody. */
  async function changed(by: Role, change: (evidence: ChangedEvidence) => void): Promise<Verification> {
    const { content, ledger } = joint.c.context;
    const given = await gatherEvidence(joint.c.context, result.job);
    const forged = await Promise.all(
      given.map(async (one) => {
        if (one.of?.token !== joint.tokens.b1) return one;
        const read = (name: EvidenceName) => JSON.parse(Buffer.from(one.documents[name] as Uint8Array).toString('utf8'));
        const evidence: ChangedEvidence = { receipt: read('receipt').receipt, spec: read('spec'), decision: read('decision') };
        change(evidence);
        const { spec, decision } = evidence;
        const receipt = { ...evidence.receipt, spec: digestOf(spec), decision: digestOf(decision) };
        const seal = { job: BigInt(receipt.job), dataToken: receipt.token, receipt: digestOf(receipt) };
        const { domain, types, values } = receiptTypedData(receipt.chain, seal);
        const signed = { receipt, signature: await by.wallet.signTypedData(domain, types, values) };
        const documents = { receipt: canonicalBytes(signed), spec: canonicalBytes(spec), decision: canonicalBytes(decision) };
        return { ...one, documents: { ...one.documents, ...documents } };
      }),
    );
    return verifyEvidence(forged, { content, ledger, isWholeJob: true });
  }

  const failedNames = (verification: Verification): readonly string[] => failures(verification).map(({ name }) => name);

  it('believes no receipt that somebody else has signed', async () => {
    const verification = await changed(joint.c, ({ receipt }) => Object.assign(receipt, { software: 'another' }));
    expect(verification.first).toMatchObject({ name: 'signature', party: 'Bank B: features-b', expected: joint.b.address });
    expect(verification.parties.filter(({ verdict }) => verdict === 'failed').map(({ party }) => party)).toEqual(['Bank B: features-b']);
  });

  it('believes no receipt of another chain', async () => {
    const verification = await changed(joint.b, ({ receipt }) => Object.assign(receipt, { chain: { ...receipt.chain, chainId: 1 } }));
    expect(failedNames(verification)).toContain('chain');
  });

  it('finds a daemon that lies about what crossed the wire, although it signs for it', async () => {
    const verification = await changed(joint.b, ({ receipt }) => {
      const peer = receipt.joint?.peers[0];
      if (peer?.sent !== undefined) Object.assign(peer.sent, { bytes: peer.sent.bytes + 1 });
    });
    expect(failedNames(verification)).toEqual(expect.arrayContaining(['report', 'link']));
    expect(failures(verification).find(({ name, party }) => name === 'link' && party === 'Bank B: features-b')).toMatchObject({
      found: expect.stringContaining('21 bytes'),
    });
  });

  it('finds a decision with a clause that was never checked, although its daemon signs for it', async () => {
    const verification = await changed(joint.b, ({ decision }) => {
      Object.assign(decision, { clauses: decision.clauses.slice(1) });
    });
    expect(failedNames(verification)).toEqual(expect.arrayContaining(['clauses', 'report', 'peers']));
  });

  it('finds a run that its owner had refused, although the daemon signs for it', async () => {
    const verification = await changed(joint.b, ({ receipt }) => {
      Object.assign(receipt, { approval: { outcome: 'refused', at: receipt.finishedAt, by: receipt.owner, subject: receipt.spec } });
    });
    expect(failedNames(verification)).toEqual(expect.arrayContaining(['terms', 'report']));
  });

  it('finds arguments that nobody agreed to, although the daemon signs for them', async () => {
    const verification = await changed(joint.b, ({ spec, decision }) => {
      const step = spec.steps.find(({ token }) => token === joint.tokens.b1);
      Object.assign(step?.arguments ?? {}, { model_args: { mode: 'other' } });
      Object.assign(decision, { spec: digestOf(spec) });
    });
    expect(failedNames(verification)).toEqual(expect.arrayContaining(['spec', 'request', 'arguments', 'report']));
  });

  it('is verified by an auditor, who is shown no log and no output', async () => {
    const context = { ...joint.c.context, signer: auditor };
    expect((await verifyJob(context, result.job)).verified).toBe(true);
    const [share] = result.shares;
    const url = new URL(share?.party.client.url as string);
    const client = daemonOf(context, share?.party.owner as Address, url);
    const id = share?.run?.id as string;
    await expect(client.job(id)).resolves.toMatchObject({ state: 'succeeded' });
    await expect(client.logs(id)).rejects.toMatchObject({ code: 'DT_JOB_UNKNOWN' });
    await expect(client.output(id, 'result.json')).rejects.toMatchObject({ code: 'DT_JOB_UNKNOWN' });
    await expect(client.cancel(id)).rejects.toMatchObject({ code: 'DT_JOB_UNKNOWN' });
    const stranger = daemonOf({ ...context, signer: Wallet.createRandom() }, share?.party.owner as Address, url);
    await expect(stranger.evidence(id)).rejects.toMatchObject({ code: 'DT_JOB_UNKNOWN' });
  });

  it('shows in traces what is verified, and lists the receipts on chain', async () => {
    const { context } = joint.c;
    const algorithm = result.shares.at(-1)?.party.token as TokenId;
    const up = await verifyTrace(context, await traceLifecycle(context, joint.tokens.a0));
    const job = up.children.flatMap(({ jobs }) => jobs).find((one) => one.job === String(result.job));
    expect(job?.reports.map(({ verdict }) => verdict)).toEqual(['verified', 'verified', 'verified']);
    expect(job?.missing).toEqual([]);
    const down = await verifyTrace(context, await traceUnion(context, algorithm));
    expect(down.children.map(({ receipts }) => receipts.map(({ verdict }) => verdict))).toEqual([['verified'], ['verified'], ['verified']]);
    const listed = await listReceipts(context, { job: result.job, organization: 'bank b' });
    expect(listed).toMatchObject([{ token: joint.tokens.b1, state: 'succeeded', reporterName: 'Bank B', isReplaced: false }]);
    expect(await listReceipts(context, { state: 'refused' })).toEqual([]);
  });

  it('tells whether a file is the data, to its owner, and to whom the owner gives what opens the commitment', async () => {
    const { a, b, c } = joint;
    const [own, other] = [join(a.folder, 'data', 'features-a.csv'), join(b.folder, 'data', 'features-b.csv')];
    const verification = await verifyJob(a.context, result.job, { data: own });
    expect(verification.opened).toMatchObject({ token: joint.tokens.a0 });
    expect(failures(verification).filter(({ name }) => name === 'input')).toEqual([]);
    expect(verification.checks).toContainEqual(expect.objectContaining({ name: 'input', at: 'opening.json#/sha256', state: 'passed' }));
    const wrong = await verifyJob(a.context, result.job, { data: other });
    expect(wrong.opened).toBeUndefined();
    expect(failures(wrong).map(({ name, at }) => `${name} ${at}`)).toContain('input opening.json#/sha256');
    const opening = join(folder, 'opening.json');
    await saveOpening(opening, verification.opened?.opening as InputOpening);
    await expect(saveOpening(opening, verification.opened?.opening as InputOpening)).rejects.toMatchObject({ code: 'DT_INPUT_FILE' });
    expect((await verifyJob(c.context, result.job, { data: own, opening })).verified).toBe(true);
    expect((await verifyJob(c.context, result.job, { data: other, opening })).verified).toBe(false);
    const { content, ledger } = c.context;
    expect((await verifyFiles({ content, ledger }, folders[0] as string, { data: own, opening })).verified).toBe(true);
    // Nobody gave the third party anything, so it has not been shown.
    const withheld = await verifyJob(c.context, result.job, { data: own });
    expect(withheld.first).toMatchObject({ name: 'input', found: 'none that does' });
  });

  it('names a party of whom there is nothing', async () => {
    const { content, ledger } = joint.c.context;
    const given = await gatherEvidence(joint.c.context, result.job);
    const verification = await verifyEvidence(given.slice(1), { content, ledger, isWholeJob: true });
    expect(verification.parties.filter(({ verdict }) => verdict === 'missing')).toHaveLength(1);
    expect(verification.first).toMatchObject({
      name: 'receipt',
      found: expect.stringMatching(/^withheld, while the chain has its report/),
    });
  });

  it('names a party whose daemon cannot be asked, and verifies the others', async () => {
    await joint.b.daemon.close();
    const verification = await verifyJob(joint.c.context, result.job);
    const verdicts = Object.fromEntries(verification.parties.map(({ party, verdict }) => [party, verdict]));
    expect(verdicts).toMatchObject({ 'Bank A: features-a': 'verified', 'Bank B: features-b': 'missing', 'Third C: helper': 'verified' });
    await joint.b.restart();
  });
});
