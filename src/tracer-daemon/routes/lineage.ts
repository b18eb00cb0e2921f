import { Router } from 'express';
import type { LedgerIndex, ListedToken, TokenLabel } from '../../catalog/ledger-index.js';
import { type Lineage, type LineageEdge, type LineageNode, lineageAround } from '../../catalog/lineage.js';
import { tokenLabels } from '../../catalog/names.js';
import { ALGORITHM } from '../../documents/ddo/ddo.js';
import { parseCounter, parseTokenId, type TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import { accessOfResponse } from '../web/prove-access.js';

const USUAL = { depth: 12, limit: 500 } as const;
const NEWEST = 60;

/** The graph around a token, from the index of the chain: public facts, told to those who may look; to an auditor of one trace only that. */
export function lineageRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  router.get('/v1/lineage', authenticate(deps), async (request, response) => {
    requireOwner(deps, request, response);
    const { token, job, depth, limit } = request.query as Record<string, string | undefined>;
    const scope = accessOfResponse(response)?.scope;
    const answer = await deps.index.read(async (index) => {
      const bounds = { depth: Number(depth ?? USUAL.depth), limit: Number(limit ?? USUAL.limit), now: index.headTime, scope };
      const root = job === undefined ? (token === undefined ? scope : parseTokenId(token)) : algorithmOf(index, job);
      // Documents that lie here: a picture of thousands is no reason to ask thousands of times elsewhere.
      const view = viewer(tokenLabels(deps.localContent, index));
      const { nodes, edges, truncated } = index.snapshot(() => (root === undefined ? newest(index) : lineageAround(index, root, bounds)));
      if (root !== undefined && !nodes.some(({ id }) => id === root)) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: root });
      return { ...(root && { root }), nodes: await Promise.all(nodes.map(view)), edges: edges.map(edgeView), truncated };
    });
    response.json(answer);
  });
  return router;
}

function algorithmOf(index: LedgerIndex, job: string): TokenId {
  const found = index.job(parseCounter(job, 'The job id'));
  if (found === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id: job });
  return found.algorithm;
}

/** To start from, when nothing is asked for. */
function newest(index: LedgerIndex): Lineage {
  const found = index.tokens({ newestFirst: true, limit: NEWEST + 1 });
  const nodeOf = (token: ListedToken): LineageNode => {
    return { id: token.id, kind: 'token', token, ownerName: index.organization(token.owner)?.name, cut: true };
  };
  return { nodes: found.slice(0, NEWEST).map(nodeOf), edges: [], truncated: found.length > NEWEST };
}

const viewer =
  (labelOf: (id: TokenId) => Promise<TokenLabel | undefined>) =>
  async (node: LineageNode): Promise<object> => {
    if (node.kind === 'job') {
      const { id, kind, ownerName, job } = node;
      return { id, kind, ownerName, number: job.id.toString(), task: job.task.toString(), owner: job.demander, time: iso(job.addedAt) };
    }
    if (node.kind === 'receipt') return { ...node, job: node.job.toString(), time: iso(node.time) };
    const { ownerName, cut } = node;
    const { id, owner, activated, children } = node.token;
    const label = await labelOf(id);
    const kind = children.length === 0 ? 'asset' : label?.type === ALGORITHM ? 'algorithm' : 'composite';
    return { id, kind, token: id, owner, ownerName, activated, cut, ...(label && { name: label.name, type: label.type }) };
  };

const edgeView = ({ from, to, grant }: LineageEdge) => ({
  from,
  to,
  ...(grant && { grant: grant.state, ...(grant.until !== undefined && { until: iso(grant.until) }) }),
});

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
