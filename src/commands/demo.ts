import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { namedFlags } from '../cli/named-flags.js';
import { sandboxFlag } from '../cli/sandbox-flag.js';

export default class Demo extends BaseCommand<typeof Demo> {
  static override description =
    'The main job on real daemons and an embedded chain: two banks run the algorithm of a fintech and refuse what goes too far, then train one model together, and a regulator traces it all.';
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo --keep',
    '<%= config.bin %> demo --data ../shared/data/credit',
  ];
  static override flags = namedFlags({
    data: Flags.directory({ description: 'folder with your own bank_a.csv (id, y, features) and bank_b.csv (id, features)' }),
    keep: Flags.boolean({ description: 'leave chain and daemons running until ctrl-c' }),
    sandbox: sandboxFlag,
  });

  override async run() {
    const { runDemo } = await import('../cli/run-demo.js');
    const { data, keep, sandbox } = this.flags;
    const dt = async (...argv: string[]): Promise<void> => {
      const words =
        argv.map((_, i) => i + 1).findLast((count) => this.config.findCommand(argv.slice(0, count).join(':')) !== undefined) ?? 0;
      await this.config.runCommand(argv.slice(0, words).join(':'), argv.slice(words));
    };
    const walk = { root: this.config.root, home: this.home.path('demo'), data, keep, sandbox, dt };
    if (!this.jsonEnabled()) return runDemo({ ...walk, say: (text) => this.log(text) });
    // What the commands of the walk say is not the one object that --json promises on stdout.
    const { write } = process.stdout;
    process.stdout.write = process.stderr.write.bind(process.stderr);
    try {
      return await runDemo({ ...walk, say: (text) => this.logToStderr(text) });
    } finally {
      process.stdout.write = write;
    }
  }
}
