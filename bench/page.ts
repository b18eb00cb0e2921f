import type { Page } from 'playwright-core';
import { composeAsset } from '../src/actions/asset/compose-asset.js';
import { execJob } from '../src/actions/job/exec-job.js';
import { type BrowserVisits, openBrowser, type Visit } from '../tests/browser/browser-visits.js';
import { findChromium } from '../tests/browser/find-chromium.js';
import { generatedLineage } from '../tests/browser/generated-lineage.js';
import { compositeAttributes, createWorld, mintLeaf, publish, type World } from '../tests/support/world.js';
import { type Bench, beyond, type Figures, round } from './bench.js';
import { median, medianRatio, quantile } from './statistics.js';

const LIMITS = { firstViewKB: 200, interactiveMs: 1000, frameMs: 1000 / 30 };
const JOBS = 1000;
const NODES = 2000;
const LINES_PER_SECOND = 100;
const LOG_SECONDS = 5;
const MOVES = 90;
const FRAME_MS = 1000 / 60;

const OPERATOR = `
const start = Date.now();
for (let i = 0; i < ${LINES_PER_SECOND * (LOG_SECONDS + 10)}; i++) {
  console.log('line ' + i + ' of a log that goes on and on, with some words to draw');
  await new Promise((resolve) => setTimeout(resolve, start + i * ${1000 / LINES_PER_SECOND} - Date.now()));
}`;

/** In the page before anything else: when its first view stands and can be used, and how long each frame takes. */
const WATCH = `window.bench = (() => {
  const found = { frames: [], shownAt: undefined };
  const observer = new MutationObserver(() => {
    if (document.querySelector('.figures') === null) return;
    observer.disconnect();
    // Two frames later it is on the screen, and what waited for the main thread has run.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      found.shownAt = performance.now();
      document.documentElement.dataset.shown = '';
    }));
  });
  observer.observe(document, { childList: true, subtree: true });
  let last;
  const tick = (time) => {
    if (last !== undefined) found.frames.push(time - last);
    last = time;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  return found;
})();`;

const FIRST_VIEW = `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter(({ name }) => !new URL(name).pathname.startsWith('/v1/'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

export const page: Bench = {
  name: 'page',
  about: "the daemon's page in a real browser: its first view, and frames with 1,000 jobs, a running log, and a lineage of 2,000 nodes",
  async run({ rounds = 15 }) {
    if (findChromium() === undefined) throw new Error('This bench needs a browser: apt-get install chromium');
    const world = await createWorld();
    try {
      const bank = await world.bank('Bank A', { sandbox: { level: 'process' } });
      const browser = await openBrowser(bank);
      try {
        const visit = await browser.visit('owner');
        const first = await measureFirstView(visit, rounds);
        const jobs = await measureJobs(visit);
        const log = await measureLog(world, browser, bank);
        const lineage = await measureLineage(await browser.visit('owner'), bank.daemon.url);
        const smooth = { jobs, log, lineage };
        return {
          figures: { rounds, ...first.figures, frames: { ...smooth } },
          ratios: {
            interactiveToEmptyPage: round(medianRatio(first.interactive, first.empty)),
            interactiveToLimit: round(median(first.interactive) / LIMITS.interactiveMs),
            firstViewToLimit: round(first.kB / LIMITS.firstViewKB),
            ...Object.fromEntries(
              Object.entries(smooth).map(([name, { p95Ms }]) => [`${name}FrameToLimit`, round(p95Ms / LIMITS.frameMs)]),
            ),
          },
          broken: [
            ...beyond('the first view, in kB', first.kB, LIMITS.firstViewKB),
            ...beyond('the time until the first view can be used, in ms', median(first.interactive), LIMITS.interactiveMs),
            ...Object.entries(smooth).flatMap(([name, { p95Ms }]) => beyond(`a frame of the ${name}, in ms`, p95Ms, LIMITS.frameMs)),
          ],
        };
      } finally {
        await browser.close();
      }
    } finally {
      await world.close();
    }
  },
};

/** Without the browser's cache, signed in, in turns with a picture of one element from the same daemon. */
async function measureFirstView({ page }: Visit, rounds: number) {
  const cache = await page.context().newCDPSession(page);
  await cache.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.addInitScript(WATCH);
  const [interactive, empty]: [number[], number[]] = [[], []];
  let kB = 0;
  for (let turn = 0; turn <= rounds; turn++) {
    await page.goto('/icon.svg');
    const emptyMs: number = await page.evaluate('performance.getEntriesByType("navigation")[0].loadEventEnd');
    await page.goto('/#/');
    await page.locator('html[data-shown]').waitFor();
    const shownMs: number = await page.evaluate('bench.shownAt');
    kB = (await page.evaluate<number>(FIRST_VIEW)) / 1000;
    // The first round is of a browser that has just started.
    if (turn === 0) continue;
    interactive.push(shownMs);
    empty.push(emptyMs);
  }
  await cache.detach();
  const figures = {
    firstViewKB: round(kB),
    interactiveMs: round(median(interactive)),
    interactiveP95Ms: round(quantile(interactive, 0.95)),
    emptyPageMs: round(median(empty)),
  };
  return { figures, interactive, empty, kB };
}

/** The list as the daemon would give it, in its pages, scrolled from its head to its end. */
async function measureJobs({ page }: Visit) {
  const word = (n: number): string => n.toString(16).padStart(64, '0');
  const jobs = Array.from({ length: JOBS }, (_, n) => ({
    id: `00000000-0000-4000-8000-${word(n).slice(-12)}`,
    job: String(JOBS - n),
    task: '1',
    algorithm: `dt:ownership:${word(1)}`,
    token: `dt:ownership:${word(n)}`,
    consumer: `0x${word(n).slice(-40)}`,
    state: 'succeeded',
    attempt: 0,
    createdAt: new Date(Date.UTC(2026, 0, 1) - n * 60_000).toISOString(),
    outputs: [],
    settlement: 'anchored',
  }));
  await page.route('**/v1/jobs?*', (route) => {
    const before = Number(new URL(route.request().url()).searchParams.get('before') ?? 0);
    return route.fulfill({ json: { jobs: jobs.slice(before, before + 250), next: before + 250 } });
  });
  await page.goto('/#/jobs');
  await page.locator('.filters', { hasText: `${JOBS} runs` }).waitFor();
  await page.mouse.move(600, 500);
  return framesOf(page, async () => {
    for (let i = 0; i < MOVES; i++) {
      await page.mouse.wheel(0, 600);
      await page.waitForTimeout(FRAME_MS);
    }
  });
}

async function measureLog(world: World, browser: BrowserVisits, bank: Awaited<ReturnType<World['bank']>>) {
  const fintech = await world.role('Fintech C');
  const operator = await publish(world, 'talker', OPERATOR, {});
  const service = { index: 'run', template: operator, constraint: {}, path: './inputs/customers.csv' };
  const storePath = await bank.data('customers.csv', 'id\n1\n');
  const leaf = await mintLeaf(bank, { name: 'customers', services: [service], storePath });
  const attributes = compositeAttributes('talk', 'Algorithm', { [leaf]: { service: 'run', constraint: {} } });
  const { dt: algorithm } = await composeAsset(fintech.context, { attributes });
  const task = await fintech.context.ledger.createTask('talking', 'a log to watch');
  const { shares } = await execJob(fintech.context, { task, algorithm, wait: false });
  const { page } = await browser.visit('owner');
  await page.addInitScript(WATCH);
  await page.goto(`/?#/jobs/${shares[0]?.run?.id ?? ''}`);
  await page.waitForSelector('.log-lines > div');
  const height = (): Promise<number> => page.evaluate("parseInt(document.querySelector('.log-lines').style.height)");
  const before = await height();
  const frames = await framesOf(page, () => page.waitForTimeout(LOG_SECONDS * 1000));
  const linesPerSecond = ((await height()) - before) / 20 / LOG_SECONDS;
  return { ...frames, linesPerSecond: round(linesPerSecond) };
}

async function measureLineage({ page }: Visit, url: string) {
  await page.addInitScript(WATCH);
  await page.route('**/v1/lineage?*', (route) => route.fulfill({ json: generatedLineage(NODES) }));
  await page.goto(`${url}/?#/lineage/dt:ownership:${'1'.padStart(64, '0')}`);
  const button = page.getByRole('button', { name: 'Draw everything' });
  await button.waitFor();
  const started = performance.now();
  await button.click();
  await page.locator(`[data-drawn="${NODES}"]`).waitFor();
  const drawnMs = performance.now() - started;
  const box = await page.getByRole('application').boundingBox();
  const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 200];
  await page.mouse.move(x, y);
  await page.mouse.down();
  const frames = await framesOf(page, async () => {
    for (let i = 1; i <= MOVES; i++) {
      await page.mouse.move(x + i * 3, y + i);
      await page.waitForTimeout(FRAME_MS);
    }
  });
  await page.mouse.up();
  return { ...frames, drawnMs: round(drawnMs) };
}

interface Frames extends Figures {
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly longestMs: number;
}

/** The frames that the browser drew while something went on. */
async function framesOf(page: Page, work: () => Promise<unknown>): Promise<Frames> {
  await page.evaluate('void (bench.frames.length = 0)');
  await work();
  const frames: number[] = await page.evaluate('bench.frames');
  return {
    count: frames.length,
    medianMs: round(median(frames)),
    p95Ms: round(quantile(frames, 0.95)),
    longestMs: round(Math.max(...frames)),
  };
}
