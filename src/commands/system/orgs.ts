import { BaseCommand } from '../../cli/base-command.js';

export default class SystemOrgs extends BaseCommand<typeof SystemOrgs> {
  static override description = 'List the registered organizations with their roles and daemons.';
  static override examples = ['<%= config.bin %> system orgs', '<%= config.bin %> system orgs --json'];

  override async run() {
    const { listOrganizations } = await import('../../actions/system/list-organizations.js');
    const { printable, renderNone } = await import('../../cli/render-text.js');
    const { renderTable } = await import('../../cli/render-table.js');
    const { rolesOf } = await import('../../cli/render-organization.js');
    const organizations = await listOrganizations(await this.reader());
    if (organizations.length === 0) this.log(renderNone('No organizations on this chain.', 'dt system org --name … --address …'));
    else
      this.log(
        renderTable(organizations, [
          { title: 'NAME', cell: ({ name }) => printable(name) },
          { title: 'ADDRESS', cell: ({ address }) => address },
          { title: 'ROLES', cell: rolesOf },
          { title: 'DAEMON', cell: ({ url }) => printable(url) },
          { title: 'DESCRIPTION', cell: ({ description }) => printable(description) },
        ]),
      );
    return { organizations };
  }
}
