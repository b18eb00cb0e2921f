import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HDNodeWallet, Wallet } from 'ethers';
import { describe, it } from 'vitest';
import { startEmbeddedChain } from '../../../src/ledger/embedded-chain/embedded-chain.js';
import { connectLedger } from '../../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../../src/ledger/evm/deploy-toolkit.js';
import { type DevChain, hardhatInstalled, startAnvilChain, startHardhatChain } from '../../support/dev-chains.js';
import { type LedgerWorld, ledgerConformance } from './ledger-conformance.js';

const COINS = '0x3635c9adc5dea00000';

/** Our own chain, whose clock is the wall's. */
async function openEmbeddedWorld(): Promise<LedgerWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-conformance-'));
  const chain = await startEmbeddedChain({ folder, port: 0, host: '127.0.0.1' });
  const close = async () => {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  };
  const rpc = () => Promise.reject(new Error('the embedded chain cannot be steered'));
  const world = await openWorld(async () => ({ rpcUrl: chain.url, rpc, close }), 'http');
  return { ...world, grantSeconds: 3, advance: (seconds) => sleep(seconds * 1000) };
}

/** `scheme` is that of the URL that the ledgers get; `fund` is the method that gives an account coins, where fees are asked. */
async function openWorld(start: () => Promise<DevChain>, scheme: 'http' | 'ws', fund?: string): Promise<LedgerWorld> {
  const chain = await start();
  const rpcUrl = chain.rpcUrl.replace('http', scheme);
  const open: { close(): void }[] = [];
  const account = async () => {
    const wallet = Wallet.createRandom();
    if (fund !== undefined) await chain.rpc(fund, wallet.address, COINS);
    return wallet;
  };
  const admin = await account();
  const addressBook = await deployToolkit({ rpcUrl, signer: admin, admin: admin.address });
  const connect = (signer: HDNodeWallet) => keep(connectLedger({ rpcUrl, addressBook, signer, watchIntervalMs: 20 }));
  function keep<T extends { close(): void }>(ledger: T): T {
    open.push(ledger);
    return ledger;
  }
  return {
    admin: connect(admin),
    openReader: () => keep(connectLedger({ rpcUrl, addressBook, watchIntervalMs: 20 })),
    openLedger: async () => connect(await account()),
    grantSeconds: 1000,
    advance: async (seconds) => {
      await chain.rpc('evm_increaseTime', seconds);
      await chain.rpc('evm_mine');
    },
    close: async () => {
      for (const each of open) each.close();
      await chain.close();
    },
  };
}

ledgerConformance('anvil without fees, HTTP', () => openWorld(() => startAnvilChain(), 'http'));
ledgerConformance('anvil without fees, WebSocket', () => openWorld(() => startAnvilChain(), 'ws'));
ledgerConformance('anvil with EIP-1559 fees and a block every 100 ms, WebSocket', () =>
  openWorld(() => startAnvilChain(['--block-time', '0.1']), 'ws', 'anvil_setBalance'),
);

ledgerConformance('the embedded chain', openEmbeddedWorld);

if (hardhatInstalled) {
  ledgerConformance('hardhat with fees, HTTP', () => openWorld(startHardhatChain, 'http', 'hardhat_setBalance'));
} else {
  describe('ledger: hardhat', () => {
    it.skip('SKIPPED, not installed: run `npm ci --prefix tests/tools` for the second engine', () => undefined);
  });
}
