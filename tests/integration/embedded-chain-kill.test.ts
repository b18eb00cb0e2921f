import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { getCreateAddress, type Wallet } from 'ethers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { allBlocks, anvilBelow, CLOCK_CODE, freshWallet, isRunning, post, receiptOf, result, sign } from './embedded-chain.support.js';

const KILLS = 8;
const SENDERS = 4;

const root = mkdtempSync(join(tmpdir(), 'dt-kill-'));
const folder = join(root, 'chain');
let child: ChildProcess | undefined;

beforeAll(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly ended: Promise<void>;
}

function launch(): Promise<Running> {
  const script = new URL('./embedded-chain.process.ts', import.meta.url).pathname;
  const started = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = started;
  const ended = new Promise<void>((resolve) => started.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    const complaints: string[] = [];
    createInterface({ input: started.stderr }).on('line', (line) => complaints.push(line));
    createInterface({ input: started.stdout }).on('line', (line) => {
      const url = /^url (\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve({ process: started, pid: started.pid ?? 0, url, ended });
    });
    void ended.then(() => reject(new Error(`the chain did not start: ${complaints.join('\n')}`)));
  });
}

interface Acknowledged {
  readonly hash: string;
  /** Known when the receipt was read as well before the kill. */
  blockHash?: string;
}

/** Sends one transaction after the other until the chain is gone; every second receipt is read, too. */
async function sendUntilGone(url: string, wallet: Wallet, to: string, acknowledged: Acknowledged[]): Promise<void> {
  try {
    let nonce = Number(await result<string>(url, 'eth_getTransactionCount', wallet.address, 'latest'));
    for (;;) {
      const hash = await result<string>(url, 'eth_sendRawTransaction', await sign(wallet, nonce, { to }));
      const entry: Acknowledged = { hash };
      acknowledged.push(entry);
      if (nonce % 2 === 0) {
        const receipt = await receiptOf(url, hash);
        if (receipt !== null) entry.blockHash = receipt.blockHash;
      }
      nonce += 1;
    }
  } catch (error) {
    // Only the kill may end the sending: any other refusal is a fault.
    const isGone = error instanceof TypeError || error instanceof SyntaxError;
    if (!isGone && !(error instanceof Error && error.message.includes('being stopped'))) throw error;
  }
}

async function gone(pid: number): Promise<void> {
  // A stranger's end gives no event; the bound is only there to fail.
  for (let waited = 0; isRunning(pid); waited += 10) {
    if (waited > 10_000) throw new Error(`process ${pid} still runs`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('loses nothing that was acknowledged, and changes no block, over kills at random instants under load', {
  timeout: 120_000,
}, async () => {
  const wallets = Array.from({ length: SENDERS }, freshWallet);
  const acknowledged: Acknowledged[] = [];
  const hashes: string[] = [];
  let running = await launch();
  const deployer = freshWallet();
  await result(running.url, 'eth_sendRawTransaction', await sign(deployer, 0, { to: null, data: CLOCK_CODE }));
  const clock = getCreateAddress({ from: deployer.address, nonce: 0 });

  for (let kill = 0; kill < KILLS; kill++) {
    const { url, pid } = running;
    const anvil = anvilBelow(pid);
    if (anvil === undefined) throw new Error('no anvil below the chain');
    const before = acknowledged.length;
    const sending = wallets.map((wallet) => sendUntilGone(url, wallet, clock, acknowledged));
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 900));
    // On a busy machine the load may come late; a kill before it would show nothing.
    await vi.waitFor(() => expect(acknowledged.length, 'the load reached the chain').toBeGreaterThan(before), {
      timeout: 60_000,
      interval: 5,
    });
    if (kill % 3 === 2) {
      // Every third kill falls into an orderly stop, so into the writing of a checkpoint.
      running.process.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    }
    running.process.kill('SIGKILL');
    await running.ended;
    await Promise.all(sending);
    await gone(anvil);

    running = await launch();
    const blocks = await allBlocks(running.url);
    expect(blocks.slice(0, hashes.length).map((block) => block.hash)).toEqual(hashes);
    for (const [index, block] of blocks.entries()) if (index > 0) expect(block.parentHash).toBe(blocks[index - 1]?.hash);
    hashes.splice(0, hashes.length, ...blocks.map((block) => block.hash));
    const at = new Map(blocks.flatMap((block) => block.transactions.map((hash) => [hash, block.hash])));
    for (const { hash, blockHash } of acknowledged) {
      expect(at.get(hash), `${hash} was acknowledged`).toBeDefined();
      if (blockHash !== undefined) expect(at.get(hash)).toBe(blockHash);
    }
  }

  const calls = acknowledged.map(({ hash }, id) => ({ jsonrpc: '2.0', id, method: 'eth_getTransactionReceipt', params: [hash] }));
  for (let from = 0; from < calls.length; from += 500) {
    const answers = (await post(running.url, calls.slice(from, from + 500))) as { result: { status: string; logs: unknown[] } | null }[];
    for (const { result: receipt } of answers) {
      expect(receipt?.status).toBe('0x1');
      expect(receipt?.logs).toHaveLength(1);
    }
  }
  const nonces = await Promise.all(
    wallets.map((wallet) => result<string>(running.url, 'eth_getTransactionCount', wallet.address, 'latest')),
  );
  const logs = await result<unknown[]>(running.url, 'eth_getLogs', { fromBlock: '0x0', toBlock: 'latest', address: clock });
  expect(logs).toHaveLength(nonces.map(Number).reduce((a, b) => a + b, 0));
  expect(logs.length).toBeGreaterThanOrEqual(acknowledged.length);
  running.process.kill('SIGTERM');
  await running.ended;
  expect(running.process.exitCode).toBe(0);
});
