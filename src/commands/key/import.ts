import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class KeyImport extends BaseCommand<typeof KeyImport> {
  static override description =
    'Keep a key that exists already, encrypted, on this machine.\nIt is read from a file, from DT_PRIVATE_KEY or at a prompt, never from the command line, which other users can see.';
  static override examples = [
    '<%= config.bin %> key import --name bank-a',
    '<%= config.bin %> key import --name bank-a --key-file ./bank-a.hex',
    'pass show bank-a | <%= config.bin %> key import --name bank-a --key-file -',
  ];
  static override flags = namedFlags({
    name: Flags.string({ description: 'what the key is called on this machine' }),
    'key-file': Flags.file({ description: 'file with the 64 hex digits of the key; - is stdin' }),
  });

  override async run() {
    const { Keystore } = await import('../../keys/keystore.js');
    const { readPrivateKey, newPassword, makeDefaultIfFirst } = await import('../../cli/new-key.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { home } = this;
    const name = await this.ask(this.flags.name, 'Name of the key', 'name');
    const keystore = new Keystore(home.path('keystore'));
    await keystore.refuseTaken(name);
    const privateKey = await readPrivateKey(this.flags['key-file'], this.interactive);
    const key = await keystore.import(name, privateKey, await newPassword(name, this.interactive));
    const isDefault = await makeDefaultIfFirst(home, name);
    this.log(renderDone(`Key ${name}${isDefault ? ', the default,' : ''} imported: ${key.address}`));
    return { ...key, isDefault };
  }
}
