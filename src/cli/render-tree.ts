import chalk from 'chalk';

export interface TreeItem {
  /** One line, or several: the further ones stand under the first. */
  readonly text: string;
  readonly below: readonly TreeItem[];
}

/** A tree with box characters, one item a line. */
export function renderTree(root: TreeItem): string {
  const lines: string[] = [];
  draw(root, '', '', lines);
  return lines.join('\n');
}

function draw(item: TreeItem, lead: string, indent: string, lines: string[]): void {
  const [first = '', ...rest] = item.text.split('\n');
  lines.push(chalk.dim(lead) + first);
  const bar = item.below.length > 0 ? '│  ' : '   ';
  for (const line of rest) lines.push(chalk.dim(indent + bar) + line);
  item.below.forEach((child, i) => {
    const last = i === item.below.length - 1;
    draw(child, `${indent}${last ? '└─ ' : '├─ '}`, `${indent}${last ? '   ' : '│  '}`, lines);
  });
}
