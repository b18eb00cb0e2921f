import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class KeyCreate extends BaseCommand<typeof KeyCreate> {
  static override description =
    'Create a key and keep it encrypted on this machine. The first key becomes the default.\nThe password comes from DT_PASSWORD or is asked for twice.';
  static override examples = ['<%= config.bin %> key create --name bank-a'];
  static override flags = namedFlags({ name: Flags.string({ description: 'what the key is called on this machine' }) });

  override async run() {
    const { Keystore } = await import('../../keys/keystore.js');
    const { newPassword, makeDefaultIfFirst } = await import('../../cli/new-key.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { home } = this;
    const name = await this.ask(this.flags.name, 'Name of the key', 'name');
    const keystore = new Keystore(home.path('keystore'));
    await keystore.refuseTaken(name);
    const key = await keystore.create(name, await newPassword(name, this.interactive));
    const isDefault = await makeDefaultIfFirst(home, name);
    this.log(renderDone(`Key ${name}${isDefault ? ', the default,' : ''} created: ${key.address}`));
    await this.next(`the system administrator runs \`dt system org --address ${key.address} --name …\``);
    return { ...key, isDefault };
  }
}
