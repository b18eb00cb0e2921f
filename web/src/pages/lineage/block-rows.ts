/** A column as high as this is still looked at as one. */
const USUAL_ROWS = 24;
/** How much wider than high the whole may be. */
const WIDTH_TO_HEIGHT = 1.6;

/** How many rows a block may have before it gets a second column: the fewest with which the whole is not much wider than high. */
export function blockRows(sizes: readonly number[], step: { readonly x: number; readonly y: number }): number {
  const widthAt = (rows: number): number => sizes.reduce((sum, size) => sum + Math.ceil(size / rows), 0) * step.x;
  let rows = USUAL_ROWS;
  while (widthAt(rows) > WIDTH_TO_HEIGHT * rows * step.y && rows < Math.max(...sizes)) rows += 1;
  return rows;
}
