import { BaseCommand } from '../../cli/base-command.js';

export default class KeyList extends BaseCommand<typeof KeyList> {
  static override description = 'List the keys of this machine with their addresses. No password is needed.';
  static override examples = ['<%= config.bin %> key list', '<%= config.bin %> key list --json'];

  override async run() {
    const { Keystore } = await import('../../keys/keystore.js');
    const { renderNone } = await import('../../cli/render-text.js');
    const { renderTable } = await import('../../cli/render-table.js');
    const chosen = (await this.home.settings()).key;
    const stored = await new Keystore(this.home.path('keystore')).list();
    const keys = stored.map((key) => ({ ...key, isDefault: key.name === chosen }));
    if (keys.length === 0) this.log(renderNone('No keys on this machine.', 'dt key create --name …'));
    else
      this.log(
        renderTable(keys, [
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'ADDRESS', cell: ({ address }) => address },
          { title: '', cell: ({ isDefault }) => (isDefault ? 'default' : '') },
        ]),
      );
    return { keys };
  }
}
