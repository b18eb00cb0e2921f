import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetShow extends BaseCommand<typeof AssetShow> {
  static override description = 'Show one data token: its document, constraints and grants.';
  static override examples = ['<%= config.bin %> asset show --dt @bank-a', '<%= config.bin %> asset show --dt @risk-model --json'];
  static override flags = namedFlags({ dt: Flags.string({ description: 'id of the token, or @name', aliases: ['cdt'] }) });

  override async run() {
    const { showAsset } = await import('../../actions/asset/show-asset.js');
    const { tokenChoices } = await import('../../cli/choices.js');
    const { renderAsset } = await import('../../cli/render-asset.js');
    const context = await this.reader();
    const dt = await this.tokenId(await this.askChoice(this.flags.dt, 'Which token?', 'dt', () => tokenChoices(context)), '--dt');
    const details = await showAsset(context, dt);
    this.log(renderAsset(details, Math.floor(Date.now() / 1000)));
    return details;
  }
}
