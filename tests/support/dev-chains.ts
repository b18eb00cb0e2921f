import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findAnvilBinary } from '../../src/ledger/embedded-chain/anvil-binary.js';

export interface DevChain {
  readonly rpcUrl: string;
  /** One JSON-RPC call past the code under test: funding, time travel, reorganizations. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

const HARDHAT = fileURLToPath(new URL('../tools/node_modules/hardhat/internal/cli/cli.js', import.meta.url));
export const hardhatInstalled = existsSync(HARDHAT);

/** Anvil on a free port. Without fees unless `args` says otherwise. */
export function startAnvilChain(
  args: readonly string[] = ['--base-fee', '0', '--gas-price', '0', '--disable-min-priority-fee'],
  port = 0,
): Promise<DevChain> {
  const child = spawn(findAnvilBinary().path, ['--host', '127.0.0.1', '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return listening(child, /Listening on ([\d.]+:\d+)/);
}

/** Hardhat on a free port, with the fees of a public chain. */
export function startHardhatChain(): Promise<DevChain> {
  const cwd = fileURLToPath(new URL('../tools', import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' };
  const child = spawn(process.execPath, [HARDHAT, 'node', '--hostname', '127.0.0.1', '--port', '0'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return listening(child, /JSON-RPC server at http:\/\/([\d.]+:\d+)/);
}

function listening(child: ChildProcess, pattern: RegExp): Promise<DevChain> {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      void close();
      reject(new Error('the chain did not listen within 60 s'));
    }, 60_000);
    child.once('error', reject);
    void ended.then(() => reject(new Error('the chain ended before it listened')));
    // The output is read to the end, or the program would stop when the pipe is full.
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const address = pattern.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      const rpcUrl = `http://${address}`;
      resolve({ rpcUrl, close, rpc: (method, ...params) => rawCall(rpcUrl, method, params) });
    });
  });
}

async function rawCall(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}
