import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FilesystemStore } from '../../../src/content-store/filesystem-store.js';
import { canonicalBytes } from '../../../src/documents/canonical.js';
import { type Bytes32, parseAddress, parseBytes32, type TokenId } from '../../../src/documents/ids.js';
import type { AddressBook } from '../../../src/ledger/evm/address-book.js';
import { createCodecs } from '../../../src/ledger/evm/codecs.js';
import { connectLedger } from '../../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../../src/ledger/evm/deploy-toolkit.js';
import type { Ledger, LedgerEvent } from '../../../src/ledger/ledger.js';
import { anchorLoop } from '../../../src/tracer-daemon/pipeline/anchor-loop.js';
import { anchorReceipts, reopenLost } from '../../../src/tracer-daemon/pipeline/anchor-receipts.js';
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';
import type { Store } from '../../../src/tracer-daemon/store/store.js';
import { type DevChain, startAnvilChain } from '../../support/dev-chains.js';
import { newRun, problem } from '../store/store-fixtures.js';

const LEASE_MS = 5000;

describe('anchoring receipts', () => {
  let chain: DevChain;
  let book: AddressBook;
  let bank: Ledger;
  let third: Ledger;
  let algorithm: TokenId;
  let leaves: readonly TokenId[];
  let foreign: TokenId;
  let task: bigint;
  let folder: string;
  let records: FilesystemStore;
  let store: Store;
  let now = Date.now();
  let from = 0;

  beforeAll(async () => {
    chain = await startAnvilChain();
    folder = await mkdtemp(join(tmpdir(), 'dt-anchors-'));
    records = new FilesystemStore(join(folder, 'records'));
    const [admin, owner, demander] = [Wallet.createRandom(), Wallet.createRandom(), Wallet.createRandom()];
    book = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: admin, admin: admin.address });
    const connect = (signer: { address: string; signTransaction: Wallet['signTransaction'] }) =>
      connectLedger({ rpcUrl: chain.rpcUrl, addressBook: book, signer });
    const ledger = connect(admin);
    [bank, third] = [connect(owner), connect(demander)];
    for (const { signer } of [bank, third]) {
      const texts = { name: 'Bank', description: '', url: '', linkKey: random() };
      await ledger.registerOrganization({ address: parseAddress(signer), ...texts, isAggregator: true, isProvider: true });
    }
    leaves = [await bank.mintToken(random(), random(), []), await bank.mintToken(random(), random(), [])];
    foreign = await third.mintToken(random(), random(), []);
    algorithm = await third.mintToken(random(), random(), [...leaves, foreign]);
    for (const leaf of leaves) await bank.grant(leaf, algorithm, 0);
    await third.grant(foreign, algorithm, 0);
    await third.activate(algorithm);
    task = await third.createTask('t', 'd');
  }, 60_000);

  beforeEach(async () => {
    store = await openStore({ url: `sqlite:${join(folder, `${random()}.db`)}`, now: () => now });
    from = (await bank.head()).block + 1;
  });
  afterEach(() => store.close());
  afterAll(async () => {
    for (const ledger of [bank, third]) ledger?.close();
    await chain?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const deps = (ledger: Ledger = bank) => ({
    ledger,
    store,
    records,
    log: pino({ enabled: false }),
    config: { jobs: { folder: join(folder, 'jobs') } },
  });
  const plan = async () => {
    const found = await store.runs.claimAnchor({ workerId: 'w', leaseMs: LEASE_MS, limit: 100 });
    if (found === undefined) throw new Error('nothing waits');
    return found;
  };
  /** A finished run of a job of its own, with a receipt along this path. */
  const receipt = async (path: readonly TokenId[], outcome = 'refused'): Promise<Bytes32> => {
    const jobId = await third.addJob(task, algorithm);
    const digest = await records.put(canonicalBytes({ receipt: { path, outcome, job: jobId.toString() }, signature: '0x' }));
    const run = { ...newRun(jobId), token: path.at(-1)! };
    await store.runs.recordRefusal(run, { failure: problem('DT_POLICY_DENIED'), receiptDigest: digest });
    now += 1;
    return digest;
  };
  const events = async <Kind extends LedgerEvent['kind']>(kind: Kind) =>
    (await bank.events(from)).filter((event): event is Extract<LedgerEvent, { kind: Kind }> => event.kind === kind);
  const verifiedByContract = async (root: Bytes32, digest: Bytes32, proof: readonly Bytes32[]): Promise<boolean> => {
    const codec = createCodecs().of('receipts');
    const data = codec.encodeFunctionData('verify', [bank.signer, root, digest, proof]);
    const answer = await chain.rpc('eth_call', { to: book.receipts, data }, 'latest');
    return codec.decodeFunctionResult('verify', String(answer))[0] === true;
  };

  it('takes all that wait into one transaction, each with a proof that the contract takes', async () => {
    const digests = [await receipt([algorithm, leaves[0]!]), await receipt([algorithm, leaves[1]!]), await receipt([algorithm])];
    await anchorReceipts(deps(), await plan());
    const [anchored, ...more] = await events('receipts-anchored');
    expect(more).toEqual([]);
    expect(anchored).toMatchObject({ by: bank.signer, count: 3 });
    // A helper brings no leaf: its receipt is below the root, and nothing is reported of it.
    const reports = await events('job-reported');
    expect(reports.map((report) => [report.receipt, report.anchor, report.state])).toEqual(
      digests.slice(0, 2).map((digest) => [digest, anchored?.root, 'refused']),
    );
    const runs = await store.runs.list();
    expect(runs.map(({ receiptDigest }) => receiptDigest).sort()).toEqual([...digests].sort());
    for (const { receiptDigest, anchor, settlement, settlementTransaction } of runs) {
      expect({ settlement, settlementTransaction }).toEqual({ settlement: 'anchored', settlementTransaction: anchored?.transaction });
      expect(anchor?.root).toBe(anchored?.root);
      expect(await verifiedByContract(anchor!.root, receiptDigest!, anchor!.proof)).toBe(true);
      expect(await verifiedByContract(anchor!.root, random(), anchor!.proof)).toBe(false);
    }
  });

  it('leaves out a report that the chain refuses and one whose receipt is damaged, and anchors all', async () => {
    const good = await receipt([algorithm, leaves[0]!]);
    await receipt([algorithm, foreign]);
    const damaged = await receipt([algorithm, leaves[1]!]);
    await writeFile(records.pathOf(damaged), 'torn');
    const { root, runs } = await plan();
    await anchorReceipts(deps(), { root, runs });
    expect(await events('receipts-anchored')).toMatchObject([{ root, count: 3 }]);
    expect((await events('job-reported')).map((event) => event.receipt)).toEqual([good]);
    expect((await store.runs.list()).map(({ settlement }) => settlement)).toEqual(['anchored', 'anchored', 'anchored']);
  });

  it('does nothing twice when the daemon dies between the transaction and writing that down', async () => {
    await receipt([algorithm, leaves[0]!]);
    const { root, runs } = await plan();
    const dying = { ...store, runs: { ...store.runs, markAnchored: () => Promise.reject(new Error('killed')) } };
    await expect(anchorReceipts({ ...deps(), store: dying }, { root, runs })).rejects.toThrow('killed');
    await receipt([algorithm, leaves[1]!]);
    now += LEASE_MS;
    const again = await plan();
    expect(again).toMatchObject({ root, runs: [{ runId: runs[0]!.runId }] });
    await anchorReceipts(deps(), again);
    const [first, ...others] = await events('receipts-anchored');
    expect(others).toEqual([]);
    expect(await events('job-reported')).toHaveLength(1);
    expect(await store.runs.get(runs[0]!.runId)).toMatchObject({ settlement: 'anchored', settlementTransaction: first?.transaction });
    expect(await store.runs.pendingSettlements()).toHaveLength(1);
  });

  it('stays with what waits when the chain takes nothing of an organization', async () => {
    const stranger = connectLedger({ rpcUrl: chain.rpcUrl, addressBook: book, signer: Wallet.createRandom() });
    await receipt([algorithm, leaves[0]!]);
    await expect(anchorReceipts(deps(stranger), await plan())).rejects.toMatchObject({ details: { name: 'OrganizationUnknown' } });
    expect(await store.runs.pendingSettlements()).toHaveLength(1);
    stranger.close();
  });

  it('goes again where a reorganization has taken it from the chain, alone and with all of its plan', async () => {
    await receipt([algorithm, leaves[0]!]);
    await anchorReceipts(deps(), await plan());
    await receipt([algorithm, leaves[0]!]);
    await receipt([algorithm, leaves[1]!]);
    const snapshot = await chain.rpc('evm_snapshot');
    const { root, runs } = await plan();
    await anchorReceipts(deps(), { root, runs });
    await reopenLost(deps());
    expect(await store.runs.pendingSettlements()).toEqual([]);
    await chain.rpc('evm_revert', snapshot);
    expect(await bank.anchorOf(bank.signer, root)).toBeUndefined();
    await reopenLost(deps());
    expect((await store.runs.pendingSettlements()).map(({ runId }) => runId)).toEqual(runs.map(({ runId }) => runId));
    await anchorReceipts(deps(), await plan());
    expect(await bank.anchorOf(bank.signer, root)).toMatchObject({ count: 2 });
    expect((await store.runs.list()).map(({ settlement }) => settlement)).toEqual(['anchored', 'anchored', 'anchored']);
  });

  it('lets receipts gather while a transaction is on its way', async () => {
    const gates: (() => void)[] = [];
    const sent: number[] = [];
    const slow: Ledger = Object.create(bank, {
      anchorReceipts: {
        value: async (batch: Parameters<Ledger['anchorReceipts']>[0]) => {
          sent.push(batch.count);
          await new Promise<void>((resolve) => gates.push(resolve));
          return bank.anchorReceipts(batch);
        },
      },
    });
    const loop = anchorLoop({ ...deps(), ledger: slow }, 'w');
    try {
      await receipt([algorithm, leaves[0]!]);
      loop.wake();
      await expect.poll(() => gates.length).toBe(1);
      for (let i = 0; i < 4; i++) {
        await receipt([algorithm, leaves[i % 2]!]);
        loop.wake();
      }
      gates[0]!();
      await expect.poll(() => gates.length).toBe(2);
      gates[1]!();
      await expect.poll(async () => (await store.runs.pendingSettlements()).length).toBe(0);
      expect(sent).toEqual([1, 4]);
      expect(await events('job-reported')).toHaveLength(5);
    } finally {
      loop.stop();
    }
  });
});

const random = (): Bytes32 => parseBytes32(`0x${randomBytes(32).toString('hex')}`);
