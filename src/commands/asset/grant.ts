import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetGrant extends BaseCommand<typeof AssetGrant> {
  static override description =
    'Permit by your own key that one of your tokens is used in a composite, after the checks that your daemon would make.';
  static override examples = ['<%= config.bin %> asset grant --dt @bank-a --cdt @risk-model --until 90'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      dt: Flags.string({ description: 'your data token: its id, or @name' }),
      cdt: Flags.string({ description: 'the composite that may use it: its id, or @name' }),
      until: Flags.string({ description: 'end of the grant: a number of days, a date or a time; default: none' }),
    }),
  };

  override async run() {
    const { grantAsset } = await import('../../actions/asset/grant-asset.js');
    const { isComposed, tokenChoices } = await import('../../cli/choices.js');
    const { parseUntil } = await import('../../cli/parse-until.js');
    const { renderDone, renderTime, shortId } = await import('../../cli/render-text.js');
    const { flags } = this;
    const until = parseUntil(flags.until, new Date());
    const dts = async () => tokenChoices(await this.reader());
    const dt = await this.tokenId(await this.askChoice(flags.dt, 'Which of your tokens?', 'dt', dts), '--dt');
    const cdts = async () => tokenChoices(await this.reader(), (asset) => isComposed(asset) && asset.children.includes(dt));
    const composite = await this.tokenId(await this.askChoice(flags.cdt, 'For which composite?', 'cdt', cdts), '--cdt');
    await grantAsset(await this.signing(flags), { dt, composite, until });
    await this.drawn();
    this.log(renderDone(`${shortId(dt)} granted to ${shortId(composite)}${until === 0 ? '' : ` until ${renderTime(until)}`}`));
    await this.next(`the owner of the composite runs dt asset activate --cdt ${composite}`);
    return { dt, composite, until };
  }
}
