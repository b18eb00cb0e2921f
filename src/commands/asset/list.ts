import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetList extends BaseCommand<typeof AssetList> {
  static override description = 'List the data tokens of the chain, with the names that this machine gave them.';
  static override examples = ['<%= config.bin %> asset list', '<%= config.bin %> asset list --mine --key bank-a'];
  static override flags = {
    key: signingFlags.key,
    ...namedFlags({
      mine: Flags.boolean({ description: 'only those of the key (--key, or the default)', exclusive: ['owner'] }),
      owner: Flags.string({ description: 'only those of this address' }),
    }),
  };

  override async run() {
    const { listAssets } = await import('../../actions/asset/list-assets.js');
    const { ownerOf } = await import('../../cli/own-address.js');
    const { renderAssets } = await import('../../cli/render-asset.js');
    const { renderNone } = await import('../../cli/render-text.js');
    const owner = await ownerOf(this.home, this.flags);
    const assets = await listAssets(await this.reader(), owner);
    if (assets.length === 0) this.log(renderNone('No data tokens.', 'dt asset dt --attr-file … --store-path …'));
    else this.log(renderAssets(assets, await this.home.names()));
    return { assets };
  }
}
