import { publishedDdo } from '../../catalog/published.js';
import { resolveBefore } from '../../catalog/resolve-facts.js';
import { checkAsset } from '../../constraints/check-facts.js';
import { canonicalBytes } from '../../documents/canonical.js';
import { type AssetAttributes, buildDdo, type Ddo, saltOfAsset } from '../../documents/ddo/ddo.js';
import { requireAll } from '../../documents/decision/decision.js';
import type { Address, TokenId } from '../../documents/ids.js';
import { isLiveGrant, type TreeFacts } from '../../documents/job/job-facts.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { endpointOf } from '../../peers/daemon-url.js';
import { type ActionContext, daemonOf, step } from '../action-context.js';
import { publishDocuments } from '../publish-documents.js';

export interface ComposeAssetParameters {
  readonly attributes: AssetAttributes;
  readonly salt?: string;
  /** End of the grants that are asked for, seconds since 1970; 0: none. */
  readonly until?: number;
}

export interface ComposeAssetResult {
  readonly dt: TokenId;
  readonly outcome: 'composed' | 'unchanged';
  readonly grants: readonly { readonly child: TokenId; readonly owner: Address; readonly by: 'own key' | 'daemon' | 'before' }[];
}

/**
 * Mints a composite, asks every owner's daemon for its grant and activates it. All constraints are checked before anything is written. A
 * call that stopped half-way is repeated as it is: what is done stays done.
 * @throws DT_ASSET_UNKNOWN, DT_POLICY_DENIED, DT_POLICY_BY_HAND, DT_PEER_*, DT_CHAIN_REVERTED
 */
export async function composeAsset(context: ActionContext, parameters: ComposeAssetParameters): Promise<ComposeAssetResult> {
  const { ledger, content } = context;
  const { attributes, until = 0 } = parameters;
  const children = attributes.child_dts ?? [];
  if (children.length === 0)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The composite', reason: 'it has no child_dts; mint a leaf with `dt asset dt`' });
  const salt = saltOfAsset(attributes, parameters.salt);
  const dt = ledger.deriveId('token', ledger.signer, salt);
  const published = await publishedDdo(ledger, content, dt);
  const ddo = published ?? buildDdo(attributes, dt, ledger.signer, context.now());
  const facts = await step(context, 'Check every constraint', () => checkBefore(context, ddo));
  if (published === undefined) {
    const digest = await content.put(canonicalBytes(ddo));
    await step(context, `Mint composite ${attributes.metadata.main.name}`, () => ledger.mintToken(salt, digest, children));
  }
  await publishDocuments(context, [ddo]);
  const record = (await ledger.tokenTree(dt)).tokens[0];
  const live = (child: TokenId): boolean => isLiveGrant(record?.grants.find((grant) => grant.child === child)?.grantedUntil, facts.now);
  const grants: ComposeAssetResult['grants'][number][] = [];
  for (const child of children) {
    const owner = facts.tokens.get(child)?.owner as Address;
    if (live(child)) grants.push({ child, owner, by: 'before' });
    else if (owner === ledger.signer) {
      await step(context, `Grant own ${nameOf(facts, child)}`, () => ledger.grant(child, dt, until));
      grants.push({ child, owner, by: 'own key' });
    } else {
      await step(context, `Ask ${facts.organizations.get(owner)?.name ?? owner} for ${nameOf(facts, child)}`, () =>
        ask(context, facts, ddo, child, owner, until),
      );
      grants.push({ child, owner, by: 'daemon' });
    }
  }
  if (record?.activated !== true) await step(context, 'Activate', () => ledger.activate(dt));
  return { dt, outcome: record?.activated === true && grants.every(({ by }) => by === 'before') ? 'unchanged' : 'composed', grants };
}

const nameOf = (facts: TreeFacts, id: TokenId): string => facts.ddos.get(id)?.metadata.main.name ?? id;

/** Its constraints against those of all below it, before anything is written. @throws DT_POLICY_DENIED */
async function checkBefore({ ledger, content }: ActionContext, ddo: Ddo): Promise<TreeFacts> {
  const facts = await resolveBefore(ledger, content, ddo);
  requireAll(ddo.dt, checkAsset(facts));
  return facts;
}

async function ask(context: ActionContext, facts: TreeFacts, ddo: Ddo, child: TokenId, owner: Address, until: number): Promise<void> {
  const url = endpointOf(facts.ddos.get(child)?.services[0], facts.organizations.get(owner)?.url);
  if (url === undefined) throw new ToolkitError('DT_PEER_NO_ENDPOINT', { owner, id: child });
  // The owner may know none of these documents; it takes those that the chain anchors.
  const documents = [...facts.ddos.values(), ...[...facts.operators.values()].map((operator) => operator.document)];
  await daemonOf(context, owner, url).grant({ composite: ddo.dt, dataToken: child, until }, documents);
}
