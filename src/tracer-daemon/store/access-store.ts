import { randomUUID } from 'node:crypto';
import type { Bytes32 } from '../../documents/ids.js';
import type { AccessStore, AccessToken, Session, SessionTimes } from './access.js';
import type { AccessTokenRow, SessionRow } from './schema.js';
import type { StoreSession, Write } from './store-session.js';

/** A use is written down no more often than this: one row would otherwise be written by every request. */
const NOTED_MS = 60_000;

export class SqlAccessStore implements AccessStore {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  async issue(token: Parameters<AccessStore['issue']>[0], secretDigest: Bytes32): Promise<AccessToken> {
    return this.#session.write(async (write) => {
      await forgetExpired(write);
      const { kind, role, label, scope, expiresAt } = token;
      const row: AccessTokenRow = {
        id: randomUUID(),
        secret_digest: secretDigest,
        kind,
        role,
        label,
        scope: scope ?? null,
        created_at: write.now,
        expires_at: expiresAt,
        used_at: null,
      };
      await write.trx.insertInto('access_tokens').values(row).execute();
      write.wake({ kind: 'access' });
      return tokenOf(row);
    });
  }

  async useToken(secretDigest: Bytes32): Promise<AccessToken | undefined> {
    const now = this.#session.now();
    const row = await this.#session.read((db) =>
      db
        .selectFrom('access_tokens')
        .selectAll()
        .where('secret_digest', '=', secretDigest)
        .where('kind', '=', 'token')
        .where('expires_at', '>', now)
        .executeTakeFirst(),
    );
    if (row !== undefined && (row.used_at === null || row.used_at < now - NOTED_MS))
      await this.#session.write(({ trx }) => trx.updateTable('access_tokens').set({ used_at: now }).where('id', '=', row.id).execute());
    return row && tokenOf(row);
  }

  async exchange(secretDigest: Bytes32, session: Bytes32, times: SessionTimes): Promise<Session | undefined> {
    return this.#session.write(async (write) => {
      const { trx, now } = write;
      await forgetExpired(write);
      const row = await trx
        .selectFrom('access_tokens')
        .selectAll()
        .where('secret_digest', '=', secretDigest)
        .$if(this.#session.backend === 'postgres', (q) => q.forUpdate())
        .executeTakeFirst();
      if (row === undefined) return undefined;
      if (row.kind === 'code') await trx.deleteFrom('access_tokens').where('id', '=', row.id).execute();
      else await trx.updateTable('access_tokens').set({ used_at: now }).where('id', '=', row.id).execute();
      const { role, label: subject, scope } = row;
      const access = row.kind === 'code' ? {} : { accessToken: row.id, notAfter: row.expires_at };
      return openSession(write, { role, subject, scope, ...access }, session, times);
    });
  }

  async open(proven: Parameters<AccessStore['open']>[0], session: Bytes32, times: SessionTimes): Promise<Session> {
    return this.#session.write(async (write) => {
      await forgetExpired(write);
      return openSession(write, { ...proven, scope: null }, session, times);
    });
  }

  async useSession(session: Bytes32, times: SessionTimes): Promise<Session | undefined> {
    const now = this.#session.now();
    const found = await this.#session.read((db) =>
      db.selectFrom('sessions').selectAll().where('secret_digest', '=', session).where('expires_at', '>', now).executeTakeFirst(),
    );
    if (found === undefined || found.seen_at > now - NOTED_MS) return found && sessionOf(found);
    const expires = Math.min(now + times.idleMs, found.ends_at);
    // It may have been ended since it was read.
    const row = await this.#session.write(({ trx }) =>
      trx.updateTable('sessions').set({ seen_at: now, expires_at: expires }).where('id', '=', found.id).returningAll().executeTakeFirst(),
    );
    return row && sessionOf(row);
  }

  async liveSession(id: string): Promise<Session | undefined> {
    const row = await this.#session.read((db) =>
      db.selectFrom('sessions').selectAll().where('id', '=', id).where('expires_at', '>', this.#session.now()).executeTakeFirst(),
    );
    return row && sessionOf(row);
  }

  async tokens(): Promise<readonly AccessToken[]> {
    const now = this.#session.now();
    const rows = await this.#session.read((db) =>
      db
        .selectFrom('access_tokens')
        .selectAll()
        .where('kind', '=', 'token')
        .where('expires_at', '>', now)
        .orderBy('created_at', 'desc')
        .execute(),
    );
    return rows.map(tokenOf);
  }

  async sessions(): Promise<readonly Session[]> {
    const now = this.#session.now();
    const rows = await this.#session.read((db) =>
      db.selectFrom('sessions').selectAll().where('expires_at', '>', now).orderBy('created_at', 'desc').execute(),
    );
    return rows.map(sessionOf);
  }

  async revoke(tokenId: string): Promise<boolean> {
    return this.#delete('access_tokens', tokenId);
  }

  async end(sessionId: string): Promise<boolean> {
    return this.#delete('sessions', sessionId);
  }

  #delete(table: 'access_tokens' | 'sessions', id: string): Promise<boolean> {
    return this.#session.write(async ({ trx, wake }) => {
      const { numDeletedRows } = await trx.deleteFrom(table).where('id', '=', id).executeTakeFirst();
      wake({ kind: 'access' });
      return numDeletedRows === 1n;
    });
  }
}

/** In passing, so that what has expired needs no clean-up of its own. */
async function forgetExpired({ trx, now }: Write): Promise<void> {
  await trx.deleteFrom('sessions').where('expires_at', '<=', now).execute();
  await trx.deleteFrom('access_tokens').where('expires_at', '<=', now).execute();
}

interface Opening extends Pick<SessionRow, 'role' | 'subject' | 'scope'> {
  readonly accessToken?: string;
  /** The end of the token that opens it. */
  readonly notAfter?: number;
}

async function openSession({ trx, now, wake }: Write, opening: Opening, secret: Bytes32, times: SessionTimes): Promise<Session> {
  const endsAt = Math.min(now + times.longestMs, opening.notAfter ?? Number.POSITIVE_INFINITY);
  const row: SessionRow = {
    id: randomUUID(),
    secret_digest: secret,
    access_token: opening.accessToken ?? null,
    role: opening.role,
    subject: opening.subject,
    scope: opening.scope,
    created_at: now,
    seen_at: now,
    expires_at: Math.min(now + times.idleMs, endsAt),
    ends_at: endsAt,
  };
  await trx.insertInto('sessions').values(row).execute();
  wake({ kind: 'access' });
  return sessionOf(row);
}

const tokenOf = (row: AccessTokenRow): AccessToken => ({
  id: row.id,
  kind: row.kind,
  role: row.role,
  label: row.label,
  scope: row.scope ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at ?? undefined,
});

const sessionOf = (row: SessionRow): Session => ({
  id: row.id,
  role: row.role,
  subject: row.subject,
  scope: row.scope ?? undefined,
  createdAt: row.created_at,
  seenAt: row.seen_at,
  expiresAt: row.expires_at,
  endsAt: row.ends_at,
});
