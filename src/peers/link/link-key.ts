import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes32 } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { linkCertificate } from './link-certificate.js';

/** What node:tls needs to show who it is. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/**
 * The Ed25519 key pair by which other daemons know this one. The public half stands on chain (Organization.linkKey); the private
 * half never leaves this object but into node:tls and its own file.
 */
export class LinkKey {
  readonly publicKey: Bytes32;
  readonly #identity: TlsIdentity;

  private constructor(privateKey: KeyObject) {
    this.publicKey = linkKeyBytes(createPublicKey(privateKey));
    this.#identity = { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), cert: linkCertificate(privateKey) };
  }

  static create(): LinkKey {
    return new LinkKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** PKCS #8, PEM. @throws DT_LINK_KEY_FILE */
  static parse(pem: string, path: string): LinkKey {
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: pem, format: 'pem' });
    } catch {
      // The reason of the parser could quote the file; what it is matters more.
      throw new ToolkitError('DT_LINK_KEY_FILE', { path, reason: 'it holds no private key in PEM form' });
    }
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new ToolkitError('DT_LINK_KEY_FILE', { path, reason: `it holds a key of type ${key.asymmetricKeyType}, not ed25519` });
    }
    return new LinkKey(key);
  }

  get identity(): TlsIdentity {
    return this.#identity;
  }
}

/**
 * The link key in `path`, made there (mode 0600) when there is no such file. Two programs that start at once get the same key.
 * @throws DT_LINK_KEY_FILE: not readable, readable by others, no Ed25519 key
 */
export async function openLinkKey(path: string): Promise<LinkKey> {
  const found = await readLinkKey(path);
  if (found !== undefined) return found;
  await writeLinkKey(path, LinkKey.create());
  const written = await readLinkKey(path);
  if (written === undefined) throw new ToolkitError('DT_LINK_KEY_FILE', { path, reason: 'it vanished after it had been written' });
  return written;
}

async function readLinkKey(path: string): Promise<LinkKey | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) !== 0) {
        throw new ToolkitError('DT_LINK_KEY_FILE', { path, reason: `others may read it (mode ${(mode & 0o777).toString(8)})` });
      }
      return LinkKey.parse(await file.readFile('utf8'), path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asKeyFileError(path, error);
  }
}

/** Complete or not at all: written beside its place, then linked there unless another program was first. */
async function writeLinkKey(path: string, key: LinkKey): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(key.identity.key);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw asKeyFileError(path, error);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

const asKeyFileError = (path: string, error: unknown): ToolkitError =>
  error instanceof ToolkitError ? error : new ToolkitError('DT_LINK_KEY_FILE', { path, reason: (error as Error).message }, error);

/** The 32 bytes of an Ed25519 public key as they stand on chain. */
export function linkKeyBytes(publicKey: KeyObject): Bytes32 {
  return `0x${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')}` as Bytes32;
}
