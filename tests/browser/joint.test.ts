import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partedJob } from '../support/joint-parts.js';
import { createJointWorld, inProcess, type JointWorld } from '../support/joint-world.js';
import type { BankRole } from '../support/world.js';
import { seriousFindings } from './accessibility.js';
import { type BrowserVisits, openBrowser } from './browser-visits.js';
import { findChromium } from './find-chromium.js';

describe.skipIf(findChromium() === undefined)('the page of a joint job', { timeout: 240_000 }, () => {
  let joint: JointWorld<BankRole>;
  let browser: BrowserVisits;
  beforeAll(async () => {
    joint = await createJointWorld(inProcess, { link: { peerWaitSeconds: 120 } });
    browser = await openBrowser(joint.a);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await joint?.close();
  });

  it.each(['desktop', 'phone'] as const)('shows live how far every party is, on one timeline (%s)', async (size) => {
    const job = await partedJob(joint, { mode: 'ok' });
    await job.ask('a0', 'a2', 'b1');
    const { page, complaints } = await browser.visit('viewer', { size });
    await page.goto(`/#/jobs/${job.parts.a0.run?.id}`);
    // Bank B is there, and the helper is not yet.
    const step = (party: string, said: string): string => `.timeline li:has(.timeline-party:text-is("${party}")):has-text("${said}")`;
    await page.waitForSelector(step('Bank B', 'allows it'));
    expect(await page.locator(step('Third C', '')).count()).toBe(0);
    await page.waitForSelector('.parties li:has-text("Third C"):has-text("reports nothing")');
    // Nobody touches the page from here on.
    await job.ask('c');
    for (const party of ['Bank B', 'Third C'])
      for (const said of ['allows it', 'computes', 'computed', 'confirmed']) await page.waitForSelector(step(party, said));
    await page.waitForSelector(step('Bank A', 'succeeded'));
    await page.waitForSelector(step('Bank B', 'reported on chain'));
    await page.waitForSelector('.parties li:has-text("Third C"):has-text("confirmed")');
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    if (process.env['DT_SCREENSHOTS'] !== undefined)
      await page.screenshot({ path: `${process.env['DT_SCREENSHOTS']}/joint-${size}.png`, fullPage: true });
    await browser.leave();
  });

  it('the overview hears of a link that goes up or down', async () => {
    const { page, complaints } = await browser.visit('viewer');
    await page.waitForSelector('.live-dot.live');
    const [here, there] = [joint.a.daemon.deps.links, joint.b.daemon.deps.links];
    const connected = '.peers li:has-text("Bank B") .badge:has-text("connected")';
    here.reconnect(joint.b.address, 'the test starts without a link');
    await page.waitForSelector(connected, { state: 'detached' });
    const channels = await Promise.all([
      here.channel(joint.b.address, 'seen-by-the-page', 'data'),
      there.channel(joint.a.address, 'seen-by-the-page', 'data'),
    ]);
    await page.waitForSelector(connected);
    for (const channel of channels) await channel.close();
    here.reconnect(joint.b.address, 'the test goes on without it');
    await page.waitForSelector(connected, { state: 'detached' });
    expect(complaints).toEqual([]);
    await browser.leave();
  });
});
