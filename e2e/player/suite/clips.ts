import { expect, test } from '@jest/globals';
import type { ClipDocument } from '@vantage/contracts';
import type { ApiClips } from '../../../modules/player/src/api.ts';
import { drawings, expectSame } from '../support/drawings.ts';
import type { RunningDemo } from '../support/running-demo.ts';

/** What was recorded. */
export function clips(demo: () => RunningDemo): void {
  test('a clip appears and plays with the boxes of its JSON, frame by frame', async () => {
    const { player, up } = demo();
    const { page } = player;
    await up.line('a clip', ({ event }) => event === 'clip', { timeoutMs: 60_000 });
    await player.open('clips');
    const first = page
      .getByRole('listbox', { name: /^Clips/ })
      .getByRole('option')
      .first();
    await first.waitFor();
    const video = page.locator('video');
    await video.waitFor();
    const { clips } = await player.get<ApiClips>('/api/clips?limit=500');
    const label = (await video.getAttribute('src'))!;
    expect(clips.length).toBeGreaterThan(0);
    const name = (await first.getAttribute('id'))!.replace('clip-', '');
    const clip = clips.find((one) => one.name === name)!;
    const said = await player.get<ClipDocument>(clip.jsonUrl!);
    await video.evaluate((element: HTMLVideoElement) => {
      element.currentTime = 0;
      element.play().catch(() => undefined);
    });
    const seen = await drawings(page, 12);
    expect(label).toMatch(/^\/media\//);
    for (const drawn of seen) {
      const inference = said.inferences.find(
        (one) => one.type === 'detection' && one.sourceInfo.frameId === drawn.frameId,
      );
      expectSame(drawn, inference?.type === 'detection' ? inference.detections : []);
    }
    await first.getByText(/^street · /).waitFor();
    await first.locator('img').evaluate((image: HTMLImageElement) => image.decode());
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.clip-row')].every((row) => (row.querySelector('img')?.naturalWidth ?? 0) > 0),
    );
    await player.shoot('clips');
    await page.getByLabel('Detections').uncheck();
    await page.getByLabel('Autoplay').uncheck();
  }, 120_000);
}
