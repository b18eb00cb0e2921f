/** Why a run is ended from outside. `stop`: the daemon stops; the run goes back to the queue. `lost`: another process has it. */
export interface AbortCause {
  readonly kind: 'cancel' | 'revoked' | 'stop' | 'lost';
  /** Of a cancel. */
  readonly by?: string;
  /** Of a cancel, or what was lost. */
  readonly reason?: string;
}

export class RunAborted extends Error {
  constructor(readonly abort: AbortCause) {
    super(abort.kind);
  }
}
