import type { Bench, BenchResult, Figures } from './bench.js';

/** For people: every figure on a line, groups by indentation. */
export function renderResult({ name, about }: Bench, { figures, ratios }: BenchResult): string {
  return [`${name}: ${about}`, ...lines(figures, 1), '  ratios', ...lines(ratios, 2)].join('\n');
}

function lines(figures: Figures, depth: number): string[] {
  const indent = '  '.repeat(depth);
  return Object.entries(figures).flatMap(([name, value]) =>
    typeof value === 'object' ? [`${indent}${name}`, ...lines(value, depth + 1)] : [`${indent}${name.padEnd(48 - 2 * depth)} ${value}`],
  );
}
