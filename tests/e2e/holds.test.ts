import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerHolds, listHolds } from '../../src/actions/asset/answer-holds.js';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { followRun } from '../../src/actions/job/follow-run.js';
import { jobExplanation } from '../../src/actions/job/job-explanation.js';
import type { Party } from '../../src/actions/job/job-parties.js';
import { verifyJob } from '../../src/actions/tracer/verify-job.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import type { ReleaseTerms } from '../../src/documents/ddo/release-terms.js';
import type { TokenId } from '../../src/documents/ids.js';
import { parseSignedReceipt, type Receipt } from '../../src/documents/receipt/receipt.js';
import type { ToolkitError } from '../../src/errors/toolkit-error.js';
import { DaemonClient, type HoldView, type RunView } from '../../src/peers/daemon-client.js';
import { PageClient } from '../integration/web/page-client.js';
import { type BankProcess, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

/** Writes the files that its arguments hold; `wait` runs until somebody ends it. */
const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const { files } = JSON.parse(readFileSync('args.json', 'utf8'));
for (const [name, text] of Object.entries(files)) writeFileSync('outputs/' + name, text);
if (files.wait) setInterval(() => {}, 1000);
`;
/** Two seconds: long enough to be seen waiting, short enough to be waited for. */
const SOON = { deadlineHours: 2 / 3600 };
const terms = {
  ruled: {
    outputs: [
      {
        name: 'metrics.json',
        maxBytes: 40,
        schema: { type: 'object', required: ['auc'], properties: { auc: { type: 'number' } }, additionalProperties: false },
      },
      { name: 'groups.csv', minGroupSize: { column: 'n', size: 5 } },
      { name: 'model.json', recipient: 'owner' },
    ],
  },
  held: { outputs: [{ name: '*.txt', hold: true }] },
  heldSoon: { outputs: [{ name: '*.txt', hold: SOON }] },
  approved: { approval: 'manual' },
  approvedSoon: { approval: SOON },
  short: { retentionHours: 1 / 3600 },
  free: {},
} as const satisfies Record<string, ReleaseTerms>;
type Kind = keyof typeof terms;

describe('what the owner of data decides on', () => {
  let world: World;
  let bank: BankProcess;
  let owner: DaemonClient;
  let fintech: Role;
  let operator: TokenId;
  let task: bigint;
  const leaves = new Map<Kind, TokenId>();
  let copies = 0;
  /** Of all that was asked for here. */
  const jobs: bigint[] = [];

  interface Share {
    readonly party: Party;
    readonly run: RunView;
    readonly dt: TokenId;
    readonly leaf: TokenId;
  }
  const submit = async (kind: Kind, files: JsonObject): Promise<Share> => {
    const leaf = leaves.get(kind)!;
    copies += 1;
    const attributes = compositeAttributes(`copy ${copies}`, 'Algorithm', { [leaf]: { service: 'run', constraint: { files } } });
    const { dt } = await composeAsset(fintech.context, { attributes });
    const { shares, job } = await execJob(fintech.context, { task, algorithm: dt, wait: false });
    jobs.push(job);
    const { party, run, problem } = shares[0]!;
    if (run === undefined) throw problem ?? new Error('no run');
    return { party, run, dt, leaf };
  };
  /** The run when it is in that state, by its event stream. */
  const reaches = async ({ party, run }: Share, state: string): Promise<RunView> => {
    for await (const event of party.client.events(run.id))
      if (event.event === 'state' && JSON.parse(event.data).state === state) return party.client.job(run.id);
    throw new Error(`never ${state}, but ${JSON.stringify(await party.client.job(run.id))}`);
  };
  const holdOf = async ({ run }: Share): Promise<HoldView> => {
    const found = (await listHolds(bank.context)).find((hold) => hold.run.id === run.id);
    if (found === undefined) throw new Error('it does not wait');
    return found;
  };
  const receiptOf = async ({ run }: Share): Promise<Receipt> => parseSignedReceipt(await owner.receipt(run.id)).receipt;
  const answer = (share: Share, outcome: 'approve' | 'refuse', reason: string): Promise<readonly RunView[]> =>
    answerHolds(bank.context, { id: share.run.id, outcome, reason });
  const code = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'no error',
      (error: ToolkitError) => error.code,
    );
  const exists = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bankProcess('Bank A', { jobs: { concurrency: 1 }, sandbox: { limits: { wallSeconds: 600 } } });
    owner = new DaemonClient({
      url: new URL(bank.url),
      signer: bank.wallet,
      domain: bank.context.ledger.ref,
      organization: bank.address,
    });
    fintech = await world.role('Fintech C');
    operator = await publish(world, 'files', OPERATOR, { files: {} });
    const storePath = await bank.data('a.csv', 'id\n1\n');
    for (const kind of Object.keys(terms) as Kind[])
      leaves.set(
        kind,
        await mintLeaf(bank, {
          name: kind,
          services: [{ index: 'run', template: operator, constraint: { files: {} }, ...terms[kind] }],
          storePath,
        }),
      );
    task = await fintech.context.ledger.createTask('t', 'd');
  }, 120_000);
  afterAll(() => world.close());

  /** The daemon's page as somebody sees it whom the owner lets operate it. */
  const operatorPage = async (): Promise<PageClient> => {
    const asOwner = new PageClient(bank.url);
    await asOwner.ask('POST', '/v1/session/secret', { secret: (await owner.signInCode()).code });
    const { body } = await asOwner.ask('POST', '/v1/tokens', { role: 'operator', label: 'night shift', hours: 1 });
    const page = new PageClient(bank.url);
    expect(await page.ask('POST', '/v1/session/secret', { secret: body['secret'] })).toMatchObject({ status: 201 });
    return page;
  };

  const groups = 'g,n\nnorth,5\nsouth,81\n';

  it('only what is declared leaves, and what is for the owner stays with it', async () => {
    const share = await submit('ruled', { 'metrics.json': '{"auc": 0.7}', 'groups.csv': groups, 'model.json': '{}', 'rows.csv': 'secret' });
    const ended = await followRun(share.party, share.run);
    expect(ended.state).toBe('succeeded');
    expect(ended.outputs.map(({ name, recipient }) => [name, recipient])).toEqual([
      ['groups.csv', undefined],
      ['metrics.json', undefined],
      ['model.json', 'owner'],
    ]);
    const receipt = await receiptOf(share);
    expect(receipt).toMatchObject({ withheld: 1, outcome: 'succeeded' });
    expect(receipt.wipedAt).toMatch(/^\d{4}-/);
    expect(JSON.stringify(receipt)).not.toContain('rows.csv');
    expect(await (await share.party.client.output(share.run.id, 'metrics.json')).text()).toBe('{"auc": 0.7}');
    expect(await code(share.party.client.output(share.run.id, 'model.json'))).toBe('DT_AUTH_FORBIDDEN');
    expect(await (await owner.output(share.run.id, 'model.json')).text()).toBe('{}');
    const operator = await operatorPage();
    expect(await operator.ask('GET', `/v1/jobs/${share.run.id}/outputs/metrics.json`)).toMatchObject({ status: 200 });
    expect(await operator.ask('GET', `/v1/jobs/${share.run.id}/outputs/model.json`)).toMatchObject({ status: 403 });
    expect(await code(owner.output(share.run.id, 'rows.csv'))).toBe('DT_JOB_OUTPUT_UNKNOWN');
    expect(await exists(join(bank.folder, 'jobs', share.run.id, 'outputs'))).toBe(false);
  });

  it.each<[string, JsonObject, number]>([
    ['a file that is too large', { 'metrics.json': `{"auc": 0.7 ${' '.repeat(40)}}` }, 0],
    ['another form of result', { 'metrics.json': '{"auc": 0.7, "rows": [17]}' }, 0],
    ['a group that is too small', { 'metrics.json': '{"auc": 0.7}', 'groups.csv': 'g,n\nnorth,5\nsouth,4\n' }, 1],
  ])('%s refuses the release by its rule, and no number of it is told', async (_, files, rule) => {
    const share = await submit('ruled', files);
    const ended = await followRun(share.party, share.run);
    expect(ended).toMatchObject({ state: 'refused', outputs: [], failure: { code: 'DT_POLICY_OUTPUT' } });
    expect(ended.failure?.message).toContain(`/services/0/outputs/${rule} of ${share.leaf}`);
    expect(ended.failure?.message).not.toMatch(/\b(17|4|52|0\.7)\b/);
    expect(await receiptOf(share)).toMatchObject({ outcome: 'refused', outputs: [] });
  });

  it('held outputs wait through a kill, are for the owner alone to see, and leave by its word, once', async () => {
    const share = await submit('held', { 'a.txt': 'all of it' });
    expect(await reaches(share, 'held')).toMatchObject({ outputs: [], settlement: 'none' });
    expect(await code(share.party.client.output(share.run.id, 'a.txt'))).toBe('DT_JOB_NOT_FINISHED');
    await bank.kill('SIGKILL');
    await bank.restart();
    const hold = await holdOf(share);
    expect(hold).toMatchObject({ kind: 'outputs', run: { state: 'held' }, outputs: [{ name: 'a.txt', sizeBytes: 9 }] });
    expect(hold.operator?.code).toBe(OPERATOR);
    expect(await (await owner.output(share.run.id, 'a.txt')).text()).toBe('all of it');
    const operator = await operatorPage();
    expect(await operator.ask('GET', `/v1/jobs/${share.run.id}/outputs`)).toMatchObject({ body: { outputs: [] } });
    expect(await operator.ask('GET', `/v1/jobs/${share.run.id}/outputs/a.txt`)).toMatchObject({ body: { code: 'DT_JOB_NOT_FINISHED' } });
    expect(await code(share.party.client.holds())).toBe('DT_AUTH_FORBIDDEN');
    const word = { reason: 'fine', subject: hold.subject! };
    expect(await code(share.party.client.answer(share.run.id, 'approve', word))).toBe('DT_AUTH_FORBIDDEN');
    const other = { reason: 'fine', subject: hold.operator!.digest };
    expect(await code(owner.answer(share.run.id, 'approve', other))).toBe('DT_POLICY_CHANGED');
    await answer(share, 'approve', 'no person in it');
    expect(await followRun(share.party, share.run)).toMatchObject({ state: 'succeeded', outputs: [{ name: 'a.txt' }] });
    expect(await code(owner.answer(share.run.id, 'approve', word))).toBe('DT_JOB_STATE');
    expect(await (await share.party.client.output(share.run.id, 'a.txt')).text()).toBe('all of it');
    const { hold: said, wipedAt } = await receiptOf(share);
    expect(said).toMatchObject({ outcome: 'approved', by: bank.address, reason: 'no person in it', subject: hold.subject });
    expect(wipedAt).toBeDefined();
  });

  it('held outputs that are refused, or that nobody looks at in time, do not leave', async () => {
    const refused = await submit('held', { 'a.txt': 'x' });
    await reaches(refused, 'held');
    await answer(refused, 'refuse', 'names in it');
    const late = await submit('heldSoon', { 'a.txt': 'x' });
    expect(await followRun(refused.party, refused.run)).toMatchObject({
      state: 'refused',
      outputs: [],
      failure: { code: 'DT_POLICY_REFUSED' },
    });
    expect((await owner.job(refused.run.id)).failure?.message).toContain('names in it');
    expect(await code(owner.output(refused.run.id, 'a.txt'))).toBe('DT_JOB_OUTPUT_UNKNOWN');
    expect(await receiptOf(refused)).toMatchObject({ hold: { outcome: 'refused', reason: 'names in it' }, exit: { code: 0 } });
    // The no stands for whoever asked; the owner may change its mind.
    const again = refused.party.client.rerun(refused.run.id);
    await expect(again).rejects.toMatchObject({ code: 'DT_POLICY_REFUSED', message: expect.stringContaining('names in it') });
    await expect.poll(async () => (await owner.job(refused.run.id)).settlement, { timeout: 60_000 }).toBe('anchored');
    expect(['queued', 'staging', 'running']).toContain((await owner.rerun(refused.run.id)).state);
    await expect.poll(async () => (await owner.job(refused.run.id)).state, { timeout: 30_000 }).toBe('held');
    await answer(refused, 'refuse', 'still names in it');
    expect(await followRun(late.party, late.run)).toMatchObject({
      state: 'refused',
      outputs: [],
      failure: { code: 'DT_POLICY_NO_ANSWER' },
    });
    expect((await receiptOf(late)).hold).toMatchObject({ outcome: 'expired' });
  });

  it('a request waits for its owner, who sees code, arguments, data and conditions, and is run by its word', async () => {
    const share = await submit('approved', { 'a.txt': 'x' });
    expect(share.run).toMatchObject({ state: 'awaiting-approval', attempt: 0 });
    await bank.kill('SIGKILL');
    await bank.restart();
    const hold = await holdOf(share);
    expect(hold).toMatchObject({ kind: 'request', arguments: { files: { 'a.txt': 'x' } }, outputs: [] });
    expect(hold.operator?.code).toBe(OPERATOR);
    expect(hold.clauses.length).toBeGreaterThan(5);
    expect(await code(share.party.client.answer(share.run.id, 'approve', { reason: 'x', subject: hold.subject! }))).toBe(
      'DT_AUTH_FORBIDDEN',
    );
    await answer(share, 'approve', 'agreed with their lawyer');
    expect(await followRun(share.party, share.run)).toMatchObject({ state: 'succeeded', approval: { outcome: 'approved' } });
    expect((await receiptOf(share)).approval).toMatchObject({
      reason: 'agreed with their lawyer',
      by: bank.address,
      subject: hold.subject,
    });

    const no = await submit('approved', { 'a.txt': 'y' });
    expect((await holdOf(no)).approved).toMatchObject({ run: share.run.id, operator: hold.operator?.digest });
    await answer(no, 'refuse', 'not for this purpose');
    expect(await followRun(no.party, no.run)).toMatchObject({ state: 'refused', failure: { code: 'DT_POLICY_REFUSED' } });
    expect(await receiptOf(no)).toMatchObject({ outcome: 'refused', approval: { outcome: 'refused', reason: 'not for this purpose' } });
    expect(await code(no.party.client.rerun(no.run.id))).toBe('DT_JOB_STATE');
  });

  it('a no stands for the same request, by the same word, until its owner withdraws it', async () => {
    const same = { 'a.txt': 'z' };
    const no = await submit('approved', same);
    await answer(no, 'refuse', 'not their business');
    const said = (await followRun(no.party, no.run)).approval!;
    const again = await submit('approved', same);
    const message = `not their business (${bank.address} said so of job ${no.run.job} at ${said.at}`;
    const failure = { code: 'DT_POLICY_REFUSED', message: expect.stringContaining(message) };
    expect(await followRun(again.party, again.run)).toMatchObject({ state: 'refused', failure });
    const { subject: _, ...word } = said;
    expect((await receiptOf(again)).approval).toMatchObject(word);
    const explained = await jobExplanation(fintech.context, BigInt(again.run.job));
    expect(explained).toMatchObject({ code: 'DT_POLICY_REFUSED', cause: failure.message });

    const other = await submit('approved', { 'a.txt': 'zz' });
    expect(other.run.state).toBe('awaiting-approval');
    await answer(other, 'refuse', 'no');
    // Whichever of the two it names.
    await answerHolds(bank.context, { id: again.run.job, outcome: 'approve', reason: 'they have explained' });
    expect(await receiptOf(again)).toMatchObject({ approval: word });
    const third = await submit('approved', same);
    expect(third.run.state).toBe('awaiting-approval');
    await answer(third, 'approve', 'fine');
    expect(await followRun(third.party, third.run)).toMatchObject({ state: 'succeeded' });
  });

  it('no answer in time is a no', async () => {
    const late = await submit('approvedSoon', { 'a.txt': 'x' });
    expect(await followRun(late.party, late.run)).toMatchObject({ state: 'refused', failure: { code: 'DT_POLICY_NO_ANSWER' } });
    expect((await receiptOf(late)).approval).toMatchObject({ outcome: 'expired' });
  });

  it('other data after the approval needs another', async () => {
    const leaf = leaves.get('approved')!;
    const busy = await submit('free', { wait: 'x' });
    await reaches(busy, 'running');
    const share = await submit('approved', { 'a.txt': 'x' });
    const before = await holdOf(share);
    await answer(share, 'approve', 'this data');
    expect((await owner.job(share.run.id)).state).toBe('queued');
    const document = (await bank.context.content.get((await bank.context.ledger.tokenTree(leaf)).tokens[0]!.digest))!;
    const path = await bank.data('b.csv', 'id\n2\n');
    await owner.holdAsset({ token: leaf, path, document: JSON.parse(Buffer.from(document).toString('utf8')) as JsonObject });
    await busy.party.client.cancel(busy.run.id);
    await expect.poll(async () => (await owner.job(share.run.id)).state, { timeout: 30_000 }).toBe('awaiting-approval');
    const after = await holdOf(share);
    expect(after.subject).not.toBe(before.subject);
    expect(after.data).not.toBe(before.data);
    expect(await code(owner.answer(share.run.id, 'approve', { reason: 'x', subject: before.subject! }))).toBe('DT_POLICY_CHANGED');
    await answer(share, 'approve', 'that data, too');
    expect(await followRun(share.party, share.run)).toMatchObject({ state: 'succeeded' });
    expect((await receiptOf(share)).approval).toMatchObject({ reason: 'that data, too', subject: after.subject });
  });

  it('whatever the owner said, an outsider verifies it from the receipts', async () => {
    for (const job of jobs) {
      const settled = async (): Promise<boolean> =>
        (await owner.jobs({ job: String(job) })).every(({ settlement }) => settlement === 'anchored');
      await expect.poll(settled, { timeout: 60_000 }).toBe(true);
      expect(await verifyJob(fintech.context, job)).toMatchObject({ verified: true });
    }
  });

  it('a revoked grant ends what waits in the queue, for approval and with held outputs, and what runs', async () => {
    const held = await submit('held', { 'a.txt': 'x' });
    await reaches(held, 'held');
    const running = await submit('free', { wait: 'x' });
    await reaches(running, 'running');
    const queued = await submit('free', { 'a.txt': 'x' });
    const asked = await submit('approved', { 'a.txt': 'x' });
    for (const share of [held, queued, asked, running]) await bank.context.ledger.revoke(share.leaf, share.dt);
    for (const share of [held, queued, asked, running]) {
      const ended = await followRun(share.party, share.run);
      expect(ended).toMatchObject({ state: 'failed', outputs: [], failure: { code: 'DT_JOB_REVOKED' } });
      expect(ended.failure?.message).toContain('a grant was revoked');
    }
    expect(await code(owner.output(held.run.id, 'a.txt'))).toBe('DT_JOB_OUTPUT_UNKNOWN');
    for (const share of [held, running]) {
      expect((await receiptOf(share)).wipedAt).toBeDefined();
      expect(await exists(join(bank.folder, 'jobs', share.run.id, 'inputs'))).toBe(false);
    }
  });

  it('a folder goes when the time that its owner gives is over, and the receipt stays', async () => {
    const share = await submit('short', { 'a.txt': 'x' });
    expect((await followRun(share.party, share.run)).state).toBe('succeeded');
    await expect.poll(() => exists(join(bank.folder, 'jobs', share.run.id)), { timeout: 30_000 }).toBe(false);
    await expect.poll(() => code(share.party.client.output(share.run.id, 'a.txt')), { timeout: 30_000 }).toBe('DT_JOB_OUTPUT_UNKNOWN');
    expect(await receiptOf(share)).toMatchObject({ outcome: 'succeeded', outputs: [{ name: 'a.txt' }] });
  });

  it('a retired operator ends what runs, waits and is held', async () => {
    const held = await submit('held', { 'a.txt': 'x' });
    await reaches(held, 'held');
    const running = await submit('free', { wait: 'x' });
    await reaches(running, 'running');
    const asked = await submit('approved', { 'a.txt': 'x' });
    await world.system.context.ledger.retireOperator(operator);
    for (const share of [held, running, asked]) {
      const ended = await followRun(share.party, share.run);
      expect(ended).toMatchObject({ state: 'failed', failure: { code: 'DT_JOB_REVOKED' } });
      expect(ended.failure?.message).toContain('its operator was retired');
    }
  });
});
