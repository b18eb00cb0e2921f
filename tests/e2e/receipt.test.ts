import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { checkReceipt } from '../../src/actions/job/check-receipt.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import type { Party } from '../../src/actions/job/job-parties.js';
import { verifyFiles } from '../../src/actions/tracer/verify-job.js';
import { digestOf, sha256 } from '../../src/documents/canonical.js';
import { inputCommitment } from '../../src/documents/receipt/input-commitment.js';
import type { SignedReceipt } from '../../src/documents/receipt/receipt.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import { inputSalt } from '../../src/tracer-daemon/pipeline/settle.js';
import { findsEveryChange } from '../support/changed-folders.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

describe('the receipt of a share', () => {
  let world: World;
  let fintech: Role;
  let bank: BankRole;
  let party: Party;
  let run: RunView;

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A');
    fintech = await world.role('Fintech C');
    const operator = await publish(world, 'op', `import { writeFileSync } from 'node:fs'; writeFileSync('outputs/a.txt', 'a');`, { x: {} });
    const storePath = await bank.data('a.csv', 'id\n1\n');
    const leaf = await mintLeaf(bank, { name: 'l', services: [{ index: 'run', template: operator, constraint: { x: {} } }], storePath });
    const attributes = compositeAttributes('a', 'Algorithm', { [leaf]: { service: 'run', constraint: { x: 1 } } });
    const { dt } = await composeAsset(fintech.context, { attributes });
    const task = await fintech.context.ledger.createTask('t', 'd');
    const share = (await execJob(fintech.context, { task, algorithm: dt, wait: true })).shares[0]!;
    party = share.party;
    run = share.run!;
  });
  afterAll(() => world.close());

  const check = (signed: SignedReceipt | undefined, changed: Partial<RunView> = {}) => {
    const client = signed === undefined ? party.client : { ...party.client, receipt: async () => signed };
    return checkReceipt(fintech.context.ledger.ref, { ...party, client: client as Party['client'] }, { ...run, ...changed });
  };

  it('fits the run, the chain and its owner', async () => {
    expect((await check(undefined)).receipt).toMatchObject({ outcome: 'succeeded', token: party.token, owner: party.owner });
  });

  it('names request, job spec, decision and documents by digest, and how the operator ended', async () => {
    const { receipt } = await check(undefined);
    const folder = join(bank.folder, 'jobs', run.id);
    const digestIn = async (name: string) => sha256(await readFile(join(folder, name)));
    expect(receipt.request).toBe(await digestIn('request.json'));
    expect(receipt.spec).toBe(await digestIn('spec.json'));
    expect(receipt.decision).toBe(await digestIn('decision.json'));
    expect(run.receipt).toBe(await digestIn('receipt.json'));
    expect(receipt.operator).toMatchObject({ version: 1 });
    expect(receipt.exit).toEqual({ code: 0, signal: null });
    expect(receipt.usage?.wallMs).toBeGreaterThan(0);
    expect(receipt.files?.map(({ name }) => name)).toEqual(['args.json', 'operator/operator.mjs']);
    expect(receipt.log?.sha256).toBe(await digestIn('logs/operator.log'));
  });

  it('commits to the data with a salt of its own run', async () => {
    const { receipt } = await check(undefined);
    const salt = inputSalt(bank.daemon.deps.commitmentKey, run.id);
    const data = sha256(Buffer.from('id\n1\n'));
    expect(receipt.input).toBe(inputCommitment(salt, data));
    expect(inputSalt(bank.daemon.deps.commitmentKey, 'another run')).not.toBe(salt);
  });

  it('leaves a job folder with what it tells of, and nothing else', async () => {
    const anchored = async () => expect(await party.client.job(run.id)).toMatchObject({ settlement: 'anchored' });
    await vi.waitFor(anchored, { timeout: 60_000 });
    const entries = await readdir(join(bank.folder, 'jobs', run.id), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    const evidence = ['anchor.json', 'decision.json', 'receipt.json', 'request.json', 'spec.json'];
    expect(files.sort()).toEqual(['a.txt', 'args.json', ...evidence, 'operator.log', 'operator.mjs'].sort());
  });

  it('is verified with its job folder, of which every changed byte is found', async () => {
    const { content, ledger } = fintech.context;
    const verified = async (path: string) => (await verifyFiles({ content, ledger }, path)).verified;
    const folder = join(bank.folder, 'jobs', run.id);
    expect(await verified(folder)).toBe(true);
    const scratch = join(world.folder, 'changed');
    await mkdir(scratch);
    await findsEveryChange([folder], scratch, verified, 40);
  });

  it('does not fit outputs that the daemon invents', async () => {
    const outputs = [{ ...run.outputs[0]!, sizeBytes: 2 }];
    await expect(check(undefined, { outputs })).rejects.toMatchObject({
      code: 'DT_RECEIPT_MISMATCH',
      details: { pointer: '/receipt/outputs' },
    });
  });

  it('does not fit when any of it is changed, even with its digest', async () => {
    const signed = await check(undefined);
    const forged = { ...signed, receipt: { ...signed.receipt, spec: `0x${'00'.repeat(32)}` as never } };
    await expect(check(forged)).rejects.toMatchObject({ details: { pointer: '/' } });
    await expect(check(forged, { receipt: digestOf(forged) })).rejects.toMatchObject({ details: { pointer: '/signature' } });
  });
});
