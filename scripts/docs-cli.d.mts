import type { Surface } from './cli-surface.mjs';

export const docsFile: string;
export const surfaceFile: string;
export function surfaceText(surface: Surface): string;
export function cliDocs(surface: Surface): Promise<string>;
