import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';

export default class DaemonInit extends BaseCommand<typeof DaemonInit> {
  static override description = 'Write a commented configuration for a tracer daemon.';
  static override examples = ['<%= config.bin %> daemon init --config bank-a/daemon.yaml --key bank-a --port 8090 --data ./bank-a/data'];
  static override flags = {
    config: Flags.file({ description: 'the file to write', default: 'daemon.yaml', env: 'DT_CONFIG' }),
    key: Flags.string({ description: "name of the organization's key in the keystore", env: 'DT_KEY' }),
    port: Flags.integer({ description: 'port to listen on', default: 8090, env: 'DT_PORT', min: 0, max: 65535 }),
    host: Flags.string({ description: 'address to listen on', default: '127.0.0.1', env: 'DT_HOST' }),
    data: Flags.directory({
      description: 'folder that the daemon may read data from; may be given more than once',
      multiple: true,
      env: 'DT_DATA',
    }),
    sandbox: Flags.string({
      description: 'the weakest sandbox that is acceptable',
      options: ['process', 'namespaces', 'bubblewrap'],
      env: 'DT_SANDBOX',
    }),
    force: Flags.boolean({ description: 'overwrite a file that exists', env: 'DT_FORCE' }),
  };

  override async run(): Promise<unknown> {
    const { initDaemon } = await import('../../cli/init-daemon.js');
    const key = await this.ask(this.flags.key ?? (await this.home.settings()).key, "Name of the organization's key", 'key');
    const { port, host, data, sandbox, force, rpc } = this.flags;
    const addressBook = this.flags['address-book'];
    const file = await initDaemon(this.home, {
      config: this.flags.config,
      key,
      port,
      host,
      data: data ?? [],
      sandbox,
      force,
      rpc,
      addressBook,
    });
    this.log(`Configuration written to ${file}`);
    this.log(`Next: dt daemon run --config ${this.flags.config}`);
    return { config: file };
  }
}
