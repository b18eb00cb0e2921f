import type { Address, Bytes32, TokenId } from '../../../../src/documents/ids.js';

export const kinds = ['asset', 'composite', 'algorithm', 'job', 'receipt'] as const;
export type Kind = (typeof kinds)[number];
export type GrantState = 'none' | 'live' | 'expired' | 'revoked';

interface Told {
  readonly id: string;
  readonly owner: Address;
  readonly ownerName?: string;
}

export type LineageNode =
  | (Told & {
      readonly kind: 'asset' | 'composite' | 'algorithm';
      readonly token: TokenId;
      readonly activated: boolean;
      readonly name?: string;
      readonly type?: string;
      /** More lies beyond, which the daemon has not told yet. */
      readonly cut: boolean;
    })
  | (Told & { readonly kind: 'job'; readonly number: string; readonly task: string; readonly time: string })
  | (Told & {
      readonly kind: 'receipt';
      readonly job: string;
      readonly token: TokenId;
      readonly state: string;
      readonly receipt: Bytes32;
      readonly time: string;
    });

export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  /** Of a token in a composite. */
  readonly grant?: GrantState;
  readonly until?: string;
}

/** GET /v1/lineage. Without a root it is a list of tokens to start from. */
export interface LineageAnswer {
  readonly root?: TokenId;
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  readonly truncated: boolean;
}

const edgeKey = ({ from, to }: LineageEdge): string => `${from}>${to}`;

/** What is known after another answer came; what was told last holds, but nothing that was shown is cut off again. */
export function merged(before: LineageAnswer, more: LineageAnswer): LineageAnswer {
  const nodes = new Map(before.nodes.map((node) => [node.id, node]));
  for (const node of more.nodes) {
    const known = nodes.get(node.id);
    const isOpen = known !== undefined && 'cut' in known && !known.cut;
    nodes.set(node.id, 'cut' in node && isOpen ? { ...node, cut: false } : node);
  }
  const edges = new Map([...before.edges, ...more.edges].map((edge) => [edgeKey(edge), edge]));
  return { ...before, nodes: [...nodes.values()], edges: [...edges.values()], truncated: before.truncated || more.truncated };
}
