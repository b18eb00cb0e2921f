import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Size, sizes, type Visit } from './browser-visits.js';
import { type BrowserWorld, createBrowserWorld, HOSTILE } from './browser-world.js';
import { findChromium } from './find-chromium.js';
import { generatedLineage } from './generated-lineage.js';

describe.skipIf(findChromium() === undefined)('the page Lineage', () => {
  let here: BrowserWorld;
  beforeAll(async () => {
    here = await createBrowserWorld();
    await here.runJob(2);
  }, 120_000);
  afterAll(() => here?.close());

  it.each(Object.keys(sizes) as Size[])('shows a token with what became of it (%s)', async (size) => {
    const { page, complaints } = await here.visit('viewer', { size });
    await page.goto('/#/lineage');
    await page.locator('.entries a').filter({ hasText: 'customers' }).click();
    const graph = page.getByRole('application');
    await graph.waitFor();
    expect(await page.locator('h1').textContent()).toBe(`customers ${HOSTILE}`);
    await page.getByRole('button', { name: 'Draw everything' }).click();
    // The data, two algorithms, one of them with a job that was reported.
    await page.locator('[data-drawn="5"]').waitFor();
    await page.getByRole('searchbox').fill('model of 2');
    await page.keyboard.press('Enter');
    await page.locator('.node-details').getByText('Made of').waitFor();
    await graph.focus();
    for (const key of ['ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    await page.locator('.node-details').getByText('Reported by').waitFor();
    expect(await page.locator('.node-details h2').textContent()).toBe('Succeeded');
    expect(await page.title()).not.toContain('owned');
    expect(complaints).toEqual([]);
  });

  describe('with 2,000 nodes', () => {
    let visit: Visit;
    beforeAll(async () => {
      visit = await here.visit('owner');
      await visit.page.route('**/v1/lineage?*', (route) => route.fulfill({ json: generatedLineage(2000) }));
      await visit.page.goto(`/#/lineage/${here.leaf}`);
      await visit.page.getByRole('button', { name: 'Draw everything' }).click();
      await visit.page.locator('[data-drawn="2000"]').waitFor();
    });
    const elements = (): Promise<number> => visit.page.locator('.graph *').count();

    it('draws them all with a few elements', async () => {
      expect(await elements()).toBeLessThan(40);
    });

    it('finds one of them, and draws only what is in sight', async () => {
      const { page } = visit;
      await page.getByRole('searchbox').fill('scorecard 123');
      await page.keyboard.press('Enter');
      await page.locator('.graph .node-title', { hasText: /^scorecard 123$/ }).waitFor();
      expect(await page.locator('.node-details h2').textContent()).toBe('scorecard 123');
      expect(await elements()).toBeLessThan(1200);
    });

    it('moves by one attribute, until something else comes into sight', async () => {
      const { page } = visit;
      const box = await page.getByRole('application').boundingBox();
      const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 200];
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + 10, y);
      await page.evaluate(() => {
        const seen = { changes: 0, nodes: 0 };
        Object.assign(window, { seen });
        const graph = document.querySelector('.graph');
        if (graph === null) return;
        new MutationObserver((records) => {
          seen.changes += records.length;
          for (const { addedNodes, removedNodes } of records) seen.nodes += addedNodes.length + removedNodes.length;
        }).observe(graph, { subtree: true, childList: true, attributes: true });
      });
      for (let i = 1; i <= 20; i += 1) await page.mouse.move(x + 10 + i, y);
      await page.mouse.up();
      const seen = await page.evaluate(() => (window as Window & { seen?: { changes: number; nodes: number } }).seen);
      expect(seen?.changes).toBeGreaterThan(0);
      // Each move: the picture and the headings of its columns.
      expect(seen?.changes).toBeLessThanOrEqual(20 * 6);
      expect(seen?.nodes).toBeLessThanOrEqual(400);
    });

    it('is saved as a picture of all, in which names are text', async () => {
      const { page, complaints } = visit;
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as SVG' }).click()]);
      const svg = await readFile(await download.path(), 'utf8');
      expect(svg).toContain('branch 0 &lt;img src=x onerror="alert(1)"&gt;');
      expect(svg).not.toContain('<img');
      expect(svg.match(/<g /g)).toHaveLength(2000);
      expect(complaints).toEqual([]);
    });
  });
});
