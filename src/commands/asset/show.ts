import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetShow extends BaseCommand<typeof AssetShow> {
  static override description = 'Show one data token: its document, constraints and grants.';
  static override examples = ['<%= config.bin %> asset show --dt @bank-a', '<%= config.bin %> asset show --dt @bank-a --format odrl'];
  static override flags = namedFlags({
    dt: Flags.string({ description: 'id of the token, or @name', aliases: ['cdt'] }),
    format: Flags.string({
      description: 'text, or odrl: its policy as W3C ODRL in JSON-LD',
      options: ['text', 'odrl'],
      default: 'text',
    }),
  });

  override async run() {
    const { showAsset } = await import('../../actions/asset/show-asset.js');
    const { tokenChoices } = await import('../../cli/choices.js');
    const { renderAsset } = await import('../../cli/render-asset.js');
    const context = await this.reader();
    const dt = await this.tokenId(await this.askChoice(this.flags.dt, 'Which token?', 'dt', () => tokenChoices(context)), '--dt');
    const details = await showAsset(context, dt);
    if (this.flags.format === 'odrl') {
      const { assetPolicy } = await import('../../actions/asset/asset-policy.js');
      const policy = await assetPolicy(context, details);
      this.log(JSON.stringify(policy, null, 2));
      return policy;
    }
    this.log(renderAsset(details, Math.floor(Date.now() / 1000)));
    return details;
  }
}
