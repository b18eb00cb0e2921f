import type { TraceNode } from '../actions/tracer/trace-lifecycle.js';
import { traceProvenance } from '../actions/tracer/trace-provenance.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { renderTrace } from './render-trace.js';
import { renderDot, renderMermaid } from './render-trace-graph.js';

export interface TraceStyle {
  readonly format: string;
  readonly detailed: boolean;
  /** Which way it leads from its root. */
  readonly towards: 'composites' | 'leaves';
}

/** A trace in the format that was asked for. */
export function renderTraceAs(trace: TraceNode, { format, detailed, towards }: TraceStyle): string {
  if (format === 'json') return JSON.stringify(trace, null, 2);
  if (format === 'prov') return JSON.stringify(traceProvenance(trace, towards), null, 2);
  if (format === 'dot') return renderDot(trace);
  return format === 'mermaid' ? renderMermaid(trace) : renderTrace(trace, detailed);
}

/** What a command ends with when the receipts of a trace were verified and one did not hold. */
export function traceError(trace: TraceNode): ToolkitError | undefined {
  const shares = sharesOf(trace).filter(({ verdict }) => verdict !== undefined);
  const failed = shares.filter(({ verdict }) => verdict !== 'verified');
  const [first] = failed;
  if (first === undefined) return undefined;
  const { job, token, mismatch = 'nothing' } = first;
  const words = { name: 'the receipt', party: `job ${job}`, at: token, expected: 'a receipt that verifies', found: mismatch };
  return new ToolkitError('DT_RECEIPT_UNVERIFIED', { failed: failed.length, count: shares.length, ...words });
}

const sharesOf = (node: TraceNode): readonly { job: string; token: string; verdict?: string; mismatch?: string }[] => [
  ...node.jobs.flatMap(({ job, reports, missing }) => [...reports, ...missing].map((share) => ({ ...share, job }))),
  ...node.receipts,
  ...node.children.flatMap(sharesOf),
];
