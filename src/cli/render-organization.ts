import { renderFields } from './render-table.js';
import { printable } from './render-text.js';

interface Roles {
  readonly isAggregator: boolean;
  readonly isProvider: boolean;
}

export function rolesOf({ isAggregator, isProvider }: Roles): string {
  const roles = [isAggregator ? 'aggregator' : '', isProvider ? 'provider' : ''].filter((role) => role !== '');
  return roles.length === 0 ? 'none' : roles.join(', ');
}

export function renderOrganization(
  organization: Roles & {
    readonly address: string;
    readonly name: string;
    readonly description: string;
    readonly url: string;
    readonly linkKey: string;
  },
): string {
  const { address, name, description, url, linkKey } = organization;
  return renderFields([
    ['name', printable(name)],
    ['address', address],
    ['description', printable(description)],
    ['roles', rolesOf(organization)],
    ['daemon', printable(url)],
    ['link key', /^0x0+$/.test(linkKey) ? undefined : linkKey],
  ]);
}
