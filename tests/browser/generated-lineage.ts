import type { Address, Bytes32, TokenId } from '../../src/documents/ids.js';
import type { LineageAnswer, LineageEdge, LineageNode } from '../../web/src/pages/lineage/answer.js';

const organizations = ['Bank A', 'Bank B', '医院 C', 'Fintech D'];
const owner = (i: number) => ({ owner: `0x${'b'.repeat(39)}${i % 4}` as Address, ownerName: organizations[i % 4] ?? '' });
const token = (i: number): TokenId => `dt:ownership:${i.toString(16).padStart(64, '0')}` as TokenId;
const grants = ['live', 'live', 'expired', 'revoked', 'none'] as const;

/** An answer of the daemon with so many nodes, all of them linked to the first: of 2,000, 800 data tokens, 200 unions, 300 algorithms with a job each, and receipts. */
export function generatedLineage(count: number): LineageAnswer {
  const [leaves, unions, algorithms] = [Math.floor(count * 0.4), Math.floor(count * 0.1), Math.floor(count * 0.15)];
  const nodes: LineageNode[] = [];
  const edges: LineageEdge[] = [];
  const addToken = (kind: 'asset' | 'composite' | 'algorithm', name: string): string => {
    const i = nodes.length;
    nodes.push({ id: token(i), kind, token: token(i), ...owner(i), activated: true, name, cut: false });
    return token(i);
  };
  for (let i = 0; i < leaves; i += 1) addToken('asset', `branch ${i} <img src=x onerror="alert(1)">`);
  for (let i = 0; i < unions; i += 1) {
    const id = addToken('composite', `数据联盟 ${i}`);
    const children = new Set([0, ...[0, 1, 2, 3].map((k) => (i * 4 + k) % leaves)]);
    for (const [k, child] of [...children].entries()) {
      const grant = grants[k % grants.length] ?? 'none';
      edges.push({ from: token(child), to: id, grant, ...(k === 0 && { until: '2099-01-01T00:00:00.000Z' }) });
    }
  }
  for (let i = 0; i < algorithms; i += 1) {
    edges.push({ from: token(leaves + (i % unions)), to: addToken('algorithm', `scorecard ${i}`), grant: 'live' });
    const job = `job:${i + 1}`;
    edges.push({ from: token(nodes.length - 1), to: job });
  }
  const time = '2026-11-29T00:00:00.000Z';
  for (let i = 1; i <= algorithms; i += 1) nodes.push({ id: `job:${i}`, kind: 'job', number: `${i}`, task: '1', ...owner(3), time });
  for (let i = 0; nodes.length < count; i += 1) {
    const job = `${(i % algorithms) + 1}`;
    const id = `receipt:${job}:${i}`;
    const receipt = `0x${i.toString(16).padStart(64, '0')}` as Bytes32;
    nodes.push({ id, kind: 'receipt', job, token: token(0), ...owner(0), state: i % 5 === 0 ? 'failed' : 'succeeded', receipt, time });
    edges.push({ from: `job:${job}`, to: id });
  }
  return { root: token(0), nodes, edges, truncated: false };
}
