import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { canonicalBytes } from '../../src/documents/canonical.js';
import { seriousFindings } from './accessibility.js';
import { type Size, sizes } from './browser-visits.js';
import { type BrowserWorld, createBrowserWorld, HOSTILE } from './browser-world.js';
import { findChromium } from './find-chromium.js';
import { byKeyboard } from './keyboard.js';

describe.skipIf(findChromium() === undefined)('the pages Verify and Assets', () => {
  let here: BrowserWorld;
  let run: string;
  let folder: string;
  beforeAll(async () => {
    here = await createBrowserWorld();
    run = await here.runJob(2);
    const { runs } = here.bank.daemon.deps.store;
    await vi.waitFor(async () => expect((await runs.get(run))?.settlement).toBe('anchored'), { timeout: 60_000, interval: 200 });
    folder = await mkdtemp(join(tmpdir(), 'dt-verify-'));
  }, 120_000);
  afterAll(async () => {
    await here?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  describe('Verify', () => {
    it.each(Object.keys(sizes) as Size[])('shows each check of a job that ran here (%s)', async (size) => {
      const { page, complaints } = await here.visit('auditor', { size });
      await page.goto('/#/verify');
      await page.getByLabel('Or a job of this daemon').fill('1');
      await page.getByRole('button', { name: 'Verify' }).click();
      await page.locator('.verdict').waitFor();
      expect(await page.locator('.checks > .failed').allTextContents()).toEqual([]);
      await page.getByText('Everything holds').waitFor();
      expect(await page.locator('.card h2').first().textContent()).toBe(`Bank A: customers ${HOSTILE}`);
      await page.getByText('The chain holds this very receipt').waitFor();
      expect(await page.locator('.checks > .passed').count()).toBeGreaterThan(8);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      expect(await page.title()).not.toContain('owned');
      expect(complaints).toEqual([]);
    });

    it('takes a job folder that is dropped', async () => {
      const dropped = join(here.bank.daemon.deps.config.jobs.folder, run);
      const { page, complaints } = await here.visit('auditor');
      await page.goto('/#/verify');
      const box = await page.locator('.drop').boundingBox();
      const session = await page.context().newCDPSession(page);
      const at = { x: (box?.x ?? 0) + 40, y: (box?.y ?? 0) + 20, data: { items: [], files: [dropped], dragOperationsMask: 1 } };
      for (const type of ['dragEnter', 'dragOver'] as const) await session.send('Input.dispatchDragEvent', { type, ...at });
      await page.locator('.drop.over').waitFor();
      await session.send('Input.dispatchDragEvent', { type: 'drop', ...at });
      await page.locator('.verdict').waitFor();
      await page.getByText('Everything holds').waitFor();
      expect(await page.locator('.drop.over').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('is used by the keyboard alone', async () => {
      const { page, complaints } = await here.visit('auditor');
      // Long before it is opened: the browser takes its time until it hands the choice of a file over.
      page.on('filechooser', (chooser) => chooser.setFiles(join(here.bank.daemon.deps.config.jobs.folder, run, 'receipt.json')));
      await page.goto('/#/verify');
      await page.locator('h1', { hasText: 'Verify' }).waitFor();
      const { tabTo, press, type } = byKeyboard(page);
      await tabTo('Choose files');
      // What has the focus is seen, though the field itself is not.
      expect(
        await page
          .locator('.file-button')
          .first()
          .evaluate((label) => getComputedStyle(label).outlineStyle),
      ).toBe('solid');
      await press('Enter');
      await page.getByText('Everything holds').waitFor();
      await tabTo(/^Or a job of this daemon/);
      await type('1');
      await press('Enter');
      await page.waitForURL('**/#/verify/1');
      await page.getByText('Everything holds').waitFor();
      await tabTo(/comparisons?$/);
      await press('Enter');
      expect(await page.locator('.checks details[open] code').count()).toBeGreaterThan(0);
      expect(complaints).toEqual([]);
    });

    it('checks files that were chosen, and names what differs', async () => {
      const { deps } = here.bank.daemon;
      const own = join(deps.config.jobs.folder, run);
      const receipt = JSON.parse(await readFile(join(own, 'receipt.json'), 'utf8')) as { receipt: { outputs: { sizeBytes: number }[] } };
      await mkdir(join(folder, 'forged'), { recursive: true });
      const { page } = await here.visit('viewer');
      await page.goto('/#/verify');
      const choose = page.locator('input[type=file]').first();
      await choose.setInputFiles(join(own, 'receipt.json'));
      await page.getByText('Everything holds').waitFor();
      const [output] = receipt.receipt.outputs;
      if (output !== undefined) output.sizeBytes += 1;
      await writeFile(join(folder, 'forged', 'receipt.json'), canonicalBytes(receipt));
      await choose.setInputFiles(join(folder, 'forged', 'receipt.json'));
      await page.locator('.verdict.bad').waitFor();
      expect(await page.locator('.checks > .failed').first().textContent()).toContain('signed the receipt');
      await choose.setInputFiles(here.bank.daemon.deps.config.datasets.roots.map((root) => join(root, 'customers.csv')));
      await page.locator('.verdict.bad').waitFor();
    });
  });

  describe('Assets', () => {
    it.each(Object.keys(sizes) as Size[])('shows what is held, in plain words and without rows (%s)', async (size) => {
      const { page, complaints } = await here.visit('viewer', { size });
      await page.goto('/#/assets');
      await page.getByRole('link', { name: 'customers' }).click();
      await page.getByText('a whole number, at most 5000').waitFor();
      await page.getByText('3 columns').waitFor();
      const shown = (await page.locator('main').textContent()) ?? '';
      expect(shown).toContain(`customers ${HOSTILE}`);
      expect(shown).not.toContain('customers.csv/');
      expect(shown).not.toContain(here.bank.folder);
      expect(await page.getByRole('button', { name: 'Revoke' }).count()).toBe(0);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      expect(complaints).toEqual([]);
    });

    it('revokes a grant after asking', async () => {
      const { page } = await here.visit('owner');
      await page.goto(`/#/assets/${here.leaf}`);
      await page.getByRole('button', { name: 'Revoke' }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Revoke' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('revoked').waitFor();
      const edges = await here.bank.context.index.read((index) => index.wentInto(here.leaf));
      expect(edges.filter(({ grant }) => grant === 'revoked')).toHaveLength(1);
      // And gives it again, until the end of a day.
      await page.getByRole('button', { name: 'Grant', exact: true }).click();
      await dialog.locator('[name=lastDay]').fill('2099-01-31');
      await dialog.getByRole('button', { name: 'Grant', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator('.grant-state:has-text("2099")').waitFor();
    });

    it('is used by the keyboard alone, from the list to a grant that is taken back', async () => {
      const { page, complaints } = await here.visit('owner');
      await page.goto('/#/assets');
      await page.getByRole('link', { name: 'customers' }).waitFor();
      const { focused, tabTo, press, type } = byKeyboard(page);
      await tabTo(/^customers/);
      await press('Enter');
      await page.getByText('3 columns').waitFor();
      await tabTo('3 columns');
      await press('Enter');
      expect(await page.locator('details.schema').getAttribute('open')).toBeNull();
      await tabTo('Revoke');
      await press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      await press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(focused, { timeout: 30_000 }).toBe('Revoke');
      await press('Enter');
      await dialog.waitFor();
      await tabTo('Revoke');
      await press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('revoked').waitFor();
      // And gives it again.
      await tabTo('Grant');
      await press('Enter');
      await tabTo(/^Last day/);
      await type('01312099');
      await tabTo('Grant');
      await press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('revoked').waitFor({ state: 'detached' });
      expect(complaints).toEqual([]);
    });

    it('publishes a file with an operator, checked while it is written', async () => {
      await here.bank.data('new.csv', 'id,age\n1,41\n2,29\n');
      const { page, complaints } = await here.visit('owner');
      await page.goto('/#/assets/new');
      const publish = page.getByRole('button', { name: 'Publish' });
      await page.getByLabel('Name', { exact: true }).fill(`new ${HOSTILE}`);
      await page.getByLabel('File').selectOption({ index: 2 });
      await page.getByText('Rows: 2').waitFor();
      await page.getByLabel('Operator').selectOption({ label: 'lines (version 1)' });
      await page.getByText('ready').waitFor();
      await page.getByLabel('lines', { exact: true }).selectOption('json');
      await page.getByLabel('lines: {"$match": {…}}').fill('{"$match": {"type": "frog"}}');
      await page.getByText('not yet').waitFor();
      expect(await publish.isDisabled()).toBe(true);
      await page.getByLabel('lines: {"$match": {…}}').fill('{"$match": {"type": "integer"}}');
      await page.getByText('ready').waitFor();
      await publish.click();
      await page.locator('h1', { hasText: 'new <img' }).waitFor();
      const held = await here.bank.daemon.deps.store.datasets.list();
      expect(held.map(({ path }) => path.split('/').at(-1))).toContain('new.csv');
      expect(await page.title()).not.toContain('owned');
      expect(complaints).toEqual([]);
    });

    it('publishes what waits for its owner, written by the keyboard alone', async () => {
      await here.bank.data('asked.csv', 'id,age\n1,41\n');
      const { page, complaints } = await here.visit('owner');
      await page.goto('/#/assets/new');
      const { focused, tabTo, press, type } = byKeyboard(page);
      await page.locator('h1', { hasText: 'Publish an asset' }).waitFor();
      await tabTo('Name');
      await type('asked about');
      const file = page.getByLabel(/^File/);
      await file.focus();
      for (let i = 0; i < 9 && !(await file.inputValue()).endsWith('/asked.csv'); i += 1) await press('ArrowDown');
      await page.getByLabel('Operator').focus();
      await type('lines (version 1)');
      await page.getByText('ready').waitFor();

      await page.getByLabel('Every result').focus();
      await press('ArrowDown');
      await page.getByText('No result is named: nothing leaves.').waitFor();
      await tabTo('Add a result');
      await press('Enter');
      await expect.poll(focused, { timeout: 30_000 }).toBe('Result 1: name, with * for any characters');
      // A rule without a name is not one.
      await page.getByText('not yet').waitFor();
      await page.locator('.live-checks code', { hasText: '/services/0/outputs/0/name' }).waitFor();
      await type('result.json');
      await page.getByText('ready').waitFor();
      await tabTo('result.json: form');
      await type('application/json');
      await tabTo('result.json: at most (kB)');
      await type('0.5');
      await tabTo('result.json: hold');
      await type('waits until I release it, within');
      await tabTo('result.json: hold: hours');
      await type('soon');
      await page.locator('.live-checks code', { hasText: '/services/0/outputs/0/hold' }).waitFor();
      for (const _ of 'soon') await press('Backspace');
      await type('48');
      await tabTo('Add a result');
      await press('Enter');
      await tabTo('Remove: Result 2');
      await press('Enter');
      await expect.poll(focused, { timeout: 30_000 }).toBe('Add a result');
      await tabTo('Each request');
      await type('waits until I approve it (a week)');
      await tabTo('at most so many jobs');
      await type('5');
      await page.getByText('ready').waitFor();

      const ddo = JSON.parse((await page.locator('.live-checks pre').textContent()) ?? '') as { services: unknown[] };
      const terms = {
        outputs: [{ name: 'result.json', mediaType: 'application/json', maxBytes: 500, hold: { deadlineHours: 48 } }],
        approval: 'manual',
        runs: { limit: 5 },
      };
      expect(ddo.services).toEqual([expect.objectContaining(terms)]);
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByLabel('Name', { exact: true }).focus();
      await press('Enter');
      await page.locator('h1', { hasText: 'asked about' }).waitFor();
      await page.getByText('application/json, at most 500 B, waits for the owner, 48 hours at most').waitFor();
      await page.getByText('At most 5 jobs.').waitFor();
      const held = await here.bank.daemon.deps.store.datasets.list();
      const token = held.find(({ path }) => path.endsWith('/asked.csv'))?.token;
      const shown = await page.request.get(`/v1/assets/${token}`);
      expect(await shown.json()).toMatchObject({ services: [terms] });
      expect(complaints).toEqual([]);
    });
  });
});
