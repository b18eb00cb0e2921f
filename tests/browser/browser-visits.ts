import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { roles } from '../../src/tracer-daemon/web/role.js';
import { digestOfSecret, newSecret } from '../../src/tracer-daemon/web/secret.js';
import type { BankRole } from '../support/world.js';
import { findChromium } from './find-chromium.js';

export const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1366, height: 860 } } as const;
export type Size = keyof typeof sizes;
type Role = (typeof roles)[number];

export interface Visit {
  readonly page: Page;
  /** What the console said that it should not, and what the page's policy stopped. */
  readonly complaints: string[];
}

export interface VisitOptions {
  readonly size?: Size;
  readonly theme?: 'light' | 'dark';
  readonly language?: string;
}

/** A browser for the page of one daemon. */
export interface BrowserVisits {
  /** A page in a context of its own, signed in unless the role is undefined. */
  visit(role: Role | undefined, options?: VisitOptions): Promise<Visit>;
  /** Closes all that was visited. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export async function openBrowser(bank: BankRole): Promise<BrowserVisits> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no chromium: such a file must be skipped');
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  const contexts: BrowserContext[] = [];
  const tokenOf = async (role: Role): Promise<string> => {
    const secret = newSecret();
    await bank.daemon.deps.store.access.issue(
      { kind: 'token', role, label: `the ${role}`, scope: undefined, expiresAt: Date.now() + 3_600_000 },
      digestOfSecret(secret),
    );
    return secret;
  };
  return {
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
    close: () => browser.close(),
  };
}
