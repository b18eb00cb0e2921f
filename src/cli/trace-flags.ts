import { Flags } from '@oclif/core';

/** How `tracer dfs` and `tracer union` show a trace, and whether they verify it. */
export const traceFlags = {
  detailed: Flags.boolean({ char: 'd', description: 'full ids, times and receipts' }),
  format: Flags.string({
    description: 'tree, json, dot (Graphviz), mermaid, or prov (W3C PROV-JSON)',
    options: ['tree', 'json', 'dot', 'mermaid', 'prov'],
    default: 'tree',
  }),
  verify: Flags.boolean({
    description: 'verify the receipts of every job in it, asked for at the daemons with your key: as demander, owner or auditor',
  }),
};
