import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { checkReceipt } from '../../src/actions/job/check-receipt.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import type { Party } from '../../src/actions/job/job-parties.js';
import { digestOf } from '../../src/documents/canonical.js';
import type { SignedReceipt } from '../../src/documents/receipt/receipt.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import { compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

describe('the receipt of a share', () => {
  let world: World;
  let fintech: Role;
  let party: Party;
  let run: RunView;

  beforeAll(async () => {
    world = await createWorld();
    const bank = await world.bank('Bank A');
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
