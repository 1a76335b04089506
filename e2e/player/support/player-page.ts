import { expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { screenshotPath } from './browser.ts';

const DESKTOP = { width: 1360, height: 800 };

/** A tab of the browser at a Player, and somebody else's browser beside it. */
export class PlayerPage {
  readonly page: Page;
  readonly url: string;
  /** What went wrong in the page's own code. */
  readonly faults: string[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    this.url = url;
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.setDefaultTimeout(30_000);
  }

  static async start(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<PlayerPage> {
    return new PlayerPage(await browser.newPage({ viewport: DESKTOP, ...options }), url);
  }

  /** @param name such as `live/StreetDetection/street` */
  async open(name: string): Promise<void> {
    await this.page.goto(`${this.url}/#/${name}`);
  }

  /** For the documents, where that is asked for. */
  async shoot(name: string): Promise<void> {
    const file = screenshotPath(name);
    if (file === undefined) return;
    await this.page.locator('.news-text').waitFor({ state: 'detached' });
    await this.page.screenshot({ path: file });
  }

  async get<T>(at: string): Promise<T> {
    const response = await this.page.request.get(`${this.url}${at}`);
    expect(response.status()).toBe(200);
    return (await response.json()) as T;
  }

  /** As another person's browser would. @returns status */
  async send(method: 'PUT' | 'POST', at: string, data: object): Promise<number> {
    const { csrf } = await this.get<{ csrf: string }>('/api/session');
    const headers = { 'x-vantage-csrf': csrf, origin: this.url };
    return (await this.page.request.fetch(`${this.url}${at}`, { method, data, headers })).status();
  }

  /** What a test of the page looks for: nothing is wider than the screen, and all that can be pressed has a name. */
  layout(): Promise<{ readonly wide: number; readonly nameless: readonly string[] }> {
    return this.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      nameless: [...document.querySelectorAll('button, a, input, select, textarea')]
        .filter((one) => {
          const labels = one instanceof HTMLInputElement || one instanceof HTMLSelectElement ? one.labels?.length : 0;
          return !labels && !one.ariaLabel && (one.textContent ?? '').trim() === '';
        })
        .map((one) => one.outerHTML.slice(0, 120)),
    }));
  }
}
