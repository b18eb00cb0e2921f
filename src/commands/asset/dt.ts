import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetDt extends BaseCommand<typeof AssetDt> {
  static override description =
    "Mint a data token for an asset that you hold, and tell your daemon where its data is.\nThe data itself stays where it is. The same file again mints nothing; with --store-path it renews the daemon's record of the data.";
  static override examples = [
    '<%= config.bin %> asset dt --attr-file samples/ddo/bank_a_attr.json --store-path ./bank_a.csv --as bank-a',
    '<%= config.bin %> asset dt --attr-file samples/ddo/bank_a_attr.json --key bank-a',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      'attr-file': Flags.file({ description: 'JSON with metadata and services: operator, constraint, endpoint, attributes' }),
      'store-path': Flags.string({ description: 'where the data is on the machine of your daemon; a relative path starts here' }),
      salt: Flags.string({ description: 'any text; mints a second token with the same content' }),
      as: Flags.string({ description: 'name for @name on this machine' }),
    }),
  };

  override async run() {
    const { mintAsset } = await import('../../actions/asset/mint-asset.js');
    const { readAssetAttributes, storePathOf } = await import('../../cli/input-files.js');
    const { parseName } = await import('../../cli/home.js');
    const { printable, renderDone } = await import('../../cli/render-text.js');
    const { flags, home } = this;
    const name = flags.as === undefined ? undefined : parseName(flags.as);
    const file = await this.ask(flags['attr-file'], 'Attribute file of the asset', 'attr-file');
    const attributes = await readAssetAttributes(home, file);
    const result = await mintAsset(await this.signing(flags), {
      attributes,
      ...(flags.salt !== undefined && { salt: flags.salt }),
      ...(flags['store-path'] !== undefined && { storePath: storePathOf(flags['store-path']) }),
    });
    if (name !== undefined) await home.saveName(name, result.dt);
    await this.drawn();
    const title = `Data token ${result.outcome === 'minted' ? 'minted' : 'unchanged'}: ${printable(attributes.metadata.main.name)}`;
    this.log(`${renderDone(title)}\n  ${result.dt}${name === undefined ? '' : `  @${name}`}`);
    if (result.held) this.log(`  held by the daemon at ${result.daemon}`);
    const next = `an aggregator names ${name === undefined ? 'it' : `@${name}`} in child_dts: dt asset cdt --attr-file …`;
    if (result.held) await this.next(next);
    else await this.next(`dt asset dt --attr-file ${file} --store-path <file>`, ', so that your daemon finds the data');
    return result;
  }
}
