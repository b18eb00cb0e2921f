import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class ChainStart extends BaseCommand<typeof ChainStart> {
  static override description =
    'Start an embedded chain that keeps every acknowledged transaction through a kill.\nOn the first start the contracts are deployed, with the default key as system administrator.';
  static override examples = [
    '<%= config.bin %> chain start',
    '<%= config.bin %> chain start --admin 0x7080b17af4b29f621a5ef3b1802b2a778af595d0 --port 8546',
  ];
  static override flags = namedFlags({
    port: Flags.integer({ description: 'port of JSON-RPC, HTTP and WebSocket', default: 8545, min: 0, max: 65535 }),
    host: Flags.string({ description: 'address to listen on', default: '127.0.0.1' }),
    folder: Flags.directory({ description: 'folder of the chain; default: chain in the home folder' }),
    admin: Flags.string({ description: 'address of the system administrator; default: the default key' }),
  });

  override async run() {
    const { startEmbeddedChain } = await import('../../ledger/embedded-chain/embedded-chain.js');
    const { deployOnce } = await import('../../cli/deploy-once.js');
    const { untilStopped } = await import('../../cli/until-stopped.js');
    const { flags, home } = this;
    const folder = flags.folder ?? home.path('chain');
    const chain = await this.wait('Starting the chain', startEmbeddedChain({ folder, port: flags.port, host: flags.host }));
    try {
      const { addressBook, deployed } = await this.wait('Looking for the contracts', deployOnce(home, chain.url, flags.admin));
      await home.saveSettings({ rpcUrl: chain.url });
      this.log(`Chain ${chain.chainId} at ${chain.url}`);
      if (addressBook === undefined)
        this.log('No contracts yet: run `dt key create --name system`, then `dt chain deploy --admin <address>`.');
      else this.log(`${deployed ? 'Contracts deployed' : 'Contracts found'}; address book: ${home.path('address-book.json')}`);
      this.log('Stop it with ctrl-c.');
      const failure = await Promise.race([chain.stopped, untilStopped()]);
      if (failure instanceof Error) throw failure;
      return { url: chain.url, chainId: chain.chainId };
    } finally {
      await chain.close();
    }
  }
}
