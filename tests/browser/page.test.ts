import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requestCode } from '../../src/actions/daemon/request-code.js';
import { seriousFindings } from './accessibility.js';
import { type Size, sizes } from './browser-visits.js';
import { type BrowserWorld, createBrowserWorld } from './browser-world.js';
import { findChromium } from './find-chromium.js';

const chromium = findChromium();
if (chromium === undefined)
  console.warn('SKIPPED: tests of the page, since there is no chromium here (`apt-get install chromium`, or DT_CHROMIUM)');

describe.skipIf(chromium === undefined)('the page of the daemon', { timeout: 240_000 }, () => {
  let browsers: BrowserWorld;
  let ended: string;
  let running: string;

  beforeAll(async () => {
    browsers = await createBrowserWorld();
    ended = await browsers.runJob(40);
    running = await browsers.runJob(300, true);
  });
  afterEach(() => browsers.leave());
  afterAll(() => browsers?.close());

  /** Everything that was on its way is there. */
  const settled = async (page: Page): Promise<void> => {
    await page.waitForSelector('h1');
    await page.waitForFunction(() => document.querySelector('.skeleton, [aria-busy="true"]') === null);
    await page.waitForFunction(() => !location.hash.startsWith('#/verify/') || document.querySelector('.verdict') !== null);
  };
  const pages = (): Readonly<Record<string, string>> => ({
    overview: 'overview',
    requests: 'requests',
    jobs: 'jobs',
    'a job that has ended': `jobs/${ended}`,
    'a job that runs': `jobs/${running}`,
    assets: 'assets',
    'an asset': `assets/${browsers.leaf}`,
    'a new asset': 'assets/new',
    lineage: 'lineage',
    'lineage of a token': `lineage/${browsers.leaf}`,
    verify: 'verify',
    'a verification': 'verify/1',
    settings: 'settings',
    'no page': 'nothing-here',
  });

  describe.each<[Size, 'light' | 'dark', string]>([
    ['desktop', 'light', 'en-GB'],
    ['phone', 'dark', 'zh-CN'],
  ])('on a %s, %s, %s', (size, theme, language) => {
    it('shows every page without a serious finding, a complaint of the console, or anything wider than the screen', async () => {
      const { page, complaints } = await browsers.visit('owner', { size, theme, language });
      for (const [name, path] of Object.entries(pages())) {
        await page.goto(`/#/${path}`);
        await settled(page);
        expect(await seriousFindings(page), name).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(sizes[size].width);
      }
      expect(complaints).toEqual([]);
      expect(await page.getAttribute('html', 'lang')).toBe(language.startsWith('zh') ? 'zh-CN' : 'en');
    });

    it('shows how to sign in', async () => {
      const { page, complaints } = await browsers.visit(undefined, { size, theme, language });
      await page.waitForSelector('form');
      expect(await seriousFindings(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });

  describe('signing in', () => {
    it('with the wallet of the organization, and out again', async () => {
      const { wallet } = browsers.bank;
      const { page, complaints } = await browsers.visit(undefined);
      const asked: string[] = [];
      await page.exposeFunction('signInTest', (message: string) => {
        asked.push(Buffer.from(message.slice(2), 'hex').toString('utf8'));
        return wallet.signMessage(Buffer.from(message.slice(2), 'hex'));
      });
      await page.addInitScript((account: string) => {
        const provider = {
          request: ({ method, params }: { method: string; params?: string[] }) =>
            method === 'eth_requestAccounts'
              ? Promise.resolve([account])
              : (window as unknown as { signInTest: (message: string) => Promise<string> }).signInTest(params?.[0] ?? ''),
        };
        const detail = { info: { uuid: 'test', name: 'Test wallet' }, provider };
        window.addEventListener('eip6963:requestProvider', () =>
          window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail })),
        );
      }, wallet.address);
      await page.reload();
      await page.click('text=Sign with Test wallet');
      await page.waitForSelector('.shell');
      expect(asked).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+ wants you to sign in/)]);
      expect(complaints).toEqual([]);

      await page.click('[aria-label="Sign out"]');
      await page.waitForSelector('form');
      await page.reload();
      await page.waitForSelector('form');
    });

    it('with a code from the command line, typed in lower case', async () => {
      const { code } = await requestCode(browsers.bank.context);
      const { page } = await browsers.visit(undefined);
      await page.fill('input[name=code]', code.toLowerCase());
      await page.keyboard.press('Enter');
      await page.waitForSelector('.shell');
    });

    it('with a wrong code says what to do', async () => {
      const { page } = await browsers.visit(undefined);
      await page.fill('input[name=code]', 'AAAA-BBBB-CCCC');
      await page.click('button:has-text("Sign in")');
      await page.waitForSelector('.problem:has-text("DT_AUTH_SESSION"):has-text("dt daemon login")');
    });

    it('leaves no secret in the address, the storage, or where scripts could read it', async () => {
      const { page } = await browsers.visit('auditor');
      await page.waitForSelector('.shell');
      expect(page.url()).not.toContain('dt_');
      expect(await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]))).not.toContain('dt_');
      expect(await page.evaluate(() => document.cookie)).toBe('');
    });
  });

  describe('roles', () => {
    it('a viewer is offered nothing to change', async () => {
      const { page, complaints } = await browsers.visit('viewer');
      await page.goto(`/#/jobs/${running}`);
      await settled(page);
      expect(await page.locator('button:has-text("Cancel job")').count()).toBe(0);
      expect(await page.locator('nav a').allTextContents()).not.toContain('Settings');
      await page.goto('/#/settings');
      await page.waitForSelector('text=There is no such page.');
      expect(complaints).toEqual([]);
    });

    it('the owner lets an auditor in by a link, and out', async () => {
      const { page: owner } = await browsers.visit('owner');
      await owner.goto('/#/settings');
      await owner.click('text=New token');
      await owner.fill('dialog [name=label]', 'Ms. Li');
      await owner.selectOption('dialog [name=role]', 'auditor');
      await owner.fill('dialog [name=scope]', browsers.leaf);
      await owner.click('dialog button:has-text("Make")');
      const link = await owner.inputValue('dialog [name=link]');
      expect(new URL(link).search + new URL(link).pathname).toBe('/');
      await owner.click('dialog button:has-text("Done")');

      const { page: auditor } = await browsers.visit(undefined);
      await auditor.goto('about:blank');
      await auditor.goto(link);
      await auditor.waitForSelector('.shell');
      expect(await auditor.locator('nav a').allTextContents()).toEqual(['Jobs', 'Lineage', 'Verify']);
      await owner.click('[aria-label="Revoke: Ms. Li"]');
      await owner.click('dialog button:has-text("Revoke")');
      // The stream tells the other browser; nobody clicks there.
      await auditor.waitForSelector('form');
    });
  });

  describe('names and log lines', () => {
    it('stay text, and the policy stops what would not', async () => {
      const { page, complaints } = await browsers.visit('owner');
      const policy = (await page.reload())?.headers()['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toContain('unsafe');
      for (const path of ['assets', `jobs/${ended}`]) {
        await page.goto(`/#/${path}`);
        await settled(page);
        expect(await page.locator('img[src=x], .log b').count()).toBe(0);
      }
      await page.waitForSelector('text=line 40 <b>of</b> 40');
      expect(complaints).toEqual([]);
      const outcome = await page.evaluate(() => {
        const script = document.createElement('script');
        const attempts: Record<string, () => void> = {
          markup: () => {
            document.body.innerHTML = '<img src=x onerror="document.title=\'owned\'">';
          },
          inline: () => {
            script.text = "document.title = 'owned'";
          },
        };
        const stopped = Object.entries(attempts).map(([name, attempt]) => {
          try {
            attempt();
            return `${name}: not stopped`;
          } catch {
            return name;
          }
        });
        return { stopped, title: document.title };
      });
      expect(outcome.stopped).toEqual(['markup', 'inline']);
      expect(outcome.title).not.toBe('owned');
    });

    it('no address but its own is asked for anything', async () => {
      const { page } = await browsers.visit(undefined);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).origin));
      await page.reload();
      await page.waitForSelector('form');
      expect(new Set(asked)).toEqual(new Set([browsers.bank.daemon.url]));
    });
  });

  it('is used by the keyboard alone', async () => {
    const { page } = await browsers.visit('owner');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('To the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.focus('nav a[href="#/settings"]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:has-text("Settings")');
    await page.focus('button:has-text("New token")');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('New token');
  });

  it('changes its language and its appearance, and remembers both', async () => {
    const { page } = await browsers.visit('owner');
    await page.click('text=中文');
    await page.waitForSelector('h1:has-text("概览")');
    await page.click('[aria-label^="外观"]');
    await page.click('[aria-label^="外观"]');
    await page.reload();
    await page.waitForSelector('h1:has-text("概览")');
    expect(await page.getAttribute('html', 'data-theme')).toBe('dark');
  });

  it('a job is canceled with a reason, and its end is seen live by somebody else', async () => {
    const id = await browsers.runJob(5, true);
    const { page: other } = await browsers.visit('viewer');
    await other.goto(`/#/jobs/${id}`);
    await other.waitForSelector('text=line 5 <b>of</b> 5');
    const { page, complaints } = await browsers.visit('operator');
    await page.goto(`/#/jobs/${id}`);
    await page.click('button:has-text("Cancel job")');
    await page.fill('dialog [name=reason]', 'enough of it');
    await page.click('dialog button:has-text("Cancel job")');
    for (const shown of [page, other]) {
      await shown.waitForSelector('.page-head .badge:has-text("canceled")');
      await shown.waitForSelector('main:has-text("enough of it")');
    }
    expect(complaints).toEqual([]);
  });

  describe('what waits for the owner', () => {
    it('is looked at and approved: first the request, then its outputs', async () => {
      const id = await browsers.waiting.run(2);
      const { page, complaints } = await browsers.visit('owner');
      await page.click('.waiting.some');
      await page.click(`a[href="#/requests/${id}"]`);
      await page.waitForSelector('text=You have approved no request for this data yet: read it');
      expect(await page.locator('pre.code').allTextContents()).toEqual([
        expect.stringContaining('"lines": 2'),
        expect.stringContaining('outputs/result.json'),
      ]);
      expect(await seriousFindings(page)).toEqual([]);
      await page.fill('[name=reason]', 'agreed by the board');
      await page.click('button[name=approve]');

      // It runs, and its outputs wait in turn.
      await page.click(`a[href="#/requests/${id}"]:has-text("May its outputs leave?")`);
      expect(await page.textContent('.plain-list')).toContain('result.json');
      await page.fill('[name=reason]', 'numbers only');
      await page.click('button[name=approve]');
      await page.waitForSelector('text=Nothing waits for you.');
      await page.goto(`/#/jobs/${id}`);
      await page.waitForSelector('.page-head .badge:has-text("succeeded")');
      const receipt = await (await page.request.get(`/v1/jobs/${id}/receipt`)).text();
      expect(receipt).toContain('agreed by the board');
      // It ended once, and was reported once.
      await page.waitForSelector('.timeline li:has-text("reported on chain")');
      expect(await page.locator('.timeline .badge', { hasText: 'succeeded' }).count()).toBe(1);
      expect(complaints).toEqual([]);
    });

    it('is refused with a reason; other code than before is told apart, line by line', async () => {
      await browsers.waiting.changeCode();
      const id = await browsers.waiting.run(3);
      const { page, complaints } = await browsers.visit('owner', { size: 'phone', theme: 'dark' });
      await page.goto(`/#/requests/${id}`);
      await page.waitForSelector('text=Other code than the last that you approved');
      expect(await page.locator('.diff .added').allTextContents()).toEqual([expect.stringContaining('// changed⟦U+2028⟧void 0;')]);
      expect(await seriousFindings(page)).toEqual([]);
      await page.click('button[name=refuse]');
      // A reason is asked for before anything is sent.
      expect(await page.evaluate(() => document.querySelector('[name=reason]')?.matches(':invalid'))).toBe(true);
      await page.fill('[name=reason]', 'not this one');
      await page.click('button[name=refuse]');
      await page.waitForSelector('text=Nothing waits for you.');
      await page.goto(`/#/jobs/${id}`);
      await page.waitForSelector('.page-head .badge:has-text("refused")');
      await page.waitForSelector('main:has-text("not this one")');
      expect(complaints).toEqual([]);
    });

    it('is shown to an operator, who cannot answer', async () => {
      const id = await browsers.waiting.run(4);
      const { page } = await browsers.visit('operator');
      await page.goto(`/#/requests/${id}`);
      await page.waitForSelector('text=Only the owner answers.');
      expect(await page.locator('button[name=approve]').count()).toBe(0);
    });
  });

  it('a list of a thousand jobs keeps a few rows in the document, and shows a new one at its head', async () => {
    const word = (n: number): string => n.toString(16).padStart(64, '0');
    const jobs = Array.from({ length: 1000 }, (_, n) => ({
      id: `00000000-0000-4000-8000-${word(n).slice(-12)}`,
      job: String(10_999 - n),
      task: '1',
      algorithm: `dt:ownership:${word(1)}`,
      token: `dt:ownership:${word(n)}`,
      consumer: `0x${word(n).slice(-40)}`,
      state: 'refused',
      attempt: 0,
      createdAt: new Date(Date.UTC(2026, 0, 1) - n * 60_000).toISOString(),
      outputs: [],
      settlement: 'anchored',
    }));
    const { page, complaints } = await browsers.visit('owner');
    await page.waitForSelector('.live-dot.live');
    await page.route('**/v1/jobs?*', (route) => {
      const before = Number(new URL(route.request().url()).searchParams.get('before') ?? 0);
      return route.fulfill({ json: { jobs: jobs.slice(before, before + 250), next: before + 250 } });
    });
    await page.goto('/#/jobs');
    await page.waitForFunction(() => /1000 runs/.test(document.querySelector('.filters')?.textContent ?? ''));
    expect(await page.locator('.run-row').count()).toBeLessThan(80);
    await page.focus(`a[href="#/jobs/${jobs[1]?.id}"]`);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.waitForSelector(`a[href="#/jobs/${jobs.at(-1)?.id}"]`);
    // The row that the keyboard was at is gone: Enter opens no other one.
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
    await page.evaluate(() => window.scrollTo(0, 0));
    const fresh = await browsers.runJob(1);
    await page.waitForSelector(`a[href="#/jobs/${fresh}"]:has-text("succeeded")`);
    await page.fill('input[type=search]', '10123');
    await page.waitForFunction(() => document.querySelectorAll('.run-row').length === 1);
    expect(complaints).toEqual([]);
  });

  it('says so when the daemon is gone, and goes on when it is back', async () => {
    const { page } = await browsers.visit('owner');
    await page.waitForSelector('.live-dot.live');
    await browsers.bank.daemon.close();
    await page.waitForSelector('.live-dot.lost');
    await page.goto('/#/assets');
    await page.waitForSelector('.problem:has-text("dt daemon run")');
    await browsers.bank.restart();
    await page.waitForSelector('.live-dot.live');
    await page.waitForSelector('.problem', { state: 'detached' });
  });

  it('what the first view loads is below 200 kB', () => {
    const folder = fileURLToPath(new URL('../../dist/web/', import.meta.url));
    const html = readFileSync(`${folder}index.html`, 'utf8');
    const first = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(first.length).toBeGreaterThan(2);
    for (const name of first) expect(readdirSync(folder)).toContain(name);
    const sizesInBytes = ['index.html', ...first].map((name) => gzipSync(readFileSync(folder + name)).length);
    expect(sizesInBytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
  });
});

/** For the README, when somebody asks for them: `DT_SCREENSHOTS=docs/images npx vitest run tests/browser/page.test.ts -t pictures`. */
const pictures = process.env['DT_SCREENSHOTS'];
if (pictures !== undefined && chromium !== undefined)
  it('pictures', { timeout: 240_000 }, async () => {
    const browsers = await createBrowserWorld('');
    try {
      const ended = await browsers.runJob(40);
      const running = await browsers.runJob(200, true);
      const waiting = await browsers.waiting.run(2);
      const { page } = await browsers.visit('owner');
      const { page: phone } = await browsers.visit('owner', { size: 'phone', theme: 'dark', language: 'zh-CN' });
      const paths = {
        overview: 'overview',
        request: `requests/${waiting}`,
        job: `jobs/${running}`,
        lineage: `lineage/${browsers.leaf}`,
      };
      for (const [name, path] of Object.entries({ ...paths, ended: `jobs/${ended}`, asset: `assets/${browsers.leaf}` }))
        for (const [shown, file] of [[page, name] as const, [phone, `${name}-phone`] as const]) {
          await shown.goto(`/#/${path}`);
          await shown.waitForSelector('h1');
          await shown.waitForFunction(() => document.querySelector('.skeleton, [aria-busy="true"]') === null);
          await shown.screenshot({ path: `${pictures}/${file}.png` });
        }
    } finally {
      await browsers.close();
    }
  });
