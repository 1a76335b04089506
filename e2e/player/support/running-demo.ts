import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { RunningVantage } from '../../support/vantage.ts';
import { openBrowser } from './browser.ts';
import type { Insights } from './drawings.ts';
import { PlayerPage } from './player-page.ts';

/** `vantage up` with its demo camera, and a browser at its Player. */
export class RunningDemo {
  readonly work: string;
  readonly up: RunningVantage;
  readonly player: PlayerPage;
  /** All insights that came to the page, and the sockets they came by. */
  readonly insights: Insights[] = [];
  readonly sockets: { readonly url: string; binaries: number }[] = [];
  readonly #browser: Browser;

  private constructor(work: string, up: RunningVantage, browser: Browser, player: PlayerPage) {
    this.work = work;
    this.up = up;
    this.#browser = browser;
    this.player = player;
    player.page.on('websocket', (socket) => {
      const seen = { url: socket.url(), binaries: 0 };
      this.sockets.push(seen);
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') seen.binaries += 1;
        else this.#receive(JSON.parse(payload) as { type: string } & Insights);
      });
    });
  }

  static async start(): Promise<RunningDemo> {
    const work = mkdtempSync(path.join(os.tmpdir(), 'player-e2e-'));
    const env = { VANTAGE_HOME: path.join(work, 'home') };
    const up = new RunningVantage(['up', '--json', '--state', path.join(work, 'state')], env);
    const browser = await openBrowser();
    await up.line('a person', ({ event, objects }) => {
      return event === 'inference' && ((objects as Record<string, number>)['person'] ?? 0) > 0;
    });
    const { url } = await up.line('the Player', ({ event }) => event === 'player');
    return new RunningDemo(work, up, browser, await PlayerPage.start(browser, String(url)));
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.up.stop();
    rmSync(this.work, { recursive: true, force: true });
  }

  #receive(message: { type: string } & Insights): void {
    if (message.type === 'insights') this.insights.push(message);
  }
}
