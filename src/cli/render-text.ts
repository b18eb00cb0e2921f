import { stripVTControlCharacters } from 'node:util';
import chalk from 'chalk';

/**
 * Text of strangers (names, descriptions, log lines) without what a terminal would obey: escape sequences, control characters and
 * changes of the reading direction.
 */
export const printable = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/\t/g, '  ')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ');

/** The lines of a log, each safe to print. A carriage return ends a line too, so that a progress bar does not overwrite what is there. */
export const printableLines = (text: string): readonly string[] =>
  text
    .replace(/(\r\n|\r|\n)$/, '')
    .split(/\r\n|\r|\n/)
    .map(printable);

/** Columns that a text takes on a terminal; East Asian wide characters and emoji take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += WIDE.test(char) ? 2 : ZERO.test(char) ? 0 : 1;
  return width;
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** `dt:ownership:abcd1234…`, enough to recognize a token; commands take the full id or `@name`. */
export const shortId = (id: string): string => (id.startsWith('dt:ownership:') ? `${id.slice(0, 21)}…` : id);

/** `0xabcd1234…` of a digest. */
export const shortHash = (hash: string): string => (hash.length > 12 ? `${hash.slice(0, 10)}…` : hash);

/** A time of the chain or of a daemon, to the second, in UTC. */
export function renderTime(time: number | string | undefined): string {
  if (time === undefined) return '';
  const date = typeof time === 'number' ? new Date(time * 1000) : new Date(time);
  return Number.isNaN(date.getTime()) ? printable(String(time)) : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

export function renderDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function renderSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

export const renderDone = (text: string): string => `${chalk.green('✓')} ${text}`;
export const renderNext = (command: string): string => `${chalk.cyan('→')} Next: ${command}`;
/** Where there is nothing to list. */
export const renderNone = (what: string, next: string): string => `${chalk.dim(what)}\n${renderNext(next)}`;
