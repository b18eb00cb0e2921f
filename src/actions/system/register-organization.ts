import type { Organization, OrganizationInput } from '../../ledger/ledger.js';
import type { ActionContext } from '../action-context.js';

export type RegisterOrganizationParameters = Partial<OrganizationInput> & Pick<OrganizationInput, 'address'>;

/** Registers an organization, or changes what is given and keeps the rest. An organization may change its own URL and link key itself. */
export async function registerOrganization(
  context: ActionContext,
  input: RegisterOrganizationParameters,
): Promise<{ organization: Organization; updated: boolean }> {
  const { ledger } = context;
  const before = (await ledger.operatorsAndOrganizations([], [input.address])).organizations[0];
  const organization: Organization = {
    address: input.address,
    name: input.name ?? before?.name ?? '',
    description: input.description ?? before?.description ?? '',
    url: input.url ?? before?.url ?? '',
    linkKey: input.linkKey ?? before?.linkKey ?? (`0x${'0'.repeat(64)}` as Organization['linkKey']),
    isAggregator: input.isAggregator ?? before?.isAggregator ?? true,
    isProvider: input.isProvider ?? before?.isProvider ?? true,
  };
  const onlyEndpoint =
    before !== undefined && input.name === undefined && input.description === undefined && input.isAggregator === undefined;
  if (onlyEndpoint && ledger.signer === input.address) await ledger.updateEndpoint(organization.url, organization.linkKey);
  else await ledger.registerOrganization(organization);
  return { organization, updated: before !== undefined };
}
