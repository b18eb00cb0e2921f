/** The heights nearest to the wished ones that are in the given order, each at least a step below the one before (pool adjacent violators). */
export function spread(wishes: readonly number[], step: number): readonly number[] {
  const pools: { sum: number; count: number }[] = [];
  for (const [i, wish] of wishes.entries()) {
    let pool = { sum: wish - i * step, count: 1 };
    for (let before = pools.at(-1); before !== undefined && before.sum / before.count > pool.sum / pool.count; before = pools.at(-1)) {
      pools.pop();
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
    }
    pools.push(pool);
  }
  return pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count)).map((height, i) => height + i * step);
}
