/** Everything but line breaks and tabs that is not drawn, or draws what stands around it in another order or another line. */
const UNSEEN = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/**
 * Strangers' code as it runs, for those who decide about it: what would hide in it, or make it read otherwise (marks that turn the direction
 * of writing, line ends within a comment), is shown by its number. Line ends of two characters are line ends.
 */
export const visible = (text: string): string =>
  text
    .replace(/\r(?=\n|$)/g, '')
    .replace(UNSEEN, (char) => `⟦U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`);
