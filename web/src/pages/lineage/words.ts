import type { LineageNode } from './answer.js';
import type { LineageText } from './text.js';

export const shortId = (id: string): string => {
  const word = id.replace(/^dt:ownership:/, '').replace(/^0x/, '');
  return word.length <= 14 ? word : `${word.slice(0, 6)}…${word.slice(-4)}`;
};

export function nodeTitle(node: LineageNode, text: LineageText): string {
  if (node.kind === 'job') return `${text.job} ${node.number}`;
  if (node.kind === 'receipt') return text.reported[node.state as keyof typeof text.reported] ?? node.state;
  return node.name ?? shortId(node.token);
}

export function nodeNote(node: LineageNode): string {
  return node.ownerName ?? shortId(node.owner);
}

/** What a node is found by. */
export function nodeWords(node: LineageNode): string {
  const own =
    node.kind === 'job'
      ? [`#${node.number}`, `job ${node.number}`, node.task]
      : node.kind === 'receipt'
        ? [node.receipt, node.state, node.token]
        : [node.name ?? '', node.token, node.type ?? ''];
  return [...own, node.owner, node.ownerName ?? ''].join('\n').toLowerCase();
}
