import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class DaemonLogin extends BaseCommand<typeof DaemonLogin> {
  static override description = "Get a code to sign in to the page of your organization's daemon, good once and for five minutes.";
  static override examples = ['<%= config.bin %> daemon login --key bank-a'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({ url: Flags.string({ description: 'where the daemon is; default: what the chain says' }) }),
  };

  override async run() {
    const { requestCode } = await import('../../actions/daemon/request-code.js');
    const answer = await this.wait('Asking the daemon', requestCode(await this.signing(this.flags), this.flags.url));
    this.log(`Code:  ${answer.code}`);
    this.log(
      `Open   ${answer.url}   and type it in by ${new Date(answer.expiresAt).toLocaleTimeString('en-GB')}. It is good once; show it to nobody.`,
    );
    return answer;
  }
}
