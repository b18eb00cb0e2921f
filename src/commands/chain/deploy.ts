import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class ChainDeploy extends BaseCommand<typeof ChainDeploy> {
  static override description = 'Deploy the contracts to any EVM chain and write their address book.';
  static override examples = [
    '<%= config.bin %> chain deploy --rpc https://rpc.example.org --key deployer --admin 0x7080b17af4b29f621a5ef3b1802b2a778af595d0',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      admin: Flags.string({ description: 'address of the system administrator; default: the key that deploys' }),
      out: Flags.file({ description: 'where the address book goes; default: the home folder' }),
    }),
  };

  override async run() {
    const { openSigner } = await import('../../cli/open-signer.js');
    const { DEFAULT_RPC } = await import('../../cli/connect.js');
    const { deployTo } = await import('../../cli/deploy-once.js');
    const { flags, home } = this;
    const rpcUrl = flags.rpc ?? (await home.settings()).rpcUrl ?? DEFAULT_RPC;
    const signer = await openSigner(home, flags, { interactive: this.interactive, warn: (text) => this.warn(text) });
    const file = flags.out ?? home.path('address-book.json');
    const addressBook = await this.wait('Deploying the contracts', deployTo(rpcUrl, signer, flags.admin ?? signer.address, file));
    await home.saveSettings({ rpcUrl });
    this.log(`Deployed to chain ${addressBook.chainId}; address book: ${file}`);
    await this.next('dt system org --name … --address …');
    return { addressBook, file };
  }
}
