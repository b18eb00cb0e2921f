import { Wallet } from 'ethers';
import { parseAddress, parseBytes32 } from '../../src/documents/ids.js';
import { connectLedger } from '../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../src/ledger/evm/deploy-toolkit.js';
import type { JobReport, Ledger } from '../../src/ledger/ledger.js';
import { startAnvilChain } from '../support/dev-chains.js';

export interface GasRow {
  readonly action: string;
  /** Gas of the receipt: the first such transaction of its account, when counters and balances leave zero. */
  readonly first: number;
  readonly later: number;
  /** What the original project's contracts take for the same, where it has the same. */
  readonly original: number | undefined;
}

const NAME = 'First National Bank of Somewhere';
const DESCRIPTION = 'Retail bank, member of the regional credit risk union';
const URL = 'https://tracer.fnbank.example/';

/** Everything is fixed, keys and salts too, since zero bytes of a call are cheaper: every run gives the same figures. */
export async function measureGas(): Promise<readonly GasRow[]> {
  if (URL.length !== 30 || NAME.length < 30) throw new Error('the texts have lost their realistic length');
  const chain = await startAnvilChain();
  try {
    const wallets = [1, 2, 3].map((n) => new Wallet(fixed('key', n)));
    const [admin, bank, third] = wallets as [Wallet, Wallet, Wallet];
    const addressBook = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: admin, admin: admin.address });
    const connect = (signer: Wallet) => connectLedger({ rpcUrl: chain.rpcUrl, addressBook, signer });
    const rows: GasRow[] = [];

    const gasOf = async (write: Promise<unknown>): Promise<number> => {
      await write;
      const block = (await chain.rpc('eth_getBlockByNumber', 'latest', false)) as { gasUsed: string };
      return Number(block.gasUsed);
    };
    const measure = async (action: string, original: number | undefined, first: () => Promise<unknown>, later: () => Promise<unknown>) => {
      rows.push({ action, first: await gasOf(first()), later: await gasOf(later()), original });
    };

    await measureAll(measure, connect(admin), connect(bank), connect(third));
    return rows;
  } finally {
    await chain.close();
  }
}

type Measure = (
  action: string,
  original: number | undefined,
  first: () => Promise<unknown>,
  later: () => Promise<unknown>,
) => Promise<void>;

async function measureAll(measure: Measure, admin: Ledger, bank: Ledger, third: Ledger): Promise<void> {
  const organization = (address: string, isAggregator: boolean) => ({
    ...{ address: parseAddress(address), name: NAME, description: DESCRIPTION, url: URL, linkKey: fixed('link', 1) },
    ...{ isAggregator, isProvider: !isAggregator },
  });
  const other = new Wallet(fixed('key', 4)).address;
  await measure(
    'Register an organization with its provider role',
    223_000,
    () => admin.registerOrganization(organization(bank.signer, false)),
    () => admin.registerOrganization(organization(other, false)),
  );
  await admin.registerOrganization(organization(third.signer, true));
  await measure(
    'Move a daemon: URL and link key',
    undefined,
    () => bank.updateEndpoint(URL.replace('tracer', 'daemon'), fixed('link', 2)),
    () => bank.updateEndpoint(URL, fixed('link', 3)),
  );
  await measure(
    'Publish an operator',
    260_000,
    () => admin.publishOperator(fixed('salt', 1), fixed('digest', 1)),
    () => admin.publishOperator(fixed('salt', 2), fixed('digest', 2)),
  );
  const leaf = (n: number) => bank.mintToken(fixed('salt', n), fixed('digest', n), []);
  await measure(
    'Mint a leaf',
    249_000,
    () => leaf(10),
    () => leaf(11),
  );
  await leaf(12);
  const leaves = [10, 11, 12].map((n) => bank.deriveId('token', bank.signer, fixed('salt', n)));
  const composite = (n: number) => third.mintToken(fixed('salt', n), fixed('digest', n), leaves);
  await measure(
    'Mint a composite of 3 children',
    224_000,
    () => composite(20),
    () => composite(21),
  );
  const [one, two] = [20, 21].map((n) => third.deriveId('token', third.signer, fixed('salt', n)));
  if (one === undefined || two === undefined) throw new Error('no composites');
  await measure(
    'Grant a child to a composite',
    68_000,
    () => bank.grant(leaves[0]!, one, 0),
    () => bank.grant(leaves[0]!, two, 4_000_000_000),
  );
  for (const composite of [one, two]) for (const child of leaves.slice(1)) await bank.grant(child, composite, 0);
  await measure(
    'Activate a composite of 3 children',
    undefined,
    () => third.activate(one),
    () => third.activate(two),
  );
  const text = 'Which of the loans that are asked for today will be paid back, and what says so?';
  await measure(
    'Create a task',
    149_000,
    () => third.createTask('Risk model for small loans', text),
    () => third.createTask('Risk model for large loans', text),
  );
  await measure(
    'Add a job, algorithm over 3 leaves',
    170_000,
    () => third.addJob(1n, one),
    () => third.addJob(2n, two),
  );
  const report = (jobId: bigint, n: number): JobReport => {
    const path = [jobId % 2n === 1n ? one : two, leaves[n]!];
    return { jobId, path, state: 'succeeded', receipt: fixed('receipt', Number(jobId) * 3 + n) };
  };
  const anchor = (n: number, reports: readonly JobReport[], count = reports.length) =>
    bank.anchorReceipts({ root: fixed('root', n), count, reports });
  await measure(
    'Anchor one receipt with its report',
    undefined,
    () => anchor(1, [report(1n, 0)]),
    () => anchor(2, [report(2n, 0)]),
  );
  await measure(
    'Anchor a root of 100 receipts without reports',
    undefined,
    () => anchor(3, [], 100),
    () => anchor(4, [], 100),
  );
  // Of as many jobs: what many reports share is the transaction and the root.
  const jobs: bigint[] = [];
  for (let i = 0; i < 220; i++) jobs.push(await third.addJob(i % 2 === 0 ? 1n : 2n, i % 2 === 0 ? one : two));
  const some = (from: number, count: number) => jobs.slice(from, from + count).map((jobId) => report(jobId, 1));
  for (const [count, from] of [
    [10, 0],
    [100, 20],
  ] as const)
    await measure(
      `Anchor ${count} receipts with their reports`,
      undefined,
      () => anchor(5 + count, some(from, count)),
      () => anchor(6 + count, some(from + count, count)),
    );
  await measure(
    'Revoke a grant',
    undefined,
    () => bank.revoke(leaves[0]!, one),
    () => bank.revoke(leaves[0]!, two),
  );
}

/** 32 bytes that look like hashes: no zero bytes, which would be cheaper than in life. */
function fixed(kind: string, n: number) {
  const seed = [...`${kind} ${n}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
  return parseBytes32(`0x${Array.from({ length: 32 }, (_, i) => (((seed * (i + 3)) % 251) + 1).toString(16).padStart(2, '0')).join('')}`);
}

export function gasTable(rows: readonly GasRow[]): string {
  const thousands = (gas: number) => gas.toLocaleString('en-US');
  const lines = rows.map(({ action, first, later, original }) => {
    const ratio = original === undefined ? '' : (first / original).toFixed(2);
    return `| ${action} | ${thousands(first)} | ${thousands(later)} | ${original === undefined ? '' : thousands(original)} | ${ratio} |`;
  });
  return [
    '# Gas',
    '',
    'Generated by `npx vitest run tests/contracts/gas.test.ts -u` from the receipts of real transactions on anvil; the same test fails when this',
    'page or a bar is not kept. ERC-721 ownership is included. `first` is the first such transaction of an account, when counters and',
    'balances leave zero; `original` is the same action in the original project; `ratio` is first / original, and has to be below 1.',
    '',
    '| action | first | later | original | ratio |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...lines,
    '',
    'Texts are of realistic length (32 characters of name, 53 of description, 30 of URL). 32 more characters of name or description cost about',
    '7,000 gas, of URL 22,000. Names and descriptions of tasks are in events only: 32 characters cost about 800.',
    'A daemon anchors all receipts that wait in one transaction: of 100 with their reports each costs 38 % of one alone.',
    '',
  ].join('\n');
}
