import { toToolkitError } from '../../errors/toolkit-error.js';
import { ExecutionError } from '../pipeline/execute.js';
import { RunAborted } from '../pipeline/run-aborted.js';
import { type JointPeer, PeerEnded, PeerLost } from './joint-peer.js';
import type { Refusal } from './joint-wire.js';
import { refusalIn } from './refusals.js';

/** What peers are told when this side ends. */
export interface EndWord {
  readonly code: string;
  readonly message: string;
  /** It followed from what another party said or did not do; whoever began with it says so itself. */
  readonly echo: boolean;
  readonly refusal?: Refusal;
}

/**
 * What peers may know of an end here: no path, no log. Undefined when they should hear nothing but the end of the channel, since nothing
 * is wrong with the job and they may meet this side again: a peer was lost, this daemon stops, its chain does not answer.
 */
export function endWord(error: unknown): EndWord | undefined {
  if (error instanceof PeerLost) return undefined;
  if (error instanceof PeerEnded) return { code: error.problem.code, message: error.problem.message, echo: true };
  if (error instanceof RunAborted) return ['stop', 'lost'].includes(error.abort.kind) ? undefined : { ...abortWord(error), echo: false };
  if (error instanceof ExecutionError && error.problem.code === 'DT_JOB_OPERATOR_FAILED')
    return { code: error.problem.code, message: `its operator ended with ${String(error.problem.details['exit'])}`, echo: false };
  const problem = error instanceof ExecutionError ? error.problem : toToolkitError(error);
  const { code, message } = problem;
  if (problem.retryable && code.startsWith('DT_CHAIN_')) return undefined;
  const echo = code === 'DT_JOINT_REFUSED' || code === 'DT_JOINT_PEER_ABSENT';
  const refusal = refusalIn(problem.details);
  return { code, message: code === 'DT_BUG_UNEXPECTED' ? 'its daemon failed' : message, echo, ...(refusal && { refusal }) };
}

/** Of a run that was ended from outside. */
export function abortWord({ abort }: RunAborted): Pick<EndWord, 'code' | 'message'> {
  if (abort.kind === 'revoked') return { code: 'DT_JOB_REVOKED', message: abort.reason ?? 'a grant was revoked' };
  const why = abort.reason === undefined ? '' : `: ${abort.reason}`;
  return { code: 'DT_JOB_CANCELED', message: `it was canceled by ${abort.by ?? 'its owner'}${why}` };
}

export async function tellEnd(peers: readonly JointPeer[], error: unknown): Promise<void> {
  const word = endWord(error);
  if (word !== undefined) await Promise.allSettled(peers.map((peer) => peer.send({ kind: 'ended', ...word })));
}
