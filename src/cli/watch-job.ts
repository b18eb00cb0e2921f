import chalk from 'chalk';
import type { RunListener } from '../actions/job/follow-run.js';
import { failureOf, problemOf, type ShareView } from '../actions/job/share-view.js';
import type { ToolkitError } from '../errors/toolkit-error.js';
import { renderError } from './render-error.js';
import { partyPrefixes } from './render-shares.js';
import { paintState } from './render-state.js';
import { printableLines } from './render-text.js';

/** States and log lines of every party as they come, through `write`. */
export function partyListener(write: (line: string) => void, options: { readonly states: boolean }): RunListener {
  const prefix = partyPrefixes();
  return {
    ...(options.states && { onState: (party, state) => write(`${prefix(party)} ${paintState(state)}`) }),
    onLog: (party, stream, text) => {
      for (const line of printableLines(text)) write(`${prefix(party)} ${stream === 'stderr' ? chalk.dim(line) : line}`);
    },
  };
}

/** Aborts at the first ctrl-c, so that what runs elsewhere is left alone and said; a second one ends the program. */
export function untilInterrupted(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  return { signal: controller.signal, release: () => process.removeListener('SIGINT', stop) };
}

/** Why a job as a whole has not succeeded: the first share's error, in the order of the shares. */
export function jobFailure(job: bigint, shares: readonly ShareView[]): ToolkitError | undefined {
  return shares.map((share) => failureOf(job, share)).find((error) => error !== undefined);
}

/**
 * Ends a command with an error's exit code after its results were shown. The error goes to stderr, and into the JSON result.
 * @returns what the JSON result says of it
 */
export function endWith(error: ToolkitError | undefined, json: boolean): { readonly error?: Readonly<Record<string, unknown>> } {
  if (error === undefined) return {};
  process.exitCode = error.exitCode;
  if (!json) process.stderr.write(renderError(error, process.env['DT_DEBUG'] !== undefined));
  return { error: error.toJSON() };
}

/** What kept a question about a job from being answered. How its shares ended is an answer, not a failure. */
export function queryFailure(shares: readonly ShareView[]): ToolkitError | undefined {
  return shares.map((share) => problemOf(share)).find((error) => error !== undefined);
}
