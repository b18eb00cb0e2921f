import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contract, ContractFactory, getCreateAddress, JsonRpcProvider, Wallet, WebSocketProvider } from 'ethers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { type EmbeddedChain, startEmbeddedChain } from '../../src/ledger/embedded-chain/embedded-chain.js';
import {
  type Answer,
  allBlocks,
  anvilBelow,
  BURN_CODE,
  blockAt,
  CLOCK_CODE,
  call,
  freshWallet,
  isRunning,
  journalIn,
  parentOf,
  post,
  receiptOf,
  result,
  sign,
} from './embedded-chain.support.js';

// Upper bounds for a busy machine; nothing here takes a second on a quiet one.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let running: EmbeddedChain[];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'dt-chain-')), 'chain');
  running = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.map((chain) => chain.close()));
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

async function start(port = 0): Promise<EmbeddedChain> {
  const chain = await startEmbeddedChain({ folder, port, host: '127.0.0.1' });
  running.push(chain);
  return chain;
}

async function deployClock(url: string): Promise<string> {
  const wallet = freshWallet();
  await result(url, 'eth_sendRawTransaction', await sign(wallet, 0, { to: null, data: CLOCK_CODE }));
  return getCreateAddress({ from: wallet.address, nonce: 0 });
}

/** Ends the chain as a kill would leave it: the files as they are now, without the checkpoint of an orderly stop. */
async function crash(chain: EmbeddedChain): Promise<void> {
  const saved = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  await chain.close();
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  for (const [name, bytes] of saved) if (!name.startsWith('lock.db')) writeFileSync(join(folder, name), bytes);
}

const now = () => Math.floor(Date.now() / 1000);

describe('a chain for wallets and programs', () => {
  it('takes transactions of ethers over HTTP from a key without funds, in blocks of now', async () => {
    const chain = await start();
    const before = now();
    const provider = new JsonRpcProvider(chain.url, chain.chainId, { staticNetwork: true, cacheTimeout: -1 });
    provider.pollingInterval = 20;
    const wallet = freshWallet().connect(provider);
    const contract = await new ContractFactory([], CLOCK_CODE, wallet).deploy();
    await contract.waitForDeployment();
    const receipt = await (await wallet.sendTransaction({ to: await contract.getAddress() })).wait();
    expect(receipt?.status).toBe(1);
    expect(receipt?.logs).toHaveLength(1);
    const block = await receipt?.getBlock();
    expect(block?.timestamp).toBeGreaterThanOrEqual(before);
    expect(block?.timestamp).toBeLessThanOrEqual(now());
    expect((await provider.getNetwork()).chainId).toBe(BigInt(chain.chainId));
    provider.destroy();
  });

  it('pushes blocks and logs to ethers over WebSocket, and nothing after unsubscribing', async () => {
    const chain = await start();
    const clock = await deployClock(chain.url);
    const provider = new WebSocketProvider(chain.wsUrl, chain.chainId, { staticNetwork: true });
    const wallet = freshWallet().connect(provider);
    const blocks: number[] = [];
    const pushed = new Promise<string>((resolve) => {
      provider.on({ address: clock }, (log) => resolve(log.transactionHash));
    });
    const nextBlock = new Promise<void>((resolve) => {
      provider.on('block', (number: number) => {
        blocks.push(number);
        resolve();
      });
    });
    // ethers subscribes in the background; a call on the same socket afterwards is answered after the subscription.
    await new Promise((resolve) => setImmediate(resolve));
    await provider.send('eth_blockNumber', []);
    const sent = await wallet.sendTransaction({ to: clock });
    expect(await pushed).toBe(sent.hash);
    await nextBlock;
    expect(blocks).toContain(2);
    expect(await new Contract(clock, ['function now() view returns (uint256)'], provider).getFunction('now')()).toBeTypeOf('bigint');
    await provider.destroy();
  });

  it('passes raw subscriptions through and ends each with its client', async () => {
    const chain = await start();
    const socket = new WebSocket(chain.wsUrl);
    const messages: Record<string, unknown>[] = [];
    let notify = () => {};
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)));
      notify();
    });
    const until = async (test: (message: Record<string, unknown>) => boolean) => {
      for (;;) {
        const found = messages.find(test);
        if (found) return found;
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      }
    };
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'eth_subscribe', params: ['newHeads'] }));
    const id = (await until((message) => message['id'] === 'a'))['result'];
    expect(id).toMatch(/^0x/);
    const wallet = freshWallet();
    await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 0));
    const push = await until((message) => message['method'] === 'eth_subscription');
    expect(push['params']).toMatchObject({ subscription: id, result: { number: '0x1' } });
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'b', method: 'eth_unsubscribe', params: [id] }));
    expect((await until((message) => message['id'] === 'b'))['result']).toBe(true);
    await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 1));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'eth_blockNumber' }));
    expect((await until((message) => message['id'] === 'c'))['result']).toBe('0x2');
    expect(messages.filter((message) => message['method'] === 'eth_subscription')).toHaveLength(1);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await chain.close();
    expect(await closed).toBe(1001);
  });

  it('answers a batch in the order of its calls, and one bad call spoils no other', async () => {
    const chain = await start();
    const wallet = freshWallet();
    const raws = [await sign(wallet, 0), await sign(wallet, 1)];
    const answers = (await post(chain.url, [
      { jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raws[0]] },
      { jsonrpc: '2.0', id: 2, method: 'eth_sendRawTransaction', params: [raws[1]] },
      { jsonrpc: '2.0', id: 'x', method: 'eth_getTransactionCount', params: [wallet.address, 'latest'] },
      { jsonrpc: '2.0', id: 4, method: 'anvil_setBalance', params: [wallet.address, '0x1'] },
      5,
      { jsonrpc: '2.0', method: 'eth_blockNumber', params: [] },
      { jsonrpc: '2.0', id: null, method: 'eth_chainId' },
    ])) as Answer[];
    expect(answers.map((answer) => answer.result ?? answer.error?.code)).toEqual([
      expect.stringMatching(/^0x[0-9a-f]{64}$/),
      expect.stringMatching(/^0x[0-9a-f]{64}$/),
      '0x2',
      -32601,
      -32600,
      '0xc2cc2d',
    ]);
    expect(((await post(chain.url, [])) as Answer).error?.code).toBe(-32600);
    const broken = await fetch(chain.url, { method: 'POST', body: '{"jsonrpc"' });
    expect(((await broken.json()) as Answer).error?.code).toBe(-32700);
    expect((await fetch(chain.url)).status).toBe(405);
  });

  it('refuses everything that would change the chain beside the journal, also over WebSocket', async () => {
    const chain = await start();
    const [unlocked] = ['0xf39fd6e51aad88f6f4ce6ab8827279cff2b92266'];
    const calls: [string, unknown[]][] = [
      ['evm_mine', []],
      ['anvil_mine', ['0x1']],
      ['evm_increaseTime', [1000]],
      ['evm_snapshot', []],
      ['evm_revert', ['0x1']],
      ['anvil_setBalance', [unlocked, '0x1']],
      ['anvil_reset', []],
      ['anvil_loadState', ['0x']],
      ['hardhat_setBalance', [unlocked, '0x1']],
      ['hardhat_impersonateAccount', [unlocked]],
      ['eth_sendTransaction', [{ from: unlocked, to: unlocked }]],
      ['eth_sendUnsignedTransaction', [{ from: unlocked, to: unlocked }]],
      ['eth_sendRawTransactionSync', ['0x00']],
      ['eth_sign', [unlocked, '0x00']],
      ['eth_signTransaction', [{ from: unlocked }]],
      ['personal_sign', ['0x00', unlocked]],
      ['tenderly_setBalance', [unlocked, '0x1']],
      ['something_new', []],
    ];
    const genesis = await blockAt(chain.url, 'latest');
    for (const [method, params] of calls) {
      const { error } = await call(chain.url, method, ...params);
      expect(error, method).toMatchObject({ code: -32601, message: expect.stringContaining(method) });
    }
    const socket = new WebSocket(chain.wsUrl);
    await new Promise((resolve) => socket.once('open', resolve));
    const answered = new Promise<Answer>((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'evm_mine', params: [] }));
    expect((await answered).error?.code).toBe(-32601);
    socket.close();
    expect(await result(chain.url, 'eth_accounts')).toEqual([]);
    expect(await blockAt(chain.url, 'latest')).toEqual(genesis);
  });

  it('serves programs and wallets, not the pages of other sites', async () => {
    const chain = await start();
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
    const status = async (headers: Record<string, string>) =>
      (await fetch(chain.url, { method: 'POST', body: JSON.stringify(body), headers })).status;
    expect(await status({ Origin: 'https://evil.example' })).toBe(403);
    expect(await status({ Origin: 'null' })).toBe(403);
    expect(await status({ Origin: 'http://localhost:5173' })).toBe(200);
    expect(await status({ Origin: 'chrome-extension://abcdef' })).toBe(200);
    const opened = (origin: string) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(chain.wsUrl, { origin });
        socket.once('open', () => {
          socket.close();
          resolve(true);
        });
        socket.once('error', () => resolve(false));
      });
    expect(await opened('https://evil.example')).toBe(false);
    expect(await opened('http://127.0.0.1:3000')).toBe(true);
  });
});

describe('time', () => {
  it('follows the wall clock in calls on an idle chain, and a call at a block sees that block', async () => {
    // The clock of this process stands an hour back while the newest block is made.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    const chain = await start();
    const clock = await deployClock(chain.url);
    await crash(chain);
    vi.useRealTimers();
    const again = await start();
    const head = await blockAt(again.url, 'latest');
    expect(Number(head.timestamp)).toBeLessThan(now() - 3000);
    const timeOf = async (...rest: unknown[]) => Number(await result<string>(again.url, 'eth_call', { to: clock }, ...rest));
    const before = now();
    for (const tag of [undefined, 'latest', 'pending']) {
      const seen = await timeOf(...(tag === undefined ? [] : [tag]));
      expect(seen).toBeGreaterThanOrEqual(before);
      expect(seen).toBeLessThanOrEqual(now());
    }
    expect(Number((await blockAt(again.url, 'pending')).timestamp)).toBeGreaterThanOrEqual(before);
    expect(await timeOf(head.number)).toBe(Number(head.timestamp));
    expect(await timeOf('latest', null, { time: '0x7fffffff' })).toBe(0x7fffffff);
    const simulated = await result<{ timestamp: string }[]>(
      again.url,
      'eth_simulateV1',
      { blockStateCalls: [{ calls: [{ to: clock }] }] },
      'latest',
    );
    expect(Number(simulated[0]?.timestamp)).toBeGreaterThanOrEqual(before);
    expect(Number(await result<string>(again.url, 'eth_estimateGas', { to: clock }))).toBeGreaterThan(21_000);
  });

  it('does not go back when the clock of the machine does', async () => {
    const chain = await start();
    const wallet = freshWallet();
    await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 0));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 1));
    const [, one, two] = await allBlocks(chain.url);
    expect(two?.timestamp).toBe(one?.timestamp);
    expect((await blockAt(chain.url, 'pending')).timestamp).toBe(one?.timestamp);
  });

  it('never goes back and does not run ahead when many blocks are made within a second', async () => {
    const chain = await start();
    const wallet = freshWallet();
    const from = now();
    for (let nonce = 0; nonce < 60; nonce++) await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, nonce));
    const to = now();
    const times = (await allBlocks(chain.url)).slice(1).map((block) => Number(block.timestamp));
    expect(times).toHaveLength(60);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(times[0]).toBeGreaterThanOrEqual(from);
    expect(times.at(-1)).toBeLessThanOrEqual(to);
  });

  it('stays free of fees after full blocks', async () => {
    const chain = await start();
    const wallet = freshWallet();
    const burns = await Promise.all([0, 1, 2].map((nonce) => sign(wallet, nonce, { to: null, data: BURN_CODE, gasLimit: 16_000_000 })));
    const hashes = await Promise.all(burns.map((raw) => result(chain.url, 'eth_sendRawTransaction', raw)));
    await result(chain.url, 'eth_sendRawTransaction', await sign(freshWallet(), 0));
    const receipts = await Promise.all(hashes.map((hash) => receiptOf(chain.url, hash)));
    expect(new Set(receipts.map((receipt) => receipt?.blockNumber)).size).toBe(3);
    expect((await blockAt(chain.url, 'latest')).baseFeePerGas).toBe('0x0');
    expect(await result(chain.url, 'eth_maxPriorityFeePerGas')).toBe('0x0');
  });
});

describe('after a stop or a crash', () => {
  it('has the same blocks, receipts and logs, from the journal and from a checkpoint alike', async () => {
    const first = await start();
    const clock = await deployClock(first.url);
    const wallet = freshWallet();
    const send = async (url: string, nonce: number) => result(url, 'eth_sendRawTransaction', await sign(wallet, nonce, { to: clock }));
    const hashes = [await send(first.url, 0), await send(first.url, 1)];
    const blocks = await allBlocks(first.url);
    const receipts = await Promise.all(hashes.map((hash) => receiptOf(first.url, hash)));
    await crash(first);
    expect(readdirSync(folder).filter((name) => name.startsWith('checkpoint'))).toEqual([]);

    const replayed = await start();
    expect(await allBlocks(replayed.url)).toEqual(blocks);
    expect(await Promise.all(hashes.map((hash) => receiptOf(replayed.url, hash)))).toEqual(receipts);
    hashes.push(await send(replayed.url, 2));
    const longer = await allBlocks(replayed.url);
    await replayed.close();
    expect(readdirSync(folder).filter((name) => /^(checkpoint|journal)/.test(name))).toEqual(['checkpoint-1.json', 'journal-1.ndjson']);

    const loaded = await start();
    expect(await allBlocks(loaded.url)).toEqual(longer);
    expect(await result<unknown[]>(loaded.url, 'eth_getLogs', { fromBlock: '0x0', toBlock: 'latest', address: clock })).toHaveLength(3);
    await send(loaded.url, 3);
    const longest = await allBlocks(loaded.url);
    await crash(loaded);
    expect(await allBlocks((await start()).url)).toEqual(longest);
  });

  it('makes checkpoints while it runs, so that a replay stays short', async () => {
    const chain = await start();
    const wallet = freshWallet();
    for (let nonce = 0; nonce < 230; nonce++) await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, nonce));
    const blocks = await allBlocks(chain.url);
    expect(blocks).toHaveLength(231);
    await crash(chain);
    expect(readFileSync(journalIn(folder), 'utf8').split('\n').length).toBeLessThan(40);
    expect(await allBlocks((await start()).url)).toEqual(blocks);
  });

  it('is not poisoned by transactions that were refused', async () => {
    const chain = await start();
    const wallet = freshWallet();
    const good = await sign(wallet, 0);
    const wrongChain = await wallet.signTransaction({ chainId: 1, nonce: 1, to: wallet.address, gasLimit: 21_000, gasPrice: 0, type: 0 });
    const noGas = await sign(wallet, 1, { gasLimit: 100 });
    const noFunds = await wallet.signTransaction({
      chainId: chain.chainId,
      nonce: 1,
      to: wallet.address,
      value: 1n,
      gasLimit: 21_000,
      gasPrice: 0,
      type: 0,
    });
    await result(chain.url, 'eth_sendRawTransaction', good);
    for (const bad of [good, wrongChain, noGas, noFunds, '0x00', '0xzz', 7]) {
      expect((await call(chain.url, 'eth_sendRawTransaction', bad)).error?.message, String(bad)).toBeTypeOf('string');
    }
    const mixed = [await sign(wallet, 1), good, await sign(wallet, 2), noFunds];
    const answers = await Promise.all(mixed.map((raw) => call(chain.url, 'eth_sendRawTransaction', raw)));
    expect(answers.map((answer) => answer.error === undefined)).toEqual([true, false, true, false]);
    const blocks = await allBlocks(chain.url);
    await crash(chain);
    const again = await start();
    expect(await allBlocks(again.url)).toEqual(blocks);
    expect(await result(again.url, 'eth_getTransactionCount', wallet.address, 'latest')).toBe('0x3');
  });

  it('acknowledges nothing that the block made invalid', async () => {
    const chain = await start();
    // The first of anvil's public test accounts has 10000 coins: each of two transactions is valid, but not after the other.
    const rich = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
    const spend = (nonce: number) =>
      rich.signTransaction({
        chainId: chain.chainId,
        nonce,
        to: freshWallet().address,
        value: 6000n * 10n ** 18n,
        gasLimit: 21_000,
        gasPrice: 0,
        type: 0,
      });
    const raws = [await spend(0), await spend(1)];
    const answers = await Promise.all(raws.map((raw) => call(chain.url, 'eth_sendRawTransaction', raw)));
    expect((await receiptOf(chain.url, answers[0]?.result))?.status).toBe('0x1');
    expect(answers[1]?.error?.code).toBe(-32003);
    const blocks = await allBlocks(chain.url);
    await crash(chain);
    expect(await allBlocks((await start()).url)).toEqual(blocks);
  });

  it('keeps a transaction that waits for a lower nonce, over a crash and over a checkpoint', async () => {
    const chain = await start();
    const wallet = freshWallet();
    const early = await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 1));
    expect(await receiptOf(chain.url, early)).toBeNull();
    await crash(chain);
    const second = await start();
    expect(await result(second.url, 'eth_getTransactionByHash', early)).toMatchObject({ hash: early, blockHash: null });
    await second.close();
    const third = await start();
    const late = await result(third.url, 'eth_sendRawTransaction', await sign(wallet, 0));
    const receipts = await Promise.all([early, late].map((hash) => receiptOf(third.url, hash)));
    expect(receipts.map((receipt) => receipt?.status)).toEqual(['0x1', '0x1']);
    const blocks = await allBlocks(third.url);
    await crash(third);
    expect(await allBlocks((await start()).url)).toEqual(blocks);
  });

  it('replaces anvil when it dies, answers what was under way, and keeps every block', async () => {
    const chain = await start();
    const wallet = freshWallet();
    for (let nonce = 0; nonce < 5; nonce++) await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, nonce));
    const blocks = await allBlocks(chain.url);
    const pid = anvilBelow(process.pid);
    expect(pid).toBeDefined();
    const next = await Promise.all([5, 6, 7].map((nonce) => sign(wallet, nonce)));
    const sent = next.map((raw) => result(chain.url, 'eth_sendRawTransaction', raw));
    process.kill(pid ?? 0, 'SIGKILL');
    const hashes = await Promise.all(sent);
    for (const hash of hashes) expect((await receiptOf(chain.url, hash))?.status).toBe('0x1');
    expect((await allBlocks(chain.url)).slice(0, blocks.length)).toEqual(blocks);
    expect(anvilBelow(process.pid)).not.toBe(pid);
    for (let round = 0; round < 2; round++) {
      process.kill(anvilBelow(process.pid) ?? 0, 'SIGKILL');
      expect(await result(chain.url, 'eth_getTransactionCount', wallet.address, 'latest')).toBe('0x8');
    }
    // Four deaths within a minute are no accident: it stops, and says why.
    process.kill(anvilBelow(process.pid) ?? 0, 'SIGKILL');
    expect(await chain.stopped).toMatchObject({ code: 'DT_CHAIN_ENGINE_FAILED' });
    expect(await result((await start()).url, 'eth_getTransactionCount', wallet.address, 'latest')).toBe('0x8');
  });

  it('ends an anvil whose guard was killed, and goes on with another', async () => {
    const chain = await start();
    const orphan = anvilBelow(process.pid) ?? 0;
    process.kill(parentOf(orphan), 'SIGKILL');
    const wallet = freshWallet();
    const hash = await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, 0));
    await chain.close();
    expect(isRunning(orphan)).toBe(false);
    expect(await result((await start()).url, 'eth_getTransactionByHash', hash)).toMatchObject({ hash });
  });

  it('ends anvil on close', async () => {
    const chain = await start();
    const pid = anvilBelow(process.pid) ?? 0;
    expect(isRunning(pid)).toBe(true);
    await chain.close();
    expect(isRunning(pid)).toBe(false);
    expect(await chain.stopped).toBeUndefined();
  });
});

describe('damage', () => {
  async function threeBlocks(): Promise<{ blocks: Awaited<ReturnType<typeof allBlocks>>; journal: string }> {
    const chain = await start();
    const wallet = freshWallet();
    for (let nonce = 0; nonce < 3; nonce++) await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, nonce));
    const blocks = await allBlocks(chain.url);
    await crash(chain);
    return { blocks, journal: journalIn(folder) };
  }

  it('drops a torn last line, wherever it was cut, and goes on behind it', async () => {
    const { blocks, journal } = await threeBlocks();
    const whole = readFileSync(journal);
    const lastStart = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (const cut of [lastStart + 1, lastStart + 40, whole.length - 1]) {
      writeFileSync(journal, whole.subarray(0, cut));
      const chain = await start();
      expect(await allBlocks(chain.url)).toEqual(blocks.slice(0, 3));
      await result(chain.url, 'eth_sendRawTransaction', await sign(freshWallet(), 0));
      const longer = await allBlocks(chain.url);
      await crash(chain);
      const again = await start();
      expect(await allBlocks(again.url)).toEqual(longer);
      await crash(again);
    }
    // After a power cut: the length was written, the pages were not.
    writeFileSync(journal, Buffer.concat([whole.subarray(0, lastStart), Buffer.alloc(300), Buffer.from('"]}\n')]));
    expect(await allBlocks((await start()).url)).toEqual(blocks.slice(0, 3));
  });

  it('names file and line of a damaged, missing, doubled or moved record, and changes nothing', async () => {
    const { journal } = await threeBlocks();
    const lines = readFileSync(journal, 'utf8').split('\n');
    const [header = '', one = '', two = '', three = ''] = lines;
    const flip = (line: string) => line.replace(/"time":(\d+)\d/, '"time":$1x').replace('x', line.includes('"time":') ? '0' : '');
    const flipped = flip(two) === two ? two.replace('02', '03') : flip(two);
    const cases: [string[], number][] = [
      [[header, one, flipped, three, ''], 3],
      [[header, one, two, three.replace(/.{4}$/, '00"]'), ''], 4],
      [[header, one, three, ''], 3],
      [[header, one, one, two, three, ''], 3],
      [[header, two, one, three, ''], 2],
      [[header, one, '', two, three, ''], 3],
      [[one, two, three, ''], 1],
      [[header.slice(0, 50)], 1],
    ];
    for (const [content, line] of cases) {
      const damaged = content.join('\n');
      writeFileSync(journal, damaged);
      await expect(start(), `line ${line}`).rejects.toMatchObject({ code: 'DT_CHAIN_JOURNAL_CORRUPT', details: { file: journal, line } });
      expect(readFileSync(journal, 'utf8')).toBe(damaged);
    }
    writeFileSync(journal, lines.join('\n'));
    expect(await result((await start()).url, 'eth_blockNumber')).toBe('0x3');
  });

  it('never starts from a checkpoint that is damaged or gone, and never a new chain in place of one', async () => {
    const chain = await start();
    await result(chain.url, 'eth_sendRawTransaction', await sign(freshWallet(), 0));
    await chain.close();
    const checkpoint = join(folder, 'checkpoint-1.json');
    const journal = join(folder, 'journal-1.ndjson');
    const whole = readFileSync(checkpoint);
    writeFileSync(checkpoint, whole.subarray(0, whole.length - 10));
    await expect(start()).rejects.toMatchObject({ code: 'DT_CHAIN_JOURNAL_CORRUPT', details: { file: checkpoint } });
    rmSync(checkpoint);
    await expect(start()).rejects.toMatchObject({ code: 'DT_CHAIN_JOURNAL_CORRUPT', details: { file: checkpoint } });
    writeFileSync(checkpoint, whole);
    const content = readFileSync(journal);
    rmSync(journal);
    await expect(start()).rejects.toMatchObject({ code: 'DT_CHAIN_JOURNAL_CORRUPT', details: { file: checkpoint } });
    writeFileSync(journal, content);
    expect(await result((await start()).url, 'eth_blockNumber')).toBe('0x1');
  });

  it('starts from every state that a crash during a checkpoint can leave', async () => {
    const chain = await start();
    const wallet = freshWallet();
    for (let nonce = 0; nonce < 3; nonce++) await result(chain.url, 'eth_sendRawTransaction', await sign(wallet, nonce));
    const blocks = await allBlocks(chain.url);
    const journal0 = readFileSync(join(folder, 'journal-0.ndjson'));
    await chain.close();
    const checkpoint1 = readFileSync(join(folder, 'checkpoint-1.json'));
    const journal1 = readFileSync(join(folder, 'journal-1.ndjson'));
    const states: Record<string, Buffer>[] = [
      { 'journal-0.ndjson': journal0, 'checkpoint-1.json.tmp': checkpoint1.subarray(0, 100) },
      { 'journal-0.ndjson': journal0, 'checkpoint-1.json': checkpoint1 },
      { 'journal-0.ndjson': journal0, 'checkpoint-1.json': checkpoint1, 'journal-1.ndjson.tmp': journal1.subarray(0, 20) },
      { 'journal-0.ndjson': journal0, 'checkpoint-1.json': checkpoint1, 'journal-1.ndjson': journal1 },
      { 'checkpoint-1.json': checkpoint1, 'journal-1.ndjson': journal1 },
    ];
    for (const state of states) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      for (const [name, bytes] of Object.entries(state)) writeFileSync(join(folder, name), bytes);
      const again = await start();
      expect(await allBlocks(again.url), Object.keys(state).join()).toEqual(blocks);
      expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      await result(again.url, 'eth_sendRawTransaction', await sign(wallet, 3));
      await again.close();
      const third = await start();
      expect((await allBlocks(third.url)).slice(0, 4)).toEqual(blocks);
      expect(await result(third.url, 'eth_blockNumber')).toBe('0x4');
      await third.close();
    }
  });
});

describe('one owner', () => {
  it('refuses a second start on the same folder, and names the first', async () => {
    const chain = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'DT_CHAIN_FOLDER_BUSY',
      details: { folder, holder: expect.stringContaining(chain.url) },
    });
    expect(await result(chain.url, 'eth_blockNumber')).toBe('0x0');
    await chain.close();
    await start();
  });

  it('says that the port is busy, and leaves the folder free', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start(port)).rejects.toMatchObject({ code: 'DT_PORT_BUSY', details: { port } });
    await new Promise((resolve) => other.close(resolve));
    expect((await start(port)).url).toBe(`http://127.0.0.1:${port}`);
  });

  it('does not let two chains with one history share a folder by a copied journal', async () => {
    const chain = await start();
    await result(chain.url, 'eth_sendRawTransaction', await sign(freshWallet(), 0));
    await chain.close();
    copyFileSync(join(folder, 'journal-1.ndjson'), join(folder, 'journal-7.ndjson'));
    await expect(start()).rejects.toMatchObject({ code: 'DT_CHAIN_JOURNAL_CORRUPT', details: { file: join(folder, 'checkpoint-7.json') } });
    appendFileSync(join(folder, 'journal-7.ndjson'), 'x');
    rmSync(join(folder, 'journal-7.ndjson'));
    await start();
  });
});
