import type { JsonObject } from '../src/documents/canonical.js';
import { type AssetAttributes, parseAssetAttributes } from '../src/documents/ddo/ddo.js';
import type { TokenId } from '../src/documents/ids.js';
import { type BankProcess, mintLeaf, publish, type World } from '../tests/support/world.js';
import { compose, type Market, signJob, submit } from './market.js';

const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const { mode } = JSON.parse(readFileSync('args.json', 'utf8'));
if (mode === 'wait') setInterval(() => {}, 1000); else writeFileSync('outputs/mode.txt', mode);
`;
const RATE = { $match: { type: 'number', exclusiveMinimum: 0, maximum: 0.1 } };
const ANY = { mode: {}, model: { rate: {}, steps: {} } };
const OPEN = { mode: {}, model: { rate: RATE, steps: {} } };
const NARROW = { mode: { $match: { enum: ['x', 'y'] } }, model: { rate: RATE, steps: { $match: { type: 'integer', maximum: 500 } } } };
const fixed = (mode: string): JsonObject => ({ mode, model: { rate: 0.05, steps: 100 } });

type Workflow = Readonly<Record<TokenId, { readonly service: string; readonly constraint: JsonObject }>>;

export interface AdmissionMarkets {
  readonly trees: { readonly depth1: Market; readonly depth4: Market };
  /** Its only job never ends. */
  readonly blocking: Market;
}

/** An algorithm right above a leaf, and one above a union of unions of two leaves; every asset with two services, picked by index. */
export async function openAdmissionMarkets(world: World, bank: BankProcess): Promise<AdmissionMarkets> {
  const client = await world.role('Fintech');
  const operator = await publish(world, 'modes', OPERATOR, ANY);
  const leaf = async (name: string): Promise<TokenId> =>
    mintLeaf(bank, {
      name,
      services: [
        { index: 'closed', template: operator, constraint: fixed('never') },
        { index: 'open', template: operator, constraint: OPEN },
      ],
      storePath: await bank.data(`${name}.csv`, 'id\n1\n'),
    });
  const [a, b] = [await leaf('customers'), await leaf('loans')];
  const over = (name: string, type: 'Algorithm' | 'Dataset', services: Readonly<Record<string, Workflow>>): AssetAttributes =>
    parseAssetAttributes({
      metadata: { main: { type, name } },
      child_dts: Object.keys(Object.values(services)[0] ?? {}),
      services: Object.entries(services).map(([index, workflow]) => ({ index, endpoint: '', descriptor: { workflow }, attributes: {} })),
    });
  const both = (constraint: JsonObject): Workflow => ({ [a]: { service: 'open', constraint }, [b]: { service: 'open', constraint } });
  const union = await compose(bank, over('union', 'Dataset', { wide: both(OPEN), narrow: both(NARROW) }));
  const below = (constraint: JsonObject): JsonObject => ({ [a]: constraint, [b]: constraint });
  const unions = await compose(
    bank,
    over('union of unions', 'Dataset', {
      wide: { [union]: { service: 'wide', constraint: below(OPEN) } },
      narrow: { [union]: { service: 'narrow', constraint: below(NARROW) } },
    }),
  );
  const run = (name: string, workflow: Workflow) => compose(client, over(name, 'Algorithm', { default: workflow }));
  const shallow = (mode: string) => run(`shallow ${mode}`, { [a]: { service: 'open', constraint: fixed(mode) } });
  const deep = await run('deep', { [unions]: { service: 'narrow', constraint: { [union]: below(fixed('x')) } } });
  const task = await client.context.ledger.createTask('bench', 'admission');
  const market = (algorithm: TokenId): Market => ({ client, task, algorithm, leaf: a });
  return { trees: { depth1: market(await shallow('x')), depth4: market(deep) }, blocking: market(await shallow('wait')) };
}

/** Gives the only worker a job that does not end, so that the requests that are measured only queue. Resolves when it runs. */
export async function withoutWorker(blocking: Market): Promise<void> {
  const signed = await signJob(blocking);
  const id = await submit(signed);
  for await (const event of signed.party.client.events(id)) if (event.data.includes('"running"')) return;
  throw new Error('the job that never ends has ended');
}
