import { readFile } from 'node:fs/promises';
import type { Wallet } from 'ethers/wallet';
import { openDocuments } from '../catalog/open-documents.js';
import type { ContentStore } from '../content-store/content-store.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type AddressBook, parseAddressBook } from '../ledger/evm/address-book.js';
import { connectLedger } from '../ledger/evm/connect-ledger.js';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import type { Home } from './home.js';

export interface ConnectFlags {
  readonly rpc?: string | undefined;
  readonly 'address-book'?: string | undefined;
}

export const DEFAULT_RPC = 'http://127.0.0.1:8545';

export async function connectReader(home: Home, flags: ConnectFlags): Promise<{ ledger: LedgerReader; content: ContentStore }> {
  const { rpcUrl, addressBook } = await locate(home, flags);
  const ledger = connectLedger({ rpcUrl, addressBook });
  return { ledger, content: await openContent(home, ledger) };
}

export async function connectSigner(home: Home, flags: ConnectFlags, signer: Wallet): Promise<{ ledger: Ledger; content: ContentStore }> {
  const { rpcUrl, addressBook } = await locate(home, flags);
  const ledger = connectLedger({ rpcUrl, addressBook, signer });
  return { ledger, content: await openContent(home, ledger) };
}

async function locate(home: Home, flags: ConnectFlags): Promise<{ rpcUrl: string; addressBook: AddressBook }> {
  const rpcUrl = flags.rpc ?? (await home.settings()).rpcUrl ?? DEFAULT_RPC;
  const path = flags['address-book'] ?? home.path('address-book.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_CONFIG_NO_ADDRESS_BOOK', { path }, error);
  });
  return { rpcUrl, addressBook: parseAddressBook(text) };
}

async function openContent(home: Home, ledger: LedgerReader): Promise<ContentStore> {
  return openDocuments(ledger, { folder: home.path('content'), gateways: (await home.settings()).gateways ?? [] }).all;
}
