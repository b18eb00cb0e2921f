import type { TokenId } from '../../documents/ids.js';
import type { Database } from './schema.js';
import type { Dataset, DatasetStore } from './store.js';
import type { StoreSession } from './store-session.js';

export class SqlDatasetStore implements DatasetStore {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  async hold({ token, path, sizeBytes, sha256, addedAt }: Dataset): Promise<void> {
    const content = { path, size_bytes: sizeBytes, sha256, added_at: addedAt };
    await this.#session.write(async ({ trx, wake }) => {
      await trx
        .insertInto('datasets')
        .values({ token, ...content })
        .onConflict((c) => c.column('token').doUpdateSet(content))
        .execute();
      wake({ kind: 'datasets' });
    });
  }

  async get(token: TokenId): Promise<Dataset | undefined> {
    const row = await this.#session.read((db) => db.selectFrom('datasets').selectAll().where('token', '=', token).executeTakeFirst());
    return row && datasetOf(row);
  }

  async list(): Promise<readonly Dataset[]> {
    const rows = await this.#session.read((db) => db.selectFrom('datasets').selectAll().orderBy('added_at').orderBy('token').execute());
    return rows.map(datasetOf);
  }

  async drop(token: TokenId): Promise<boolean> {
    return this.#session.write(async ({ trx, wake }) => {
      const { numDeletedRows } = await trx.deleteFrom('datasets').where('token', '=', token).executeTakeFirst();
      wake({ kind: 'datasets' });
      return numDeletedRows === 1n;
    });
  }
}

const datasetOf = (row: Database['datasets']): Dataset => ({
  token: row.token,
  path: row.path,
  sizeBytes: row.size_bytes,
  sha256: row.sha256,
  addedAt: row.added_at,
});
