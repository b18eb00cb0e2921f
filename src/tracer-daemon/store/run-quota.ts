import type { Kysely } from 'kysely';
import type { Database } from './schema.js';
import type { RunQuota } from './store.js';

/** Jobs that a quota counts. What was refused before it reached the queue is none of them. */
export async function countTowards(
  db: Kysely<Database>,
  { token, operator, consumer, since }: RunQuota,
  beforeSeq?: number,
): Promise<number> {
  const { count } = await db
    .selectFrom('runs')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('token', '=', token)
    .where('operator', '=', operator)
    .where('created_at', '>=', since)
    .where((e) => e.or([e('state', '<>', 'refused'), e('queued_at', 'is not', null)]))
    .$if(consumer !== undefined, (q) => q.where('consumer', '=', consumer ?? null))
    .$if(beforeSeq !== undefined, (q) => q.where('seq', '<', beforeSeq ?? 0))
    .executeTakeFirstOrThrow();
  return count;
}
