import { afterAll, beforeAll } from '@jest/globals';
import { clips } from './suite/clips.ts';
import { hevc } from './suite/hevc.ts';
import { live } from './suite/live.ts';
import { mosaic } from './suite/mosaic.ts';
import { pages } from './suite/pages.ts';
import { regions } from './suite/regions.ts';
import { describeWithBrowser } from './support/browser.ts';
import { RunningDemo } from './support/running-demo.ts';

/** What somebody does with the page, in one run of the demo: tests go on where the one before them stopped. */
describeWithBrowser('the Player in a browser', () => {
  let running: RunningDemo | undefined;
  const demo = (): RunningDemo => running!;

  beforeAll(async () => {
    running = await RunningDemo.start();
  }, 90_000);
  afterAll(() => running?.stop(), 60_000);

  live(demo);
  regions(demo);
  clips(demo);
  pages(demo);
  hevc(demo);
  mosaic(demo);
});
