import { type ToolkitError, toToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from './channel.js';

/**
 * Runs one party's side. Whatever ends it early ends every link of the party at once, with the reason, so that all sides
 * stop with a named cause and none waits for another.
 */
export async function runParty<Result>(channels: readonly Channel[], body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (thrown) {
    const error = toToolkitError(thrown);
    for (const channel of channels) channel.abort(reasonForPeers(error));
    throw error;
  }
}

/** The message of an error that nobody expected may hold a piece of the data, and peers learn nothing from it. */
export const reasonForPeers = (error: ToolkitError): string =>
  error.code === 'DT_BUG_UNEXPECTED' ? 'it failed unexpectedly; its own log says why' : error.message;
