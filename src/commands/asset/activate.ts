import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetActivate extends BaseCommand<typeof AssetActivate> {
  static override description =
    'Activate a composite whose grants came after it was minted. `dt asset cdt` does this by itself when every daemon grants at once.';
  static override examples = ['<%= config.bin %> asset activate --cdt @risk-model'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({ cdt: Flags.string({ description: 'your composite: its id, or @name' }) }),
  };

  override async run() {
    const { activateAsset } = await import('../../actions/asset/activate-asset.js');
    const { isComposed, tokenChoices } = await import('../../cli/choices.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { flags } = this;
    const load = async () => tokenChoices(await this.reader(), (asset) => isComposed(asset) && !asset.activated);
    const cdt = await this.tokenId(await this.askChoice(flags.cdt, 'Which composite?', 'cdt', load), '--cdt');
    await activateAsset(await this.signing(flags), cdt);
    await this.drawn();
    this.log(renderDone(`Composite activated\n  ${cdt}`));
    await this.next(`dt asset check --cdt ${cdt}`);
    return { cdt, activated: true };
  }
}
