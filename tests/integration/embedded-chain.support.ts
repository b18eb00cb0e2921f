import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Wallet } from 'ethers';
import { EMBEDDED_CHAIN_ID } from '../../src/ledger/embedded-chain/genesis.js';

/** Runs: store block.timestamp in slot 0, one empty log, return block.timestamp. */
export const CLOCK_CODE = deployer('425f555f5fa0425f5260205ff3');
/** Its creation burns all the gas that it is given. */
export const BURN_CODE = '0x5b600056';

function deployer(runtime: string): string {
  const size = (runtime.length / 2).toString(16).padStart(2, '0');
  return `0x60${size}600c60003960${size}6000f3${runtime}`;
}

export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  return response.json();
}

export async function call(url: string, method: string, ...params: unknown[]): Promise<Answer> {
  return (await post(url, { jsonrpc: '2.0', id: 1, method, params })) as Answer;
}

export async function result<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const answer = await call(url, method, ...params);
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result as T;
}

export interface Block {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly baseFeePerGas: string;
  readonly transactions: readonly string[];
}

export interface Receipt {
  readonly status: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly logs: readonly unknown[];
}

export const blockAt = (url: string, tag: string) => result<Block>(url, 'eth_getBlockByNumber', tag, false);
export const receiptOf = (url: string, hash: unknown) => result<Receipt | null>(url, 'eth_getTransactionReceipt', hash);

/** Every block from genesis on, with everything that its hash covers. */
export async function allBlocks(url: string): Promise<Block[]> {
  const head = Number(await result<string>(url, 'eth_blockNumber'));
  const calls = Array.from({ length: head + 1 }, (_, n) => ({
    jsonrpc: '2.0',
    id: n,
    method: 'eth_getBlockByNumber',
    params: [`0x${n.toString(16)}`, false],
  }));
  const blocks: Block[] = [];
  for (let from = 0; from < calls.length; from += 500) {
    const answers = (await post(url, calls.slice(from, from + 500))) as { result: Block }[];
    blocks.push(...answers.map((answer) => answer.result));
  }
  return blocks;
}

/** A key that was never given anything: what it sends costs nothing. */
export const freshWallet = () => new Wallet(Wallet.createRandom().privateKey);

export function sign(
  wallet: Wallet,
  nonce: number,
  fields: { to?: string | null; data?: string; gasLimit?: number } = {},
): Promise<string> {
  const base = { chainId: EMBEDDED_CHAIN_ID, type: 2, maxFeePerGas: 0, maxPriorityFeePerGas: 0, gasLimit: 200_000 };
  return wallet.signTransaction({ ...base, nonce, to: wallet.address, ...fields });
}

/** The anvil that runs below a process, found by its place in the process tree. */
export function anvilBelow(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    if (readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'anvil') return child;
    const deeper = anvilBelow(child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function childrenOf(pid: number): number[] {
  const table = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (parent === pid && child !== undefined && isRunning(child) ? [child] : []));
}

export const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** A zombie that nobody has waited for yet does not run any more. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The only journal in a folder of a chain. */
export function journalIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => /^journal-\d+\.ndjson$/.test(name));
  if (names.length !== 1) throw new Error(`expected one journal, found ${names.join(', ')}`);
  return `${folder}/${names[0]}`;
}
