import { Router } from 'express';
import { resolveTree } from '../../catalog/resolve-facts.js';
import { checkAsset, checkGrants } from '../../constraints/check-facts.js';
import { OverlayStore } from '../../content-store/overlay-store.js';
import { canonicalBytes } from '../../documents/canonical.js';
import { type Clause, type Decision, failedClauses } from '../../documents/decision/decision.js';
import type { TreeFacts } from '../../documents/job/job-facts.js';
import { type GrantRequest, parseGrantBody } from '../../documents/job/wire.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { proveSigner } from '../pipeline/admit.js';
import { deniedBy } from '../pipeline/authorize.js';

/** A composer asks for the owner's grant; it gets it when every constraint of every level holds and the owner grants by itself. */
export function grantRoutes(deps: DaemonDeps): Router {
  const router = Router();
  router.post('/v1/grants', async (request, response) => {
    const { request: asked, signature, documents } = parseGrantBody(request.body);
    const signer = await proveSigner(deps, asked, signature);
    Object.assign(response.locals, { requester: signer, token: asked.dataToken });
    const content = new OverlayStore(deps.content, documents.map(canonicalBytes));
    const facts = await resolveTree(deps.ledger, content, asked.composite);
    const clauses = checkGrantRequest(deps, facts, asked, signer);
    const decision: Decision = {
      kind: 'decision',
      daemon: deps.organization,
      subject: { composite: asked.composite, token: asked.dataToken },
      allowed: failedClauses(clauses).length === 0,
      clauses,
      decidedAt: new Date(deps.now()).toISOString(),
    };
    await deps.records.put(canonicalBytes(decision));
    if (!decision.allowed) throw deniedBy(decision, asked.composite);
    await content.keep();
    const until = boundedEnd(deps, facts, asked);
    const before = facts.tokens.get(asked.composite)?.grants.find((grant) => grant.child === asked.dataToken)?.grantedUntil;
    const enough = before !== undefined && (before === 0 || (until !== 0 && before >= until && before > facts.now));
    if (!enough) {
      if (!deps.config.grants.auto) throw new ToolkitError('DT_POLICY_BY_HAND', { child: asked.dataToken, composite: asked.composite });
      await deps.ledger.grant(asked.dataToken, asked.composite, until);
    }
    response.status(enough ? 200 : 201).json({ granted: true, until: enough ? before : until });
  });
  return router;
}

function checkGrantRequest(
  deps: Pick<DaemonDeps, 'organization'>,
  facts: TreeFacts,
  asked: GrantRequest,
  signer: string,
): readonly Clause[] {
  const composite = facts.tokens.get(asked.composite);
  const child = facts.tokens.get(asked.dataToken);
  const on = (rule: Clause['rule'], passed: boolean, wouldPass: string): Clause => ({
    of: asked.dataToken,
    by: asked.composite,
    pointer: '/',
    rule,
    passed,
    ...(passed ? {} : { wouldPass }),
  });
  const below = child === undefined ? [] : checkGrants(subtree(facts, child.id));
  return [
    on('consumer', composite?.owner === signer, `the signature of ${composite?.owner}, who owns the composite`),
    on(
      'tree',
      composite?.grants.some((grant) => grant.child === asked.dataToken) === true,
      `a composite that is made of ${asked.dataToken}`,
    ),
    on('organization', child?.owner === deps.organization, `the daemon of ${child?.owner ?? 'its owner'}`),
    ...checkAsset(facts),
    ...below,
  ];
}

/** A composite that is granted must itself be live. */
function subtree(facts: TreeFacts, root: TreeFacts['root']): TreeFacts {
  const tokens = new Map<TreeFacts['root'], NonNullable<ReturnType<TreeFacts['tokens']['get']>>>();
  const visit = (id: TreeFacts['root']): void => {
    const token = facts.tokens.get(id);
    if (token === undefined || tokens.has(id)) return;
    tokens.set(id, token);
    for (const grant of token.grants) visit(grant.child);
  };
  visit(root);
  return { ...facts, root, tokens };
}

/** The end that was asked for, no later than the owner's longest grant. */
function boundedEnd(deps: Pick<DaemonDeps, 'config'>, facts: TreeFacts, asked: GrantRequest): number {
  const { maxDays } = deps.config.grants;
  if (asked.until !== 0 && asked.until <= facts.now)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The end of the grant', reason: 'it has passed already' });
  if (maxDays === undefined) return asked.until;
  const longest = facts.now + maxDays * 86_400;
  return asked.until === 0 ? longest : Math.min(asked.until, longest);
}
