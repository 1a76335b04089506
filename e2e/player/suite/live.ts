import { expect, test } from '@jest/globals';
import type { Drawn } from '../../../modules/player/web/src/live/draw.ts';
import { drawings, expectSame, freeze, look } from '../support/drawings.ts';
import type { RunningDemo } from '../support/running-demo.ts';

/** A camera as it is now. */
export function live(demo: () => RunningDemo): void {
  test('the camera is there, with its rates and a picture', async () => {
    const { player } = demo();
    const { page } = player;
    await player.open('cameras');
    const tile = page.getByRole('article', { name: 'Camera street' });
    await tile.getByText('running').waitFor();
    const picture = tile.getByRole('img', { name: 'What street sees' });
    await picture.waitFor();
    expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(960);
  }, 60_000);

  test('the live picture moves, and each box is that of the frame on the screen', async () => {
    const { player, insights } = demo();
    const { page } = player;
    await player.open('live/StreetDetection/street');
    const seen = await drawings(page, 25);
    for (const drawn of seen) {
      const message = insights.find(({ frameId }) => frameId === drawn.frameId);
      expect(Math.abs(message!.ptsUs - drawn.ptsUs)).toBeLessThan(1500);
      expectSame(drawn, message!.detections);
    }
    // Not one frame again and again: time goes on in the picture, and so do its points.
    expect(new Set(seen.map(({ ptsUs }) => ptsUs)).size).toBeGreaterThan(15);
    const before = await look(page, 'video');
    await drawings(page, 8);
    expect(await look(page, 'video')).not.toBe(before);
    const late = seen.map(({ frameId, lateMs }) => lateMs - insights.find((one) => one.frameId === frameId)!.timeMs);
    const middle = late.toSorted((a, b) => a - b)[12]!;
    process.stdout.write(
      `live: a frame is on the page, with its boxes, ${Math.round(middle)} ms after the camera's time\n`,
    );
    // The colour of a box is really on the canvas, at the box.
    const painted = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const canvas = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
          canvas.addEventListener('drawn', (event) => {
            const { exact, boxes } = (event as CustomEvent<Drawn>).detail;
            const box = boxes.find(({ width, left }) => width > 20 && left > 5);
            if (!exact || !box) return;
            const scale = canvas.width / canvas.clientWidth;
            const [x, y] = [Math.round(box.left * scale), Math.round((box.top + box.height / 2) * scale)];
            const { data } = canvas.getContext('2d')!.getImageData(x - 2, y - 2, 5, 5);
            resolve(Math.max(...data.filter((_, index) => index % 4 === 3)));
          });
        }),
    );
    expect(painted).toBeGreaterThan(100);
    // A paused picture keeps the boxes of its frame.
    expect(await freeze(page)).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Go on live' }).waitFor();
    expect(await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);
    await page.getByRole('button', { name: 'Go on live' }).click();
    await drawings(page, 1);
  }, 90_000);
}
