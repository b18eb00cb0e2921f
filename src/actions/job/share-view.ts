import type { JsonObject } from '../../documents/canonical.js';
import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import { isErrorCode } from '../../errors/codes.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { OutputView, RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';

/** One owner's share of a job as it is shown: no key, no connection, safe to print as JSON. */
export interface ShareView {
  readonly token: TokenId;
  readonly asset: string;
  readonly owner: Address;
  readonly ownerName: string;
  readonly daemon: string;
  /** A state of the run; without one: `refused` when its daemon said no, `unreachable` when it did not answer, `absent` when it knows of none. */
  readonly state: string;
  readonly run?: string;
  readonly attempt?: number;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Of a run that waits for its owner: until when. */
  readonly deadlineAt?: string;
  readonly outputs: readonly OutputView[];
  /** Digest of the signed receipt. */
  readonly receipt?: Bytes32;
  /** The failure is not the run's: its daemon could not be asked, or said no. */
  readonly isProblem: boolean;
  readonly failure?: { readonly code: string; readonly message: string; readonly hint: string; readonly details?: JsonObject };
}

const finalStates: readonly string[] = ['succeeded', 'failed', 'canceled', 'refused'];

export const isFinalState = (state: string): boolean => finalStates.includes(state);

export function viewShare(party: Party, run: RunView | undefined, problem: ToolkitError | undefined): ShareView {
  const { token, assetName, owner, ownerName, client } = party;
  const failure = problem === undefined ? run?.failure : viewProblem(problem);
  return {
    token,
    asset: assetName,
    owner,
    ownerName,
    daemon: client.url,
    state: run?.state ?? stateWithout(problem),
    ...(run && { run: run.id, attempt: run.attempt, createdAt: run.createdAt }),
    ...(run?.startedAt !== undefined && { startedAt: run.startedAt }),
    ...(run?.finishedAt !== undefined && { finishedAt: run.finishedAt }),
    ...(run?.deadlineAt !== undefined && { deadlineAt: run.deadlineAt }),
    outputs: run?.outputs ?? [],
    ...(run?.receipt !== undefined && { receipt: run.receipt }),
    isProblem: problem !== undefined,
    ...(failure && { failure }),
  };
}

function stateWithout(problem: ToolkitError | undefined): string {
  if (problem === undefined) return 'absent';
  return ['DT_PEER_UNREACHABLE', 'DT_PEER_ANSWER'].includes(problem.code) ? 'unreachable' : 'refused';
}

/** Why a share has not succeeded, as the error that a command ends with; undefined while it may still succeed. */
export function failureOf(job: bigint, share: ShareView): ToolkitError | undefined {
  const { state, failure, ownerName } = share;
  if (failure === undefined && !['failed', 'refused', 'canceled'].includes(state)) return undefined;
  const reason = failure?.message ?? `its share was ${state}`;
  return errorOf(share) ?? new ToolkitError('DT_JOB_FAILED', { id: job, owner: ownerName, reason });
}

/** Why a daemon could not be asked; a run that failed is an answer. */
export function problemOf(share: ShareView): ToolkitError | undefined {
  return share.isProblem
    ? (errorOf(share) ?? new ToolkitError('DT_PEER_ANSWER', { url: share.daemon, reason: share.failure?.message ?? '' }))
    : undefined;
}

/** The words of another version may name another code, or need values that it did not send. */
function errorOf({ failure, ownerName }: ShareView): ToolkitError | undefined {
  if (failure === undefined || !isErrorCode(failure.code)) return undefined;
  const error = new ToolkitError(failure.code, { ...failure.details, owner: ownerName });
  return /\{\w+\}/.test(error.message) ? undefined : error;
}

function viewProblem(problem: ToolkitError): NonNullable<ShareView['failure']> {
  const { code, message, hint, details } = problem;
  return {
    code,
    message,
    hint,
    details: JSON.parse(JSON.stringify(details, (_, value) => (typeof value === 'bigint' ? `${value}` : value))),
  };
}
