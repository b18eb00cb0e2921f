/** A peer's words, and names of an owner's columns, end up on terminals and in logs: nothing there may be obeyed. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
