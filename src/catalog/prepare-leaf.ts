import type { ContentStore } from '../content-store/content-store.js';
import {
  type AssetAttributes,
  buildDdo,
  isLeaf,
  type LeafDdo,
  type LeafDescriptor,
  type Service,
  saltOfAsset,
} from '../documents/ddo/ddo.js';
import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { OperatorFact } from '../documents/job/job-facts.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { LedgerReader, Organization } from '../ledger/ledger.js';
import { usableOperators } from './published.js';
import { operatorsOf } from './resolve-facts.js';

export interface PreparedLeaf {
  /** Of its token id. */
  readonly salt: Bytes32;
  readonly ddo: LeafDdo;
  readonly operators: ReadonlyMap<TokenId, OperatorFact>;
  readonly organization: Organization;
}

export interface LeafToPrepare {
  readonly attributes: AssetAttributes;
  readonly owner: Address;
  readonly created: Date;
  /** Tells copies apart. */
  readonly extra?: string | undefined;
}

/**
 * The document of a leaf as its owner would publish it today, with the operators that it names. Nothing of it has been checked against their
 * templates, and nothing is written. @throws DT_OPERATOR_UNKNOWN, DT_OPERATOR_RETIRED, DT_ORG_UNKNOWN, DT_INPUT_INVALID, DT_DOCUMENT_*
 */
export async function prepareLeaf(
  ledger: Pick<LedgerReader, 'deriveId' | 'operatorsAndOrganizations'>,
  content: ContentStore,
  { attributes, owner, created, extra }: LeafToPrepare,
): Promise<PreparedLeaf> {
  if ((attributes.child_dts?.length ?? 0) > 0)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The asset', reason: 'it has child_dts; compose it with `dt asset cdt`' });
  const salt = saltOfAsset(attributes, extra);
  const dt = ledger.deriveId('token', owner, salt);
  const templates = operatorsOf([attributes]);
  const found = await ledger.operatorsAndOrganizations(templates, [owner]);
  const organization = found.organizations[0];
  if (organization === undefined) throw new ToolkitError('DT_ORG_UNKNOWN', { address: owner });
  const operators = await usableOperators(content, templates, found.operators);
  const ddo = buildDdo(agreeToVersions(attributes, operators), dt, owner, created);
  if (!isLeaf(ddo)) throw new ToolkitError('DT_INPUT_INVALID', { what: 'The asset', reason: 'it is not a leaf' });
  return { salt, ddo, operators, organization };
}

/** The owner agrees to the code that is published today, unless the file says otherwise. */
function agreeToVersions(attributes: AssetAttributes, operators: ReadonlyMap<TokenId, OperatorFact>): AssetAttributes {
  const services = (attributes.services as readonly Service<LeafDescriptor>[]).map((service) => {
    const { template, version, constraint } = service.descriptor;
    return { ...service, descriptor: { template, version: version ?? operators.get(template)?.record.version ?? 1, constraint } };
  });
  return { ...attributes, services };
}
