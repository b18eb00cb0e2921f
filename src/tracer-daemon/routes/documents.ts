import { Router } from 'express';
import { canonicalBytes, type Json, sha256 } from '../../documents/canonical.js';
import { parseDdo } from '../../documents/ddo/ddo.js';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import { parseOperator } from '../../documents/operator/operator.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT } from '../middleware/authenticate.js';

/** A publisher leaves its documents here, so that they can be read while it is away. Only what the chain anchors is taken. */
export function documentRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  router.post('/v1/documents', authenticate(deps), async (request, response) => {
    const { documents } = request.body as { documents: readonly Json[] };
    const pinned: Bytes32[] = [];
    for (const document of documents) {
      const bytes = canonicalBytes(document);
      const anchored = await anchoredDigest(deps, document);
      if (anchored !== sha256(bytes))
        throw new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'published', pointer: '/', reason: 'the chain does not anchor these bytes' });
      pinned.push(await deps.content.put(bytes));
    }
    response.status(201).json({ pinned });
  });
  return router;
}

async function anchoredDigest(deps: Pick<DaemonDeps, 'ledger'>, document: Json): Promise<Bytes32 | undefined> {
  if (document !== null && typeof document === 'object' && 'tid' in document) return operatorDigest(deps, parseOperator(document).tid);
  return (await deps.ledger.tokenTree(parseDdo(document).dt)).tokens[0]?.digest;
}

async function operatorDigest(deps: Pick<DaemonDeps, 'ledger'>, id: TokenId): Promise<Bytes32> {
  const record = (await deps.ledger.operatorsAndOrganizations([id], [])).operators[0];
  if (record === undefined) throw new ToolkitError('DT_OPERATOR_UNKNOWN', { id });
  return record.digest;
}
