import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
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
import { findChromium } from './find-chromium.js';
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

export const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1366, height: 860 } } as const;
export type Size = keyof typeof sizes;

export interface Visit {
  readonly page: Page;
  /** What the console said that it should not, and what the page's policy stopped. */
  readonly complaints: string[];
}

/** One browser, one daemon with something to look at, for all tests of a file. */
export interface BrowserWorld {
  readonly world: World;
  readonly bank: BankRole;
  readonly fintech: OrganizationRole;
  readonly leaf: TokenId;
  readonly algorithm: TokenId;
  /** A job for an algorithm that writes so many lines, and then waits, if asked to. Resolves to the run at the bank, ended or not. */
  runJob(lines: number, wait?: boolean): Promise<string>;
  readonly waiting: WaitingJobs;
  /** A page in a context of its own, signed in unless the role is undefined. */
  visit(
    role: 'owner' | 'operator' | 'viewer' | 'auditor' | undefined,
    options?: { size?: Size; theme?: 'light' | 'dark'; language?: string },
  ): Promise<Visit>;
  /** Closes all that was visited. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** `mark` ends the names of what is minted. */
export async function createBrowserWorld(mark = ` ${HOSTILE}`): Promise<BrowserWorld> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no chromium: such a file must be skipped');
  const world = await createWorld();
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
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
  const contexts: BrowserContext[] = [];

  const tokenOf = async (role: string): Promise<string> => {
    const { access } = bank.daemon.deps.store;
    const { digestOfSecret, newSecret } = await import('../../src/tracer-daemon/web/secret.js');
    const { roles } = await import('../../src/tracer-daemon/web/role.js');
    const found = roles.find((name) => name === role);
    if (found === undefined) throw new Error(`no role ${role}`);
    const secret = newSecret();
    await access.issue(
      { kind: 'token', role: found, label: `the ${role}`, scope: undefined, expiresAt: Date.now() + 3_600_000 },
      digestOfSecret(secret),
    );
    return secret;
  };

  return {
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
    visit: async (role, { size = 'desktop', theme = 'light', language = 'en-GB' } = {}) => {
      const context = await browser.newContext({
        viewport: sizes[size],
        colorScheme: theme,
        locale: language,
        baseURL: bank.daemon.url,
        reducedMotion: 'reduce',
      });
      // An upper bound for a machine that is busy.
      context.setDefaultTimeout(90_000);
      contexts.push(context);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(role === undefined ? '/' : `/#/link/${await tokenOf(role)}`);
      if (role !== undefined) await page.waitForSelector('.shell');
      return { page, complaints };
    },
    leave: async () => {
      for (const context of contexts.splice(0)) await context.close();
    },
    close: async () => {
      await browser.close();
      await world.close();
    },
  };
}
