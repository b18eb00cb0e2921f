import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FollowingIndex } from '../../../src/catalog/index/following-index.js';
import type { AddressBook } from '../../../src/ledger/evm/address-book.js';
import { connectLedger } from '../../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../../src/ledger/evm/deploy-toolkit.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { type DevChain, startAnvilChain } from '../../support/dev-chains.js';
import { wordOf } from '../../support/generated-chain.js';
import { contentsOf } from '../../support/index-contents.js';
import { openRpcGate } from '../../support/rpc-gate.js';

describe('the index of a real chain', () => {
  let chain: DevChain;
  let book: AddressBook;
  let ledger: Ledger;
  let folder: string;
  const wallet = Wallet.createRandom();
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-index-'));
    chain = await startAnvilChain();
    book = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: wallet, admin: wallet.address });
    ledger = connect();
    await register(ledger);
  }, 60_000);
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  });

  const register = (by: Ledger): Promise<void> => {
    const roles = { name: 'Bank', description: '', url: '', linkKey: wordOf('key'), isAggregator: true, isProvider: true };
    return by.registerOrganization({ address: by.signer, ...roles });
  };
  const connect = (rpcUrl = chain.rpcUrl): Ledger => {
    const connected = connectLedger({ rpcUrl, addressBook: book, signer: wallet });
    closing.push(() => connected.close());
    return connected;
  };
  const indexOf = (rpcUrl?: string, place?: string, notices: string[] = []): FollowingIndex => {
    const onNotice = (text: string) => notices.push(text);
    const index = new FollowingIndex({ ledger: connect(rpcUrl), onNotice, ...(place !== undefined && { folder: join(folder, place) }) });
    closing.push(() => index.close());
    return index;
  };
  const mint = (name: string, children: Parameters<Ledger['mintToken']>[2] = []) =>
    ledger.mintToken(wordOf(name), wordOf(`${name} document`), children);

  it('goes back to where the chain was reorganized, and on from there', async () => {
    const notices: string[] = [];
    const index = indexOf(undefined, 'reorganized', notices);
    const [a, b] = [await mint('a'), await mint('b')];
    const snapshot = await chain.rpc('evm_snapshot');
    const gone = await mint('gone', [a, b]);
    await ledger.grant(a, gone, 0);
    expect(await index.read((found) => found.edge(a, gone)?.grant)).toBe('granted');

    await chain.rpc('evm_revert', snapshot);
    // Other blocks of the same heights.
    await ledger.createTask('another history', '');
    const kept = await mint('kept', [b, a]);
    await ledger.grant(b, kept, 0);
    await index.read((found) => {
      expect(found.token(gone)).toBeUndefined();
      expect(found.wentInto(a).map(({ composite }) => composite)).toEqual([kept]);
      expect(found.edge(b, kept)?.grant).toBe('granted');
      expect(found.tasks().map(({ name }) => name)).toEqual(['another history']);
    });
    expect(await index.read(contentsOf)).toBe(await indexOf().read(contentsOf));
    expect(notices).toEqual([]);
    expect(await index.check()).toBe(true);
  });

  it('is shorter after blocks were taken away and none came', async () => {
    const index = indexOf(undefined, 'shorter');
    const snapshot = await chain.rpc('evm_snapshot');
    const gone = await mint('gone again');
    expect(await index.read((found) => found.token(gone)?.id)).toBe(gone);
    await chain.rpc('evm_revert', snapshot);
    expect(await index.read((found) => found.token(gone))).toBeUndefined();
    expect(await index.read(contentsOf)).toBe(await indexOf().read(contentsOf));
  });

  it('is the same from an endpoint that gives few blocks at a time, batches none, or tells no times', async () => {
    const truth = await indexOf().read(contentsOf);
    const narrow = await openRpcGate(chain.rpcUrl, {
      edit: ({ id, method, params }, answer) => {
        const [filter] = params as readonly { fromBlock?: string; toBlock?: string }[];
        const blocks = method === 'eth_getLogs' ? Number(filter?.toBlock ?? 0) - Number(filter?.fromBlock ?? 0) : 0;
        return Number.isNaN(blocks) || blocks > 2 ? { jsonrpc: '2.0', id, error: { code: -32005, message: 'range too large' } } : answer;
      },
    });
    const single = await openRpcGate(chain.rpcUrl, {
      instead: (batch) => (batch ? { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no batches' } } : undefined),
    });
    closing.push(
      () => narrow.close(),
      () => single.close(),
    );
    for (const { rpcUrl } of [narrow, single]) expect(await indexOf(rpcUrl).read(contentsOf)).toBe(truth);
  });

  it('is built again when the chain was started anew, with the same contracts at the same addresses', async () => {
    const notices: string[] = [];
    const index = indexOf(undefined, 'anew', notices);
    await index.read(() => undefined);
    const port = Number(new URL(chain.rpcUrl).port);
    await chain.close();
    chain = await startAnvilChain(undefined, port);
    const again = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: wallet, admin: wallet.address });
    expect(again.market).toBe(book.market);
    const writer = connect();
    await register(writer);
    await writer.createTask('of a new chain', '');
    expect(await index.read((found) => [found.tokens().length, found.tasks().map(({ name }) => name)])).toEqual([0, ['of a new chain']]);
    expect(notices).toEqual([expect.stringContaining('The chain is another')]);
  });
});
