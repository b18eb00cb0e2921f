import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerReceipts extends BaseCommand<typeof TracerReceipts> {
  static override description =
    'List the receipts that the chain holds, newest first: which job, on what, by whom, how it ended. `dt tracer verify` checks them. No key is needed.';
  static override examples = [
    '<%= config.bin %> tracer receipts',
    "<%= config.bin %> tracer receipts --org 'Bank A' --state refused --json",
  ];
  static override flags = namedFlags({
    job: Flags.string({ description: 'only of this job: its number' }),
    org: Flags.string({ description: 'only of this organization: its name or address' }),
    state: Flags.string({ description: 'only with this outcome', options: ['succeeded', 'failed', 'canceled', 'refused'] }),
  });

  override async run() {
    const { listReceipts } = await import('../../actions/tracer/list-receipts.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { renderReceipts } = await import('../../cli/render-receipts.js');
    const { job, org: organization, state } = this.flags;
    const filter = { organization, state, ...(job !== undefined && { job: parseCounter(job, 'The number of the job') }) };
    const receipts = await listReceipts(await this.reader(), filter);
    this.log(renderReceipts(receipts));
    return { receipts };
  }
}
