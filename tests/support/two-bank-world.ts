import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { type ExecJobResult, execJob } from '../../src/actions/job/exec-job.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { ConfigValues } from '../../src/tracer-daemon/config/config.js';
import { type BankProcess, type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from './world.js';

/** Two banks with daemons, and somebody without one who asks: a joint job that needs no helper. */
export interface TwoBankWorld<Bank> {
  readonly world: World;
  readonly banks: readonly [Bank, Bank];
  readonly asker: Role;
  /** A token for each bank's file; its `path` is that of the file. */
  mint(name: string, data: readonly [string, string]): Promise<readonly [TokenId, TokenId]>;
  /** Composes the algorithm, adds a job, and asks both banks for their shares. */
  exec(tokens: readonly [TokenId, TokenId], modelArgs: JsonObject, outputs: JsonObject): Promise<ExecJobResult>;
  close(): Promise<void>;
}

/** `params` is the template of the operator `code`; the tokens let everything be asked that it lets. */
export async function createTwoBankWorld<Bank extends BankRole | BankProcess>(
  make: (world: World, name: string, config: ConfigValues) => Promise<Bank>,
  code: string,
  params: JsonObject,
  config: ConfigValues = {},
): Promise<TwoBankWorld<Bank>> {
  const world = await createWorld();
  const [a, b] = await Promise.all(['Bank A', 'Bank B'].map((name) => make(world, name, config)));
  if (a === undefined || b === undefined) throw new Error('unreachable');
  const asker = await world.role('Fintech C');
  const operator = await publish(world, 'two banks', code, params);
  const task = await asker.context.ledger.createTask('t', 'd');
  const banks = [a, b] as const;
  let count = 0;
  return {
    world,
    banks,
    asker,
    mint: async (name, data) => {
      const tokens = await Promise.all(
        banks.map(async (bank, i) =>
          mintLeaf(bank, {
            name: `${name} ${i}`,
            services: [{ index: 'joint', template: operator, constraint: { ...params, party_id: i } }],
            storePath: await bank.data(`${name}-${i}.csv`, data[i] ?? ''),
          }),
        ),
      );
      return [tokens[0] as TokenId, tokens[1] as TokenId];
    },
    exec: async (tokens, modelArgs, outputs) => {
      const endpoints = { '0': a.address, '1': b.address };
      const of = (token: TokenId, i: number): [TokenId, { service: string; constraint: JsonObject }] => [
        token,
        {
          service: 'joint',
          constraint: {
            party_id: i,
            inputs: { '0': './inputs/a.csv', '1': './inputs/b.csv' },
            exec_endpoints: endpoints,
            model_args: modelArgs,
            outputs,
          },
        },
      ];
      count += 1;
      const workflow = Object.fromEntries(tokens.map(of));
      const { dt: algorithm } = await composeAsset(asker.context, {
        attributes: compositeAttributes(`two ${count}`, 'Algorithm', workflow),
      });
      const result = await execJob(asker.context, { task, algorithm, wait: true });
      const shares = [...result.shares].sort((one, other) => tokens.indexOf(one.party.token) - tokens.indexOf(other.party.token));
      return { ...result, shares };
    },
    close: () => world.close(),
  };
}
