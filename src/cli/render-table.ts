import chalk from 'chalk';
import { widthOf } from './render-text.js';

export interface Column<T> {
  readonly title: string;
  /** May be coloured; text of strangers must be made printable before. */
  readonly cell: (row: T) => string;
  readonly align?: 'right';
}

/** Aligned columns, two blanks apart, under a dimmed header. A column without any content is left out. */
export function renderTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const filled = columns
    .map((column) => ({ ...column, cells: rows.map(column.cell) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map((column) => ({ ...column, width: Math.max(widthOf(column.title), ...column.cells.map(widthOf)) }));
  const line = (pick: (column: (typeof filled)[number]) => string): string =>
    filled
      .map((column) => pad(pick(column), column.width, column.align))
      .join('  ')
      .trimEnd();
  return [chalk.dim(line(({ title }) => title)), ...rows.map((_, i) => line(({ cells }) => cells[i] ?? ''))].join('\n');
}

/** `title: value` lines with the values under each other; entries without a value are left out. */
export function renderFields(fields: readonly (readonly [title: string, value: string | undefined])[]): string {
  const given = fields.filter((field): field is readonly [string, string] => field[1] !== undefined && field[1] !== '');
  const width = Math.max(...given.map(([title]) => widthOf(title)));
  return given.map(([title, value]) => `  ${chalk.dim(pad(title, width))}  ${value}`).join('\n');
}

function pad(text: string, width: number, align?: 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? blanks + text : text + blanks;
}
