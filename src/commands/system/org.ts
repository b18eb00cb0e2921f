import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class SystemOrg extends BaseCommand<typeof SystemOrg> {
  static override description =
    'Register an organization, or change what is given and keep the rest.\nThe system administrator may change everything; an organization its own --url and --link-key.';
  static override examples = [
    "<%= config.bin %> system org --name 'Bank A' --desc 'retail bank' --address 0x7080b17af4b29f621a5ef3b1802b2a778af595d0",
    '<%= config.bin %> system org --address 0x7080b17af4b29f621a5ef3b1802b2a778af595d0 --url https://bank-a.example:8090 --key bank-a',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      address: Flags.string({ description: 'chain address of the organization' }),
      name: Flags.string({ description: 'its name' }),
      desc: Flags.string({ description: 'what it does' }),
      url: Flags.string({ description: "URL of its tracer daemon; '' when it runs none" }),
      'link-key': Flags.string({ description: "Ed25519 public key of its daemon's links, 0x and 64 hex digits" }),
      role: Flags.string({
        description: 'aggregator: mint, compose, open tasks; provider: own data, grant; new organizations are both',
        options: ['aggregator', 'provider', 'both', 'none'],
      }),
    }),
  };

  override async run() {
    const { parseAddress, parseBytes32 } = await import('../../documents/ids.js');
    const { registerOrganization } = await import('../../actions/system/register-organization.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { renderOrganization } = await import('../../cli/render-organization.js');
    const { flags } = this;
    const address = parseAddress(await this.ask(flags.address, 'Address of the organization', 'address'), '--address');
    const isPartial = [flags.desc, flags.url, flags['link-key'], flags.role].some((given) => given !== undefined);
    const name = isPartial ? flags.name : await this.ask(flags.name, 'Its name', 'name');
    const linkKey = flags['link-key'] === undefined ? undefined : parseBytes32(flags['link-key'], '--link-key');
    const { organization, updated } = await registerOrganization(await this.signing(flags), {
      address,
      ...(name !== undefined && { name }),
      ...(flags.desc !== undefined && { description: flags.desc }),
      ...(flags.url !== undefined && { url: flags.url }),
      ...(linkKey && { linkKey }),
      ...(flags.role !== undefined && {
        isAggregator: ['aggregator', 'both'].includes(flags.role),
        isProvider: ['provider', 'both'].includes(flags.role),
      }),
    });
    await this.drawn();
    this.log(renderDone(`${updated ? 'Organization updated' : 'Organization registered'}\n${renderOrganization(organization)}`));
    if (!updated) await this.next('dt system op --attr-file …');
    return { organization, updated };
  }
}
