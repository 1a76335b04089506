import { expect, test } from '@jest/globals';
import type { ApiTwin } from '../../../modules/player/src/api.ts';
import type { RunningDemo } from '../support/running-demo.ts';

interface Desired {
  readonly azdaConfiguration: { readonly components: { readonly deepStream: { streams: object[] } } };
}

/** All cameras of a pipeline; the one before it has added a second camera. */
export function mosaic(demo: () => RunningDemo): void {
  test('the cameras of a pipeline stand side by side, and each leads to its own picture', async () => {
    const { player } = demo();
    const { page } = player;
    await page.setViewportSize({ width: 1360, height: 800 });
    await player.open('cameras');
    const wall = page.getByRole('article', { name: 'All cameras of StreetDetection' });
    await wall.getByText('2 cameras side by side, all running').waitFor();
    await wall.getByRole('link').click();
    await page.getByRole('img', { name: 'Live pictures of StreetDetection' }).waitFor();
    await page.locator('.picture-word').waitFor({ state: 'detached' });
    const tiles = page.getByRole('list', { name: 'Cameras of StreetDetection' }).getByRole('link');
    expect(await tiles.allInnerTexts()).toEqual(['street', 'gate']);
    // The pictures stand where the links are, and both move.
    const halves = async (): Promise<readonly [string, string]> => {
      const [left = '', right = ''] = await page.evaluate(() => {
        const context = document.querySelector<HTMLCanvasElement>('.mosaic canvas')!.getContext('2d')!;
        const half = (at: number): string =>
          context
            .getImageData(640 * at, 200, 640, 320)
            .data.slice(0, 4e5)
            .join();
        return [half(0), half(1)];
      });
      return [left, right];
    };
    const before = await halves();
    for (let now = before; now.some((half, at) => half === before[at]); now = await halves());
    const [street, gate, whole] = await Promise.all([
      tiles.nth(0).boundingBox(),
      tiles.nth(1).boundingBox(),
      page.locator('.mosaic canvas').boundingBox(),
    ]);
    expect(street!.x).toBeCloseTo(whole!.x, -1);
    expect(gate!.x).toBeCloseTo(whole!.x + whole!.width / 2, -1);
    await page.mouse.move(0, 0);
    await player.shoot('wall');
    // With the keyboard.
    await page.getByRole('combobox').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('gate');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: /^Live picture of gate/ }).waitFor();
    await page.getByRole('combobox').selectOption({ label: 'All of StreetDetection' });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on live' }).click();
    await page.locator('.picture-word').waitFor({ state: 'detached' });
  }, 90_000);

  test('an edit that only changes their order moves them; on a phone they fit', async () => {
    const { player } = demo();
    const { page } = player;
    const { desired, etag } = await player.get<ApiTwin>('/api/twin/controllermodule');
    const wanted = structuredClone(desired) as unknown as Desired;
    wanted.azdaConfiguration.components.deepStream.streams.reverse();
    expect(await player.send('POST', '/api/twin/controllermodule', { desired: wanted, etag })).toBe(200);
    await page.waitForFunction(() => {
      const names = [...document.querySelectorAll<HTMLElement>('.mosaic li')].toSorted(
        (a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x,
      );
      return names.map(({ innerText }) => innerText).join() === 'gate,street';
    });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await player.layout()).toEqual({ wide: 0, nameless: [] });
    expect(player.faults).toEqual([]);
  }, 90_000);
}
