import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const MOST = 80;

/** A page as somebody uses it who has no mouse. */
export interface ByKeyboard {
  /** What has the focus: its label, or its words. */
  focused(): Promise<string>;
  /** Goes on with Tab from where the focus is, until something of this name has it. */
  tabTo(name: string | RegExp): Promise<void>;
  press(key: string): Promise<void>;
  type(words: string): Promise<void>;
}

export function byKeyboard(page: Page): ByKeyboard {
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const { activeElement: here } = document;
      const labels = here instanceof HTMLInputElement ? [...(here.labels ?? [])].map(({ textContent }) => textContent) : [];
      return (here?.getAttribute('aria-label') ?? (labels.join(' ') || here?.textContent) ?? '').trim();
    });
  const isIt = (name: string | RegExp, found: string): boolean => (typeof name === 'string' ? found === name : name.test(found));
  return {
    focused,
    tabTo: async (name) => {
      const passed: string[] = [];
      for (let found = await focused(); !isIt(name, found); found = await focused()) {
        expect(passed.length, `no Tab leads to ${name}, only to ${passed.join(' | ')}`).toBeLessThan(MOST);
        passed.push(found.slice(0, 40));
        await page.keyboard.press('Tab');
      }
    },
    press: (key) => page.keyboard.press(key),
    type: (words) => page.keyboard.type(words),
  };
}
