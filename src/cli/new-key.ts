import { ToolkitError } from '../errors/toolkit-error.js';
import type { Home } from './home.js';
import { readInput } from './input-files.js';

/** The password of a new key: DT_PASSWORD, or asked for twice. @throws DT_INPUT_MISSING where nobody can be asked, DT_INPUT_INVALID when it is empty */
export async function newPassword(name: string, interactive: boolean): Promise<string> {
  const known = process.env['DT_PASSWORD'];
  if (known === '') throw new ToolkitError('DT_INPUT_INVALID', { what: 'DT_PASSWORD', reason: 'it is empty' });
  if (known !== undefined) return known;
  if (!interactive) throw new ToolkitError('DT_INPUT_MISSING', { what: `The password of key ${name} (DT_PASSWORD)` });
  const { password } = await import('@inquirer/prompts');
  const first = await password({
    message: `Password for key ${name}`,
    mask: true,
    validate: (text) => text !== '' || 'Please give a password.',
  });
  await password({ message: 'Once more', mask: true, validate: (text) => text === first || 'It is not the same.' });
  return first;
}

/** A key from a file, DT_PRIVATE_KEY or a prompt, never from the command line. @throws DT_INPUT_FILE, DT_INPUT_MISSING */
export async function readPrivateKey(file: string | undefined, interactive: boolean): Promise<string> {
  if (file !== undefined) return (await readInput(file)).toString('utf8').trim();
  const known = process.env['DT_PRIVATE_KEY'];
  if (known !== undefined && known !== '') return known;
  if (!interactive) throw new ToolkitError('DT_INPUT_MISSING', { what: 'The private key (--key-file or DT_PRIVATE_KEY)' });
  const { password } = await import('@inquirer/prompts');
  return password({ message: 'Private key (64 hex digits)', mask: true });
}

/** The first key of a machine is what its commands sign with, until `dt key use` says otherwise. */
export async function makeDefaultIfFirst(home: Home, name: string): Promise<boolean> {
  if ((await home.settings()).key !== undefined) return false;
  await home.saveSettings({ key: name });
  return true;
}
