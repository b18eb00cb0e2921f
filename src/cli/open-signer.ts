import type { Wallet } from 'ethers/wallet';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore, walletOf } from '../keys/keystore.js';
import type { Home } from './home.js';

/**
 * The caller's key: --private-key (warned about when it came by the command line), the named or default key of the keystore with its
 * password from DT_PASSWORD or a prompt, or a private key typed in at a prompt.
 * @throws DT_KEY_*, DT_INPUT_MISSING
 */
export async function openSigner(
  home: Home,
  flags: { key?: string | undefined; 'private-key'?: string | undefined },
  terminal: { interactive: boolean; warn: (text: string) => void },
): Promise<Wallet> {
  const direct = directKey(flags);
  if (direct !== undefined) {
    if (process.env['DT_PRIVATE_KEY'] !== direct)
      terminal.warn('--private-key shows the key to every user of this machine; use `dt key import` outside of tests.');
    return walletOf(direct);
  }
  const name = flags.key ?? (await home.settings()).key;
  if (name !== undefined) {
    const keystore = new Keystore(home.path('keystore'));
    await keystore.refuseUnknown(name);
    return keystore.open(name, await passwordFor(name, terminal.interactive));
  }
  if (!terminal.interactive)
    throw new ToolkitError('DT_INPUT_MISSING', {
      what: 'The key to sign with (--key with a name of `dt key create`, DT_PRIVATE_KEY or --private-key)',
    });
  const { password } = await import('@inquirer/prompts');
  return walletOf(await password({ message: 'No key is here yet: `dt key create` makes one. Private key to sign with (64 hex digits)' }));
}

/** The key of --private-key or DT_PRIVATE_KEY; a --key that was typed is meant more than a variable. */
export function directKey(flags: { key?: string | undefined; 'private-key'?: string | undefined }): string | undefined {
  const direct = flags['private-key'];
  if (direct === undefined || direct === '') return undefined;
  const isTyped = process.env['DT_PRIVATE_KEY'] !== direct;
  const isNamed = flags.key !== undefined && process.env['DT_KEY'] !== flags.key;
  return isNamed && !isTyped ? undefined : direct;
}

/** @throws DT_INPUT_MISSING where nobody can be asked */
export async function passwordFor(name: string, interactive: boolean): Promise<string> {
  const known = process.env['DT_PASSWORD'];
  if (known !== undefined) return known;
  if (!interactive) throw new ToolkitError('DT_INPUT_MISSING', { what: `The password of key ${name} (DT_PASSWORD)` });
  const { password } = await import('@inquirer/prompts');
  return password({ message: `Password of key ${name}` });
}
