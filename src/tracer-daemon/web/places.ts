import type { Response } from 'express';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { requesterOf } from '../middleware/authenticate.js';
import { accessOfResponse } from './prove-access.js';

/** Bounds what is costly and lasts, at the daemon and for each who comes in by a session or a token, so that none of them takes it from the others. */
export class Places {
  readonly #taken = new Map<string, number>();
  #total = 0;
  #signed = 0;

  constructor(
    private readonly what: string,
    private readonly limits: { readonly each: number; readonly all: number /** By signed requests. */; readonly signed?: number },
  ) {}

  /**
   * All sessions of a token count as one. Signed requests count together, since who signs with one key can sign with a thousand: they leave
   * places for those whom the owner has let in. @returns what gives the place back, once
   * @throws DT_HTTP_BUSY
   */
  take(response: Pick<Response, 'locals'>): () => void {
    const access = accessOfResponse(response);
    const who = access === undefined ? undefined : `${access.role}: ${access.subject}`;
    const { each, all, signed = all } = this.limits;
    const own = who === undefined ? 0 : (this.#taken.get(who) ?? 0);
    if (own >= each) throw new ToolkitError('DT_HTTP_BUSY', { who: access?.subject ?? '', limit: each, what: this.what });
    if (this.#total >= all) throw new ToolkitError('DT_HTTP_BUSY', { who: requesterOf(response), limit: all, what: this.what });
    if (who === undefined && this.#signed >= signed)
      throw new ToolkitError('DT_HTTP_BUSY', { who: 'those who sign their requests', limit: signed, what: this.what });
    this.#total += 1;
    if (who === undefined) this.#signed += 1;
    if (who !== undefined) this.#taken.set(who, own + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#total -= 1;
      if (who === undefined) {
        this.#signed -= 1;
        return;
      }
      const left = (this.#taken.get(who) ?? 1) - 1;
      if (left > 0) this.#taken.set(who, left);
      else this.#taken.delete(who);
    };
  }
}

/** Of one daemon: event streams of pages and of programs that follow a run. */
export const streamPlaces = (): Places => new Places('event streams', { each: 32, all: 1_000, signed: 500 });
export const verifyPlaces = (): Places => new Places('verifications', { each: 1, all: 4 });
