import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetCheck extends BaseCommand<typeof AssetCheck> {
  static override description =
    'Dry run of all constraints and grants of a token and everything below it, or of an attribute file before it is minted.\nEvery condition is shown; exits with 5 when one of them is not met. Nothing is written.';
  static override examples = [
    '<%= config.bin %> asset check --cdt @risk-model',
    '<%= config.bin %> asset check --attr-file samples/ddo/algorithm_attr.json',
  ];
  static override flags = {
    key: signingFlags.key,
    ...namedFlags({
      dt: Flags.string({ description: 'id of a data token, or @name', exclusive: ['cdt', 'attr-file'] }),
      cdt: Flags.string({ description: 'id of a composite, or @name', exclusive: ['dt', 'attr-file'] }),
      'attr-file': Flags.file({ description: 'attribute file that is not minted yet', exclusive: ['dt', 'cdt'] }),
    }),
  };

  override async run() {
    const { checkAsset } = await import('../../actions/asset/check-asset.js');
    const { checkAttributes } = await import('../../actions/asset/check-attributes.js');
    const { errorTable } = await import('../../errors/codes.js');
    const { parseAddress } = await import('../../documents/ids.js');
    const { readAssetAttributes } = await import('../../cli/input-files.js');
    const { ownAddress } = await import('../../cli/own-address.js');
    const { tokenChoices } = await import('../../cli/choices.js');
    const { renderCheck } = await import('../../cli/render-clauses.js');
    const { flags, home } = this;
    const file = flags['attr-file'];
    const attributes = file === undefined ? undefined : await readAssetAttributes(home, file);
    const context = await this.reader();
    const nobody = parseAddress(`0x${'0'.repeat(40)}`);
    const result =
      attributes === undefined
        ? await checkAsset(
            context,
            await this.tokenId(await this.askChoice(flags.cdt ?? flags.dt, 'Which token?', 'dt', () => tokenChoices(context)), '--dt'),
          )
        : await checkAttributes(context, attributes, (await ownAddress(home, flags)) ?? nobody);
    this.log(renderCheck(result));
    if (!result.allowed) process.exitCode = errorTable.DT_POLICY_DENIED.exit;
    return result;
  }
}
