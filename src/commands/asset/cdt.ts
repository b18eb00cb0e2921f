import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetCdt extends BaseCommand<typeof AssetCdt> {
  static override description =
    'Compose tokens into a data union, or into an algorithm that fixes every parameter.\nAll constraints are checked first; then it is minted, every owner is asked for its grant, and it is activated. A call that stopped half-way is simply repeated.';
  static override examples = [
    '<%= config.bin %> asset cdt --attr-file samples/ddo/algorithm_attr.json --as risk-model',
    '<%= config.bin %> asset cdt --attr-file samples/ddo/algorithm_attr.json --until 2027-12-31',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      'attr-file': Flags.file({ description: 'JSON with metadata, child_dts and services with their workflow' }),
      until: Flags.string({ description: 'end of the grants to ask for: a number of days, a date or a time; default: none' }),
      salt: Flags.string({ description: 'any text; mints a second token with the same content' }),
      as: Flags.string({ description: 'name for @name on this machine' }),
    }),
  };

  override async run() {
    const { composeAsset } = await import('../../actions/asset/compose-asset.js');
    const { isAlgorithm } = await import('../../documents/ddo/ddo.js');
    const { readAssetAttributes } = await import('../../cli/input-files.js');
    const { parseUntil } = await import('../../cli/parse-until.js');
    const { parseName } = await import('../../cli/home.js');
    const { printable, renderDone } = await import('../../cli/render-text.js');
    const { flags, home } = this;
    const name = flags.as === undefined ? undefined : parseName(flags.as);
    const until = parseUntil(flags.until, new Date());
    const attributes = await readAssetAttributes(home, await this.ask(flags['attr-file'], 'Attribute file of the composite', 'attr-file'));
    const context = await this.signing(flags);
    const result = await composeAsset(context, { attributes, until, ...(flags.salt !== undefined && { salt: flags.salt }) });
    if (name !== undefined) await home.saveName(name, result.dt);
    await this.drawn();
    const kind = isAlgorithm(attributes) ? 'Algorithm' : 'Data union';
    this.log(`${renderDone(`${kind} ${result.outcome}: ${printable(attributes.metadata.main.name)}`)}`);
    this.log(`  ${result.dt}${name === undefined ? '' : `  @${name}`}`);
    const id = name === undefined ? result.dt : `@${name}`;
    const run = this.again(`dt job exec --task-id <task> --cdt ${id}`);
    if (isAlgorithm(attributes)) await this.next('dt job init --name … --desc …', `, then ${run}`);
    else await this.next(`name ${id} in child_dts of an algorithm: dt asset cdt --attr-file …`);
    return result;
  }
}
