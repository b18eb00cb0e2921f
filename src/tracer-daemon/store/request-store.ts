import type { RequestRecord, RequestStore } from './store.js';
import type { StoreSession } from './store-session.js';

const LONGEST_ACTION = 200;

export class SqlRequestStore implements RequestStore {
  readonly #session: StoreSession;
  readonly #maxRows: number;

  constructor(session: StoreSession, maxRows: number) {
    this.#session = session;
    this.#maxRows = maxRows;
  }

  async record(request: RequestRecord): Promise<void> {
    await this.#session.write(async ({ trx }) => {
      const { seq } = await trx
        .insertInto('requests')
        .values({
          time: request.time,
          requester: request.requester ?? null,
          action: request.action.slice(0, LONGEST_ACTION),
          job_id: request.jobId?.toString() ?? null,
          token: request.token ?? null,
          status: request.status,
          code: request.code ?? null,
          via: request.via ?? null,
        })
        .returning('seq')
        .executeTakeFirstOrThrow();
      await trx
        .deleteFrom('requests')
        .where('seq', '<=', seq - this.#maxRows)
        .execute();
    });
  }

  async list(filter: Parameters<RequestStore['list']>[0] = {}): Promise<readonly (RequestRecord & { readonly seq: number })[]> {
    const { requester, before, limit } = filter;
    const rows = await this.#session.read((db) =>
      db
        .selectFrom('requests')
        .selectAll()
        .$if(requester !== undefined, (q) => q.where('requester', '=', requester ?? null))
        .$if(before !== undefined, (q) => q.where('seq', '<', before ?? 0))
        .orderBy('seq', 'desc')
        .limit(Math.min(Math.max(limit ?? 100, 1), 1000))
        .execute(),
    );
    return rows.map((row) => ({
      seq: row.seq,
      time: row.time,
      requester: row.requester ?? undefined,
      action: row.action,
      jobId: row.job_id === null ? undefined : BigInt(row.job_id),
      token: row.token ?? undefined,
      status: row.status,
      code: row.code ?? undefined,
      via: row.via ?? undefined,
    }));
  }

  async prune(before: number): Promise<number> {
    const { numDeletedRows } = await this.#session.write(({ trx }) =>
      trx.deleteFrom('requests').where('time', '<', before).executeTakeFirst(),
    );
    return Number(numDeletedRows);
  }
}
