import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class KeyUse extends BaseCommand<typeof KeyUse> {
  static override description = 'Choose the key that signs where a command names none.';
  static override examples = ['<%= config.bin %> key use --name bank-a'];
  static override flags = namedFlags({ name: Flags.string({ description: 'a key of `dt key list`' }) });

  override async run() {
    const { Keystore } = await import('../../keys/keystore.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const keystore = new Keystore(this.home.path('keystore'));
    const choices = async () => (await keystore.list()).map(({ name, address }) => ({ name: `${name}  ${address}`, value: name }));
    const name = await this.askChoice(this.flags.name, 'Which key?', 'name', choices);
    const address = await keystore.addressOf(name);
    await this.home.saveSettings({ key: name });
    this.log(renderDone(`Key ${name} is the default now: ${address}`));
    return { name, address, isDefault: true };
  }
}
