/** Why a run is ended from outside. `stop`: the daemon stops; the run goes back to the queue. `lost`: another process has it. */
export type AbortCause = { readonly kind: 'cancel' | 'revoked' | 'stop' | 'lost'; readonly by?: string };

export class RunAborted extends Error {
  constructor(readonly abort: AbortCause) {
    super(abort.kind);
  }
}
