import chalk from 'chalk';
import type { RunListener } from '../actions/job/follow-run.js';
import { failureOf, isFinalState, problemOf, type ShareView } from '../actions/job/share-view.js';
import { rootCause } from '../catalog/root-cause.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { renderError } from './render-error.js';
import { partyPrefixes } from './render-shares.js';
import { paintState } from './render-state.js';
import { printableLines } from './render-text.js';

/** States and log lines of every party as they come, through `write`. */
export function partyListener(write: (line: string) => void, options: { readonly states: boolean }): RunListener {
  const prefix = partyPrefixes();
  return {
    ...(options.states && { onState: (party, state) => write(`${prefix(party)} ${paintState(state)}`) }),
    ...(options.states && {
      onNote: (party, text) => {
        for (const line of printableLines(text)) write(`${prefix(party)} ${chalk.dim(line)}`);
      },
    }),
    onLog: (party, stream, text) => {
      for (const line of printableLines(text)) write(`${prefix(party)} ${stream === 'stderr' ? chalk.dim(line) : line}`);
    },
  };
}

/** Aborts at the first ctrl-c, so that what runs elsewhere is left alone and said; a second one ends the program. */
export function untilInterrupted(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  // Not `once`: packages that put the cursor back end the program by the signal when they find themselves its last listeners.
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  return { signal: controller.signal, release: () => process.removeListener('SIGINT', stop) };
}

/** After ctrl-c: what goes on without this program, and how to come back to it. Empty when nothing does. */
export function goesOn(job: bigint, shares: readonly ShareView[], again: (command: string) => string): readonly string[] {
  const daemons = new Set(shares.filter(({ run, state }) => run !== undefined && !isFinalState(state)).map(({ daemon }) => daemon)).size;
  if (daemons === 0) return [];
  return [
    `Job ${job} goes on at ${daemons === 1 ? 'one daemon' : `${daemons} daemons`}.`,
    `  watch it   ${again(`dt job logs ${job} --follow`)}`,
    `  fetch it   ${again(`dt job outputs ${job} --out <folder>`)}`,
    `  cancel it  ${again(`dt job cancel ${job}`)}`,
  ];
}

/** The share that decides about a command's exit code, and its error. */
export interface Failure {
  readonly share: ShareView;
  readonly error: ToolkitError;
}

/** Why a job as a whole has not succeeded: the share that did not, from which the ends of others followed. */
export function jobFailure(job: bigint, shares: readonly ShareView[]): Failure | undefined {
  const share = rootCause(shares);
  const error = share && failureOf(job, share);
  return share && error && { share, error };
}

/** What kept a question about a job from being answered. How its shares ended is an answer, not a failure. */
export const queryFailure = (shares: readonly ShareView[]): Failure | undefined => firstFailure(shares, problemOf);

/** Why there is nothing to fetch from a job, or why some of it could not be fetched. */
export function outputsFailure(job: bigint, shares: readonly ShareView[]): Failure | undefined {
  const failure = queryFailure(shares);
  if (failure !== undefined || shares.some(({ outputs }) => outputs.length > 0)) return failure;
  return jobFailure(job, shares) ?? firstFailure(shares, ({ state }) => whyNothingYet(job, state));
}

function whyNothingYet(id: bigint, state: string): ToolkitError | undefined {
  if (state === 'absent') return new ToolkitError('DT_JOB_STATE', { id, state, needed: 'a share that was asked for (`dt job rerun`)' });
  return isFinalState(state) ? undefined : new ToolkitError('DT_JOB_NOT_FINISHED', { id, state });
}

function firstFailure(shares: readonly ShareView[], errorOf: (share: ShareView) => ToolkitError | undefined): Failure | undefined {
  for (const share of shares) {
    const error = errorOf(share);
    if (error !== undefined) return { share, error };
  }
  return undefined;
}

/**
 * Ends a command with an error's exit code after its results were shown. The error goes to stderr, and into the JSON result.
 * @returns what the JSON result says of it
 */
export const endWith = (failure: Failure | undefined, json: boolean): { readonly error?: Readonly<Record<string, unknown>> } =>
  endWithError(failure?.error, json);

/** The same of any error. */
export function endWithError(error: ToolkitError | undefined, json: boolean): { readonly error?: Readonly<Record<string, unknown>> } {
  if (error === undefined) return {};
  process.exitCode = error.exitCode;
  if (!json) process.stderr.write(renderError(error, process.env['DT_DEBUG'] !== undefined));
  return { error: error.toJSON() };
}
