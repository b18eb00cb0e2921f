import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Wallet } from 'ethers/wallet';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore } from '../keys/keystore.js';
import { type AddressBook, parseAddressBook, serializeAddressBook } from '../ledger/evm/address-book.js';
import { connectLedger } from '../ledger/evm/connect-ledger.js';
import { deployToolkit } from '../ledger/evm/deploy-toolkit.js';
import type { LedgerSigner } from '../ledger/evm/transactor.js';
import type { Home } from './home.js';

/** Deploys and writes the address book. @throws DT_CHAIN_* */
export async function deployTo(rpcUrl: string, signer: LedgerSigner, admin: string, file: string): Promise<AddressBook> {
  const addressBook = await deployToolkit({ rpcUrl, signer, admin });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.tmp`, serializeAddressBook(addressBook));
  await rename(`${file}.tmp`, file);
  return addressBook;
}

/**
 * For the embedded chain, which takes transactions without a fee: the contracts of the address book if they are on this chain, else new
 * ones, deployed by a key that is thrown away and administered by `admin` or by the default key of the home. Without either: none.
 */
export async function deployOnce(
  home: Home,
  rpcUrl: string,
  admin: string | undefined,
): Promise<{ addressBook: AddressBook | undefined; deployed: boolean }> {
  const file = home.path('address-book.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined && (await isDeployed(rpcUrl, parseAddressBook(text))))
    return { addressBook: parseAddressBook(text), deployed: false };
  const name = (await home.settings()).key;
  const administrator = admin ?? (name === undefined ? undefined : await new Keystore(home.path('keystore')).addressOf(name));
  if (administrator === undefined) return { addressBook: undefined, deployed: false };
  return { addressBook: await deployTo(rpcUrl, Wallet.createRandom(), administrator, file), deployed: true };
}

async function isDeployed(rpcUrl: string, addressBook: AddressBook): Promise<boolean> {
  const ledger = connectLedger({ rpcUrl, addressBook });
  try {
    await ledger.head();
    return true;
  } catch (error) {
    if (error instanceof ToolkitError && ['DT_CHAIN_NOT_DEPLOYED', 'DT_CHAIN_WRONG'].includes(error.code)) return false;
    throw error;
  } finally {
    ledger.close();
  }
}
