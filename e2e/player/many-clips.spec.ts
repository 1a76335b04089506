import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { resolveFfmpeg } from '@vantage/media';
import type { Browser, Locator, Page } from 'playwright-core';
import { describeWithBrowser, openBrowser } from './support/browser.ts';
import { PlayerAlone } from './support/player-alone.ts';
import { PlayerPage } from './support/player-page.ts';

const MANY = 10_000;
/** One every so many minutes: ten weeks of them. */
const EVERY_MS = 10 * 60_000;
/** Of each step, on a machine that has much else to do. */
const LIMIT_MS = 30_000;

describeWithBrowser(`${MANY} clips`, () => {
  let alone: PlayerAlone | undefined;
  let browser: Browser | undefined;
  let player: PlayerPage;
  let page: Page;
  let list: Locator;
  const newestMs = Date.now() - 60_000;

  beforeAll(async () => {
    const { path: ffmpeg } = await resolveFfmpeg();
    alone = await PlayerAlone.start(undefined, (folder) => {
      const recordings = path.join(folder, 'recordings');
      makeClips(ffmpeg, recordings, newestMs);
      return { PLAYER_RECORDINGS: recordings };
    });
    browser = await openBrowser();
    player = await PlayerPage.start(browser, alone.url);
    page = player.page;
    list = page.getByRole('listbox', { name: /^Clips/ });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await alone?.stop();
  }, 30_000);

  const told: string[] = [];
  async function measured(what: string, work: () => Promise<unknown>): Promise<void> {
    const startMs = performance.now();
    await work();
    const ms = performance.now() - startMs;
    told.push(`${what} ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(LIMIT_MS);
  }
  const row = (position: number): Locator => list.locator(`[aria-posinset="${position}"]`);

  test('list, timeline and a way to the oldest stay quick', async () => {
    await measured('first list', async () => {
      await player.open('clips');
      await row(1).waitFor();
    });
    await page.getByText('144 clips').waitFor();
    await measured('a year of them', async () => {
      await page.getByRole('radio', { name: 'Year' }).click();
      await page.getByText('10,000 clips').waitFor();
    });
    const bars = page.getByRole('img', { name: /^10000 clips from/ });
    await bars.waitFor();
    expect(await bars.locator('.bar').count()).toBeGreaterThan(10);
    await measured('newest to oldest', async () => {
      await list.press('End');
      await row(MANY).waitFor();
      await list.getByRole('option', { selected: true }).and(row(MANY)).waitFor();
    });
    // What its JSON says is read when somebody looks at it.
    await row(MANY).getByText('person').waitFor();
    // Only what can be seen is on the page.
    expect(await list.getByRole('option').count()).toBeLessThan(50);
    await row(MANY).locator('img').evaluate((image: HTMLImageElement) => image.decode()); // prettier-ignore
    await measured('back to the newest', async () => {
      await list.press('Home');
      await list.getByRole('option', { selected: true }).and(row(1)).waitFor();
    });
    const slowest = await scrollThrough(list);
    told.push(`slowest picture of the screen while scrolling ${slowest.toFixed(0)} ms`);
    process.stdout.write(`${MANY} clips: ${told.join(', ')}\n`);
  }, 90_000);

  test('a click on the timeline finds an old clip that was not loaded yet', async () => {
    await player.open('clips?sensor=yard');
    await page.getByText('5,000 clips').waitFor();
    // The span that was chosen stays.
    expect(await page.getByRole('radio', { name: 'Year' }).isChecked()).toBe(true);
    const bars = page.locator('.timeline-bars');
    const first = (await bars.locator('.bar').nth(2).boundingBox())!;
    await measured('a click on the timeline', async () => {
      await page.mouse.click(first.x + first.width / 2, first.y + first.height - 2);
      await list.locator('[aria-selected="true"]').waitFor();
      await page.waitForFunction(() => {
        const chosen = document.querySelector('.clip-row[aria-selected="true"]');
        return Number(chosen?.getAttribute('aria-posinset')) > 3000;
      });
    });
    expect(player.faults).toEqual([]);
  }, 60_000);

  test('a link to an old clip finds it; one that is gone is said', async () => {
    const old = nameOf(newestMs - 5000 * EVERY_MS, 'street');
    await player.open(`clips?clip=${encodeURIComponent(old)}`);
    await list.locator(`[id="clip-${old}"][aria-selected="true"]`).waitFor();
    expect(await page.locator('video').getAttribute('src')).toMatch(/^\/media\//);
    await player.open(`clips?clip=${encodeURIComponent(nameOf(newestMs - 30_000, 'nobody'))}`);
    await page.getByText(/is not here: it was removed/).waitFor();
    await player.open('clips?sensor=nobody');
    await page.getByText('No clips of nobody in this span.').waitFor();
    await player.shoot('empty');
  }, 30_000);
});

function nameOf(ms: number, sensor: string): string {
  return `People-${new Date(ms).toISOString().slice(0, 19).replace('T', '-')}_${sensor}`;
}

/** Small, but real; all the same file, so that they are there within a second. */
function makeClips(ffmpeg: string, folder: string, newestMs: number): void {
  mkdirSync(folder);
  const [video, json] = [path.join(folder, '.one.mp4'), path.join(folder, '.one.json')];
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x90:d=1:r=10', '-y', `file:${video}`]);
  const inferences = Array.from({ length: 10 }, (_, frameId) => ({
    sourceInfo: { id: 'street', timestamp: new Date(frameId * 100).toISOString(), width: 160, height: 90, frameId },
    ...{
      type: 'detection',
      id: 'People',
      detections: [{ label: 'person', tracking_id: 1, rect: [0.1, 0.1, 0.2, 0.5] }],
    },
  }));
  writeFileSync(json, JSON.stringify({ schemaVersion: '0.1', events: [], regionsOfInterest: [], inferences }));
  for (let index = 0; index < MANY; index += 1) {
    const name = path.join(folder, nameOf(newestMs - index * EVERY_MS, index % 2 ? 'yard' : 'street'));
    linkSync(video, `${name}.mp4`);
    linkSync(json, `${name}.json`);
  }
}

/** Scrolls from top to bottom within 60 pictures of the screen. @returns milliseconds of the slowest of 95 % of them */
function scrollThrough(list: Locator): Promise<number> {
  return list.evaluate(
    (element) =>
      new Promise<number>((resolve) => {
        const times: number[] = [];
        let last = performance.now();
        const step = (): void => {
          const now = performance.now();
          times.push(now - last);
          last = now;
          element.scrollTop = (element.scrollHeight * times.length) / 60;
          if (times.length < 60) requestAnimationFrame(step);
          else resolve(times.toSorted((a, b) => a - b)[56]!);
        };
        requestAnimationFrame(step);
      }),
  );
}
