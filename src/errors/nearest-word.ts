/** The word that `written` was probably meant to be: at most a third of its letters (two for short words) changed. */
export function nearestWord(written: string, known: readonly string[]): string | undefined {
  let best: { readonly word: string; readonly changes: number } | undefined;
  for (const word of known) {
    const changes = editDistance(written.toLowerCase(), word.toLowerCase());
    if (changes <= Math.max(2, word.length / 3) && changes < word.length && (best === undefined || changes < best.changes))
      best = { word, changes };
  }
  return best?.word;
}

/** Levenshtein, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
