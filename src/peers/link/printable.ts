/** A peer's text goes to terminals and logs, where control characters must not. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
