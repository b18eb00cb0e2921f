import { stat } from 'node:fs/promises';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';
import { sandboxFlag } from '../../cli/sandbox-flag.js';

export default class DaemonInit extends BaseCommand<typeof DaemonInit> {
  static override description = 'Write a commented configuration for a tracer daemon.';
  static override examples = ['<%= config.bin %> daemon init --config bank-a/daemon.yaml --key bank-a --port 8090 --data ./bank-a/data'];
  static override flags = namedFlags({
    config: Flags.file({ description: 'the file to write', default: 'daemon.yaml' }),
    key: Flags.string({ description: "name of the organization's key in the keystore" }),
    port: Flags.integer({ description: 'port to listen on', default: 8090, min: 0, max: 65535 }),
    'link-port': Flags.integer({
      description: 'port for the daemons of other organizations in joint computations; 0: any free one, which they ask this daemon for',
      default: 0,
      min: 0,
      max: 65535,
    }),
    host: Flags.string({ description: 'address to listen on', default: '127.0.0.1' }),
    data: Flags.directory({ description: 'folder that the daemon may read data from; may be given more than once', multiple: true }),
    auditor: Flags.string({
      description: 'address that may read receipts, decisions and evidence of all runs; may be given more than once',
      multiple: true,
    }),
    sandbox: sandboxFlag,
    force: Flags.boolean({ description: 'overwrite a file that exists' }),
  });

  override async run() {
    const { initDaemon } = await import('../../cli/init-daemon.js');
    const key = await this.ask(this.flags.key ?? (await this.home.settings()).key, "Name of the organization's key", 'key');
    const { data = [], auditor: auditors = [], 'address-book': addressBook, 'link-port': linkPort, ...given } = this.flags;
    const file = await initDaemon(this.home, { ...given, key, data, auditors, addressBook, linkPort });
    for (const folder of data) {
      const isFolder = await stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isFolder) this.warn(`There is no folder ${folder} yet: the daemon reads no data from it.`);
    }
    this.log(`Configuration written to ${file}`);
    await this.next(`dt daemon run --config ${this.flags.config}`);
    return { config: file };
  }
}
