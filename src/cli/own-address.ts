import { type Address, parseAddress } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore, walletOf } from '../keys/keystore.js';
import type { Home } from './home.js';
import { directKey } from './open-signer.js';

/** The caller's address without a password, undefined where there is no key. @throws DT_KEY_UNKNOWN */
export async function ownAddress(
  home: Home,
  flags: { key?: string | undefined; 'private-key'?: string | undefined },
): Promise<Address | undefined> {
  const direct = directKey(flags);
  if (direct !== undefined) return parseAddress(walletOf(direct).address);
  const name = flags.key ?? (await home.settings()).key;
  return name === undefined ? undefined : new Keystore(home.path('keystore')).addressOf(name);
}

/** Whom a list is about: `--mine`, an address, or everybody. @throws DT_INPUT_MISSING without a key, DT_INPUT_INVALID */
export async function ownerOf(
  home: Home,
  flags: { readonly mine: boolean; readonly owner?: string | undefined; readonly key?: string | undefined },
): Promise<Address | undefined> {
  if (!flags.mine) return flags.owner === undefined ? undefined : parseAddress(flags.owner, '--owner');
  const own = await ownAddress(home, flags);
  if (own === undefined) throw new ToolkitError('DT_INPUT_MISSING', { what: 'The key that --mine is about (--key)' });
  return own;
}
