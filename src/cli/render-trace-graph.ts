import type { TraceJob, TraceNode } from '../actions/tracer/trace-lifecycle.js';
import { printable, shortHash, shortId } from './render-text.js';

interface GraphNode {
  readonly id: string;
  readonly lines: readonly string[];
  readonly shape: 'token' | 'job' | 'report';
}

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Each token, job and report once, whatever the number of ways to it. */
function graphOf(root: TraceNode): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  const add = (key: string, lines: readonly string[], shape: GraphNode['shape']): string => {
    const known = nodes.get(key) ?? { id: `n${nodes.size}`, lines: lines.map(printable), shape };
    nodes.set(key, known);
    return known.id;
  };
  const walk = (node: TraceNode): string => {
    const id = add(node.token, [node.name ?? '(document not readable)', shortId(node.token), `of ${node.ownerName}`], 'token');
    for (const child of node.children) {
      const edge = { from: id, to: walk(child), label: child.grant === undefined ? '' : grantText(child.grant) };
      if (!edges.some(({ from, to }) => from === edge.from && to === edge.to)) edges.push(edge);
    }
    for (const job of node.jobs) edges.push({ from: id, to: jobNode(job), label: '' });
    return id;
  };
  const jobNode = (job: TraceJob): string => {
    const id = add(`job ${job.job}`, [`job ${job.job}`, `task ${job.task}: ${job.taskName}`, `for ${job.demanderName}`], 'job');
    for (const report of job.reports) {
      const lines = [`${report.reporterName}: ${report.state}`, `receipt ${shortHash(report.receipt)}`];
      edges.push({ from: id, to: add(`job ${job.job} ${report.token}`, lines, 'report'), label: '' });
    }
    return id;
  };
  walk(root);
  return { nodes: [...nodes.values()], edges };
}

const grantText = ({ state, until }: NonNullable<TraceNode['grant']>): string => {
  const end = until === undefined || until === 0 ? '' : ` until ${new Date(until * 1000).toISOString().slice(0, 10)}`;
  return state === 'live' ? `granted${end}` : state;
};

/** For Graphviz. */
export function renderDot(root: TraceNode): string {
  const { nodes, edges } = graphOf(root);
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
  const shapes = { token: 'box', job: 'ellipse', report: 'note' } as const;
  return [
    'digraph trace {',
    '  rankdir=LR;',
    ...nodes.map(({ id, lines, shape }) => `  ${id} [shape=${shapes[shape]}, label=${quoted(lines.join('\n'))}];`),
    ...edges.map(({ from, to, label }) => `  ${from} -> ${to}${label === '' ? '' : ` [label=${quoted(label)}]`};`),
    '}',
  ].join('\n');
}

/** For Mermaid, as Markdown pages draw it. */
export function renderMermaid(root: TraceNode): string {
  const { nodes, edges } = graphOf(root);
  // Entities, so that no name ends its text or becomes markup.
  const quoted = (text: string): string => `"${text.replace(/[^\p{L}\p{N} .,:()…-]/gu, (char) => `#${char.codePointAt(0)};`)}"`;
  const lines = (all: readonly string[]): string => `"${all.map((line) => quoted(line).slice(1, -1)).join('<br/>')}"`;
  const shaped = { token: ['[', ']'], job: ['([', '])'], report: ['>', ']'] } as const;
  return [
    'flowchart LR',
    ...nodes.map(({ id, lines: text, shape }) => `  ${id}${shaped[shape][0]}${lines(text)}${shaped[shape][1]}`),
    ...edges.map(({ from, to, label }) => `  ${from} -->${label === '' ? '' : `|${quoted(label)}|`} ${to}`),
  ].join('\n');
}
