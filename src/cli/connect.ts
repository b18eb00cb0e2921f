import { readFileSync } from 'node:fs';
import type { Wallet } from 'ethers/wallet';
import { FollowingIndex } from '../catalog/index/following-index.js';
import { openDocuments } from '../catalog/open-documents.js';
import type { ContentStore } from '../content-store/content-store.js';
import { FilesystemStore } from '../content-store/filesystem-store.js';
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

/** A chain with what this machine keeps of it. */
export interface Connected<L extends LedgerReader> {
  readonly ledger: L;
  readonly content: ContentStore;
  readonly index: FollowingIndex;
}

export type Notify = (text: string) => void;

export async function connectReader(home: Home, flags: ConnectFlags, onNotice: Notify): Promise<Connected<LedgerReader>> {
  const { rpcUrl, addressBook } = await locate(home, flags);
  return openCatalog(home, connectLedger({ rpcUrl, addressBook }), onNotice);
}

export async function connectSigner(home: Home, flags: ConnectFlags, signer: Wallet, onNotice: Notify): Promise<Connected<Ledger>> {
  const { rpcUrl, addressBook } = await locate(home, flags);
  return openCatalog(home, connectLedger({ rpcUrl, addressBook, signer }), onNotice);
}

export function disconnect({ ledger, index }: Connected<LedgerReader>): void {
  ledger.close();
  index.close();
}

async function locate(home: Home, flags: ConnectFlags): Promise<{ rpcUrl: string; addressBook: AddressBook }> {
  const rpcUrl = flags.rpc ?? (await home.settings()).rpcUrl ?? DEFAULT_RPC;
  const path = flags['address-book'] ?? home.path('address-book.json');
  return { rpcUrl, addressBook: parseAddressBook(readAddressBook(path)) };
}

function readAddressBook(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ToolkitError('DT_CONFIG_NO_ADDRESS_BOOK', { path }, error);
  }
}

/** The documents of this machine alone. */
export const openLocalContent = (home: Home): ContentStore => new FilesystemStore(home.path('content'));

async function openCatalog<L extends LedgerReader>(home: Home, ledger: L, onNotice: Notify): Promise<Connected<L>> {
  const { gateways = [] } = await home.settings();
  const index = new FollowingIndex({ ledger, folder: home.path('index'), onNotice });
  return { ledger, index, content: openDocuments(index, { folder: home.path('content'), gateways }).all };
}
