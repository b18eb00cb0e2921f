import { ToolkitError } from '../../errors/toolkit-error.js';
import type { NonceStore } from './store.js';
import type { StoreSession } from './store-session.js';

/** A nonce outlives its request by this much, for clocks that are set back and for machines whose clocks differ. */
export const NONCE_GRACE_MS = 10 * 60_000;
const LONGEST_NONCE = 200;
const PRUNED_AT_ONCE = 100;

export class SqlNonceStore implements NonceStore {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  async useNonce(use: Parameters<NonceStore['useNonce']>[0]): Promise<boolean> {
    if (use.nonce.length === 0 || use.nonce.length > LONGEST_NONCE) {
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: 'The nonce',
        reason: `expected 1 to ${LONGEST_NONCE} characters, got ${use.nonce.length}`,
      });
    }
    return this.#session.write(async ({ trx, now }) => {
      if (!(use.expiresAt > now)) return false;
      const added = await trx
        .insertInto('nonces')
        .values({ signer: use.signer, nonce: use.nonce, expires_at: Math.ceil(use.expiresAt) })
        .onConflict((c) => c.columns(['signer', 'nonce']).doNothing())
        .executeTakeFirst();
      // A few in passing, more than are added, so that no call pays for all and the table still shrinks.
      await trx
        .deleteFrom('nonces')
        .where((e) =>
          e(
            e.refTuple('signer', 'nonce'),
            'in',
            e
              .selectFrom('nonces')
              .select(['signer', 'nonce'])
              .where('expires_at', '<', now - NONCE_GRACE_MS)
              .orderBy('expires_at')
              .limit(PRUNED_AT_ONCE)
              .$if(this.#session.backend === 'postgres', (q) => q.forUpdate().skipLocked())
              .$asTuple('signer', 'nonce'),
          ),
        )
        .execute();
      return added.numInsertedOrUpdatedRows === 1n;
    });
  }
}
