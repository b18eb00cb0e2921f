/** What an operator finds the file as; where it lies is not published. */
export const inputPath = (path: string): string => `./inputs/${path.split('/').at(-1) ?? path}`;
