import { scrypt as nodeScrypt, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { scrypt } from 'ethers/crypto';
import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from 'ethers/wallet';
import { type Address, parseAddress } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** scrypt N of new key files: about 0.2 s a try. Files of other tools with other parameters open as well. */
const SCRYPT_N = 1 << 16;

export interface StoredKey {
  readonly name: string;
  readonly address: Address;
}

/** Encrypted keys of one machine: Web3 Secret Storage files (version 3), one a key, never overwritten. */
export class Keystore {
  constructor(private readonly folder: string) {
    // The scrypt that ethers brings is plain JavaScript; node's is ten times faster. Registering it again changes nothing.
    scrypt.register(nativeScrypt);
  }

  create(name: string, password: string): Promise<StoredKey> {
    return this.import(name, `0x${randomBytes(32).toString('hex')}`, password);
  }

  /** @throws DT_KEY_EXISTS, DT_INPUT_INVALID */
  async import(name: string, privateKey: string, password: string): Promise<StoredKey> {
    const wallet = walletOf(privateKey);
    const json = await encryptKeystoreJson(wallet, password, { scrypt: { N: SCRYPT_N, r: 8, p: 1 } });
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    // Whole under its name or not there at all: half a key would hold the name for ever.
    const temporary = join(this.folder, `.${randomUUID()}.tmp`);
    try {
      await writeFile(temporary, json, { mode: 0o600, flush: true });
      await link(temporary, this.fileOf(name));
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? new ToolkitError('DT_KEY_EXISTS', { name }, error) : error;
    } finally {
      await rm(temporary, { force: true });
    }
    return { name, address: parseAddress(wallet.address) };
  }

  /** Before anybody is asked for a password. @throws DT_KEY_EXISTS, DT_INPUT_INVALID */
  async refuseTaken(name: string): Promise<void> {
    const taken = await stat(this.fileOf(name)).catch(() => undefined);
    if (taken !== undefined) throw new ToolkitError('DT_KEY_EXISTS', { name });
  }

  /** Before anybody is asked for its password. @throws DT_KEY_UNKNOWN, DT_INPUT_INVALID */
  async refuseUnknown(name: string): Promise<void> {
    await readKey(this.fileOf(name), name);
  }

  async list(): Promise<readonly StoredKey[]> {
    const files = await readdir(this.folder).catch(() => []);
    const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
    return Promise.all(names.sort().map(async (name) => ({ name, address: await this.addressOf(name) })));
  }

  /** Without a password: the address stands in the file in the clear. @throws DT_KEY_UNKNOWN */
  async addressOf(name: string): Promise<Address> {
    const { address } = JSON.parse(await readKey(this.fileOf(name), name)) as { address: string };
    return parseAddress(`0x${address.replace(/^0x/, '')}`, `The address in key ${name}`);
  }

  /** @throws DT_KEY_UNKNOWN, DT_KEY_WRONG_PASSWORD */
  open(name: string, password: string): Promise<Wallet> {
    return this.openFile(this.fileOf(name), password, name);
  }

  /** A key file that lies anywhere. @throws DT_KEY_UNKNOWN, DT_KEY_WRONG_PASSWORD */
  async openFile(file: string, password: string, name = file): Promise<Wallet> {
    const json = await readKey(file, name);
    try {
      return new Wallet((await decryptKeystoreJson(json, password)).privateKey);
    } catch (error) {
      throw new ToolkitError('DT_KEY_WRONG_PASSWORD', { name }, error);
    }
  }

  private fileOf(name: string): string {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return join(this.folder, `${name}.json`);
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'The name of the key',
      reason: 'use letters, digits, dot, dash and underscore, at most 64',
    });
  }
}

async function readKey(file: string, name: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new ToolkitError('DT_KEY_UNKNOWN', { name, folder: dirname(file) }) : error;
  });
}

/** A private key as people write it, with or without 0x. Its text is in no error. @throws DT_INPUT_INVALID */
export function walletOf(privateKey: string): Wallet {
  const hex = privateKey.trim().replace(/^0x/i, '');
  try {
    if (/^[0-9a-fA-F]{64}$/.test(hex)) return new Wallet(`0x${hex}`);
  } catch {
    // not on the curve: the same answer
  }
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'The private key', reason: 'expected 64 hex digits of a secp256k1 key' });
}

function nativeScrypt(password: Uint8Array, salt: Uint8Array, N: number, r: number, p: number, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    nodeScrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error ? reject(error) : resolve(`0x${key.toString('hex')}`),
    );
  });
}
