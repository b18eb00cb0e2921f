import { prepareLeaf } from '../../catalog/prepare-leaf.js';
import { publishedDdo } from '../../catalog/published.js';
import { documentsOf } from '../../constraints/check-facts.js';
import { checkLeaf } from '../../constraints/check-tree.js';
import { canonicalBytes } from '../../documents/canonical.js';
import type { AssetAttributes } from '../../documents/ddo/ddo.js';
import { requireAll } from '../../documents/decision/decision.js';
import type { TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { endpointOf } from '../../peers/daemon-url.js';
import { type ActionContext, daemonOf, step } from '../action-context.js';
import { publishDocuments } from '../publish-documents.js';

export interface MintAssetParameters {
  readonly attributes: AssetAttributes;
  readonly salt?: string;
  /** Where the owner's daemon finds the data, as a path on the daemon's machine. */
  readonly storePath?: string;
}

export interface MintAssetResult {
  readonly dt: TokenId;
  /** `unchanged`: this very asset was minted before. */
  readonly outcome: 'minted' | 'unchanged';
  readonly held: boolean;
  readonly daemon: string | undefined;
}

/**
 * Mints a leaf: every service checked against the template of its operator, the DDO anchored, and the owner's daemon told where the data is.
 * @throws DT_OPERATOR_UNKNOWN, DT_OPERATOR_RETIRED, DT_POLICY_DENIED, DT_DOCUMENT_INVALID, DT_CHAIN_REVERTED, DT_PEER_*, DT_DATASET_*
 */
export async function mintAsset(context: ActionContext, parameters: MintAssetParameters): Promise<MintAssetResult> {
  const { ledger, content } = context;
  const { attributes, storePath } = parameters;
  const { salt, ddo, operators, organization } = await prepareLeaf(ledger, content, {
    attributes,
    owner: ledger.signer,
    created: context.now(),
    extra: parameters.salt,
  });
  const { dt } = ddo;
  requireAll(dt, checkLeaf(ddo, documentsOf(operators)));
  const daemonUrl = endpointOf(attributes.services[0], organization.url);
  if (storePath !== undefined && daemonUrl === undefined) throw new ToolkitError('DT_PEER_NO_ENDPOINT', { owner: ledger.signer, id: dt });
  const published = await publishedDdo(ledger, content, dt);
  if (published === undefined) {
    const digest = await content.put(canonicalBytes(ddo));
    await step(context, `Mint data token of ${attributes.metadata.main.name}`, () => ledger.mintToken(salt, digest, []));
  }
  const document = published ?? ddo;
  if (storePath !== undefined && daemonUrl !== undefined) {
    const daemon = daemonOf(context, ledger.signer, daemonUrl);
    await step(context, 'Tell the daemon where the data is', () => daemon.holdAsset({ token: dt, path: storePath, document }));
  } else await publishDocuments(context, [document]);
  return { dt, outcome: published === undefined ? 'minted' : 'unchanged', held: storePath !== undefined, daemon: daemonUrl?.href };
}
