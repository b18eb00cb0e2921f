import { readFile } from 'node:fs/promises';
import { compositeAttributes, mintLeaf, publish, type Role, type World } from '../tests/support/world.js';
import { compose, type Market } from './market.js';

export const echoFile = new URL('../samples/op/echo.mjs', import.meta.url);
export const echoArguments = { message: 'hello' };

/** The smallest job there is: samples/op/echo.mjs over one row of one bank. */
export async function openEchoMarket(world: World, bank: Role & { data(name: string, text: string): Promise<string> }): Promise<Market> {
  const client = await world.role('Fintech');
  const operator = await publish(world, 'echo', await readFile(echoFile, 'utf8'), { message: {} });
  const leaf = await mintLeaf(bank, {
    name: 'customers',
    services: [{ index: 'echo', template: operator, constraint: { message: {} } }],
    storePath: await bank.data('customers.csv', 'id\n1\n'),
  });
  const algorithm = await compose(
    client,
    compositeAttributes('say hello', 'Algorithm', { [leaf]: { service: 'echo', constraint: echoArguments } }),
  );
  return { client, leaf, algorithm, task: await client.context.ledger.createTask('bench', 'the smallest jobs') };
}
