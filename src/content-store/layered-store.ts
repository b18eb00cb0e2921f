import type { Bytes32 } from '../documents/ids.js';
import { ToolkitError, toToolkitError } from '../errors/toolkit-error.js';
import { cidOf } from './cid.js';
import type { ContentSource } from './content-source.js';
import type { ContentStore } from './content-store.js';

export interface LayeredStoreParts {
  readonly local: ContentStore;
  readonly sources: readonly ContentSource[];
  /** Called for each source that failed or lied, for the log; a document that was found elsewhere is found. */
  readonly onSourceError?: (source: string, error: ToolkitError) => void;
}

/**
 * A local store, and behind it other places, which are asked all at once: the first verified answer wins, is kept locally, and
 * ends the other requests. Nobody has to be trusted, so one honest source is enough.
 */
export class LayeredStore implements ContentStore {
  readonly #parts: LayeredStoreParts;

  constructor(parts: LayeredStoreParts) {
    this.#parts = parts;
  }

  /** Into the local store. */
  put(bytes: Uint8Array): Promise<Bytes32> {
    return this.#parts.local.put(bytes);
  }

  /**
   * undefined: nobody has it, or nobody could be asked (see onSourceError).
   * @throws DT_DOCUMENT_TAMPERED when only wrong bytes were found, naming each place that gave them
   */
  async get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const lies: ToolkitError[] = [];
    const note = (source: string, thrown: unknown) => {
      signal?.throwIfAborted();
      const error = toToolkitError(thrown);
      if (error.code === 'DT_DOCUMENT_TAMPERED') lies.push(error);
      this.#parts.onSourceError?.(source, error);
    };
    try {
      const bytes = await this.#parts.local.get(digest, signal);
      if (bytes !== undefined) return bytes;
    } catch (thrown) {
      note('local', thrown);
      // An unreadable disk is not the same as a document that is not there; a damaged file may be replaced.
      if (lies.length === 0) throw thrown;
    }
    const found = await this.#ask(digest, signal, note);
    if (found !== undefined) {
      await this.#parts.local.put(found).catch((thrown: unknown) => note('local', thrown));
      return found;
    }
    signal?.throwIfAborted();
    if (lies.length > 0) throw tampered(digest, lies);
    return undefined;
  }

  async #ask(
    digest: Bytes32,
    signal: AbortSignal | undefined,
    note: (source: string, thrown: unknown) => void,
  ): Promise<Uint8Array | undefined> {
    const losers = new AbortController();
    const stop = signal === undefined ? losers.signal : AbortSignal.any([signal, losers.signal]);
    const asked = this.#parts.sources.map(async (source) => {
      try {
        const bytes = await source.get(digest, stop);
        if (bytes !== undefined) return bytes;
      } catch (thrown) {
        if (!losers.signal.aborted) note(source.name ?? 'a source', thrown);
      }
      throw new Missing();
    });
    try {
      return await Promise.any(asked);
    } catch {
      return undefined;
    } finally {
      losers.abort();
    }
  }
}

/** Only to let the others of Promise.any go on. */
class Missing extends Error {}

function tampered(digest: Bytes32, lies: readonly ToolkitError[]): ToolkitError {
  const [first] = lies;
  if (lies.length === 1 && first !== undefined) return first;
  const listed = (name: string) => lies.map(({ details }) => String(details[name])).join(', ');
  return new ToolkitError(
    'DT_DOCUMENT_TAMPERED',
    { cid: cidOf(digest), source: listed('source'), actual: listed('actual') },
    new AggregateError(lies),
  );
}
