import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class DaemonRun extends BaseCommand<typeof DaemonRun> {
  static override description = 'Run the tracer daemon of one organization.';
  static override examples = ['<%= config.bin %> daemon run --config bank-a/daemon.yaml'];
  static override flags = namedFlags({ config: Flags.file({ description: 'the configuration', default: 'daemon.yaml' }) });

  override async run() {
    const { loadConfig } = await import('../../tracer-daemon/config/load-config.js');
    const { startDaemon } = await import('../../tracer-daemon/start-daemon.js');
    const { passwordFor } = await import('../../cli/open-signer.js');
    const { renderLogLine } = await import('../../cli/render-log-line.js');
    const { untilStopped } = await import('../../cli/until-stopped.js');
    const config = await loadConfig(this.flags.config, process.env);
    const password =
      process.env[config.key.passwordEnv] ?? (await passwordFor(config.key.name ?? config.key.file ?? 'of the daemon', this.interactive));
    // No spinner: the daemon writes its log to the same terminal.
    if (this.interactive) process.stderr.write('Starting the daemon: key, sandbox, store, chain …\n');
    const log = { write: (line: string) => void process.stderr.write(renderLogLine(line)) };
    const daemon = await startDaemon(config, { password, ...(process.stderr.isTTY && { log }) });
    const stopped = untilStopped();
    const { organization, sandbox } = daemon.deps;
    this.log(`Daemon of ${organization} at ${daemon.url}, sandbox ${sandbox.level}`);
    this.log(`Layers that hold: ${sandbox.layers.join(', ')}`);
    if (this.interactive) {
      this.log(`Sign in to its page: ${this.again(`dt daemon login --key ${config.key.name ?? 'NAME'}`)}`);
      this.log('Stop it with ctrl-c.');
    }
    await stopped;
    await daemon.close();
    return { url: daemon.url, organization };
  }
}
