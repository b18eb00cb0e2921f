import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import type { TokenId } from '../../src/documents/ids.js';
import {
  type BankRole,
  compositeAttributes,
  createWorld,
  mintLeaf,
  type Role as OrganizationRole,
  publish,
  type World,
} from '../support/world.js';
import { type BrowserVisits, openBrowser } from './browser-visits.js';
import { type WaitingJobs, waitingJobs } from './waiting-jobs.js';

/** A DDO that would run a script if any of its text became markup. */
export const HOSTILE = '<img src=x onerror="document.title=\'owned\'">';

const OPERATOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const { lines, wait } = JSON.parse(readFileSync('args.json', 'utf8'));
for (let i = 1; i <= lines; i++) console.log('line ' + i + ' <b>of</b> ' + lines);
if (wait) await new Promise((resolve) => setTimeout(resolve, 600_000));
writeFileSync('outputs/result.json', JSON.stringify({ lines }));
`;

/** One browser, one daemon with something to look at, for all tests of a file. */
export interface BrowserWorld extends BrowserVisits {
  readonly world: World;
  readonly bank: BankRole;
  readonly fintech: OrganizationRole;
  readonly leaf: TokenId;
  readonly algorithm: TokenId;
  /** A job for an algorithm that writes so many lines, and then waits, if asked to. Resolves to the run at the bank, ended or not. */
  runJob(lines: number, wait?: boolean): Promise<string>;
  readonly waiting: WaitingJobs;
}

/** `mark` ends the names of what is minted. */
export async function createBrowserWorld(mark = ` ${HOSTILE}`): Promise<BrowserWorld> {
  const world = await createWorld();
  const bank = await world.bank('Bank A', { sandbox: { level: 'process' } });
  const fintech = await world.role('Fintech C');
  const operator = await publish(world, 'lines', OPERATOR, { lines: {}, wait: {} });
  const leaf = await mintLeaf(bank, {
    name: `customers${mark}`,
    services: [
      {
        index: 'run',
        template: operator,
        constraint: { lines: { $match: { type: 'integer', maximum: 5000 } }, wait: {} },
        path: './inputs/customers.csv',
      },
    ],
    storePath: await bank.data('customers.csv', 'id,age,defaulted\n1,41,false\n2,29,true\n'),
  });
  const task = await fintech.context.ledger.createTask('scoring', 'a model of defaults');
  const algorithmOf = async (lines: number, wait: boolean): Promise<TokenId> => {
    const attributes = compositeAttributes(`model of ${lines}${mark}`, 'Algorithm', {
      [leaf]: { service: 'run', constraint: { lines, wait } },
    });
    return (await composeAsset(fintech.context, { attributes })).dt;
  };
  const algorithm = await algorithmOf(3, false);
  const browser = await openBrowser(bank);

  return {
    ...browser,
    world,
    bank,
    fintech,
    leaf,
    algorithm,
    waiting: await waitingJobs(world, bank, fintech, task),
    runJob: async (lines, wait = false) => {
      const { shares } = await execJob(fintech.context, { task, algorithm: await algorithmOf(lines, wait), wait: !wait });
      return shares[0]?.run?.id ?? '';
    },
    close: async () => {
      await browser.close();
      await world.close();
    },
  };
}
