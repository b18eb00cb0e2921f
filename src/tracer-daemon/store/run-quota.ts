import { type Kysely, sql } from 'kysely';
import type { Database } from './schema.js';
import type { RunQuota } from './store.js';

/**
 * Jobs that a quota counts, each as often as its consumer had it run: data that is asked once more, be it beside other data of a peer, tells once more.
 * What was refused before it reached the queue is none of them.
 */
export async function countTowards(
  db: Kysely<Database>,
  { token, operator, consumer, since }: RunQuota,
  beforeSeq?: number,
): Promise<number> {
  const { count } = await db
    .selectFrom('runs')
    .select(sql<number>`cast(coalesce(sum(case when uses > 1 then uses else 1 end), 0) as bigint)`.as('count'))
    .where('token', '=', token)
    .where('operator', '=', operator)
    .where('created_at', '>=', since)
    .where((e) => e.or([e('state', '<>', 'refused'), e('queued_at', 'is not', null)]))
    .$if(consumer !== undefined, (q) => q.where('consumer', '=', consumer ?? null))
    .$if(beforeSeq !== undefined, (q) => q.where('seq', '<', beforeSeq ?? 0))
    .executeTakeFirstOrThrow();
  return count;
}
