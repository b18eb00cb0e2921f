import type { ActionContext } from '../actions/action-context.js';
import type { TraceNode } from '../actions/tracer/trace-lifecycle.js';

/** The verifier is loaded by those who ask for it. @throws DT_CHAIN_* */
export async function verifiedTrace(context: ActionContext, trace: TraceNode): Promise<TraceNode> {
  const { verifyTrace } = await import('../actions/tracer/verify-trace.js');
  return verifyTrace(context, trace);
}
