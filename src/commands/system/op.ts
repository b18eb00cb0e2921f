import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class SystemOp extends BaseCommand<typeof SystemOp> {
  static override description =
    'Publish a trusted operator: code, and the template of its parameters.\nThe paths in the attribute file start at the working directory. The same file again changes nothing.';
  static override examples = [
    '<%= config.bin %> system op --attr-file samples/op/scorecard_attr.json --as scorecard',
    '<%= config.bin %> system op --attr-file samples/op/scorecard_attr.json --update',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      'attr-file': Flags.file({ description: 'JSON with metadata, operation (the code) and params (the template)' }),
      update: Flags.boolean({ description: 'replace the code that is published under these metadata by a new version' }),
      salt: Flags.string({ description: 'any text; tells two operators with the same metadata apart' }),
      as: Flags.string({ description: 'name for @name on this machine' }),
    }),
  };

  override async run() {
    const { publishOperator } = await import('../../actions/system/publish-operator.js');
    const { readOperatorContent } = await import('../../cli/input-files.js');
    const { parseName } = await import('../../cli/home.js');
    const { printable, renderDone } = await import('../../cli/render-text.js');
    const { flags } = this;
    const name = flags.as === undefined ? undefined : parseName(flags.as);
    const content = await readOperatorContent(await this.ask(flags['attr-file'], 'Attribute file of the operator', 'attr-file'));
    const result = await publishOperator(await this.signing(flags), {
      content,
      update: flags.update,
      ...(flags.salt !== undefined && { salt: flags.salt }),
    });
    if (name !== undefined) await this.home.saveName(name, result.tid);
    await this.drawn();
    const title = `Operator ${printable(content.metadata.main.name)} ${result.outcome}, version ${result.version}`;
    this.log(`${renderDone(title)}\n  ${result.tid}${name === undefined ? '' : `  @${name}`}`);
    if (result.failedAt.length > 0) this.warn(`not left at ${result.failedAt.map(printable).join(', ')}; they read it from elsewhere`);
    await this.next('data owners name it as template: dt asset dt --attr-file …');
    return result;
  }
}
