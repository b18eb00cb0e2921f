import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetRevoke extends BaseCommand<typeof AssetRevoke> {
  static override description = 'Take a grant back: from the next check on everything above is unusable, and jobs that run on it end.';
  static override examples = ['<%= config.bin %> asset revoke --dt @bank-a --cdt @risk-model --key bank-a'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      dt: Flags.string({ description: 'your data token: its id, or @name' }),
      cdt: Flags.string({ description: 'the composite that shall no longer use it: its id, or @name' }),
    }),
  };

  override async run() {
    const { revokeAsset } = await import('../../actions/asset/grant-asset.js');
    const { tokenChoices } = await import('../../cli/choices.js');
    const { renderDone, shortId } = await import('../../cli/render-text.js');
    const { flags } = this;
    const dts = async () => tokenChoices(await this.reader());
    const dt = await this.tokenId(await this.askChoice(flags.dt, 'Which of your tokens?', 'dt', dts), '--dt');
    const cdts = async () => tokenChoices(await this.reader(), ({ children }) => children.includes(dt));
    const composite = await this.tokenId(await this.askChoice(flags.cdt, 'From which composite?', 'cdt', cdts), '--cdt');
    await revokeAsset(await this.signing(flags), { dt, composite });
    await this.drawn();
    this.log(renderDone(`${shortId(dt)} is no longer granted to ${shortId(composite)}`));
    await this.next(`dt tracer dfs --prefix-path ${dt}`, ' shows what is above it');
    return { dt, composite, revoked: true };
  }
}
