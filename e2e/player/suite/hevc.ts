import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { demo as street } from '@vantage/demo';
import { resolveFfmpeg } from '@vantage/media';
import type { ApiTwin } from '../../../modules/player/src/api.ts';
import { drawings, expectSame, look } from '../support/drawings.ts';
import type { RunningDemo } from '../support/running-demo.ts';

interface Desired {
  readonly azdaConfiguration: {
    readonly components: { readonly sensors: object[]; readonly deepStream: { readonly streams: object[] } };
  };
}

/** A camera that the browser cannot play: Debian's Chromium has no decoder for H.265. */
export function hevc(demo: () => RunningDemo): void {
  test('a camera that sends H.265 is shown as moving stills, with its boxes, by itself', async () => {
    const { player, insights, sockets } = demo();
    const { page } = player;
    await addCamera(demo(), 'gate', await encode(path.join(demo().work, 'gate.mp4')));
    await page.setViewportSize({ width: 1360, height: 800 });
    await player.open('cameras');
    const tile = page.getByRole('article', { name: 'Camera gate' });
    await tile.getByText('running').waitFor();
    expect(await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L63.90"'))).toBe(false);

    const before = sockets.length;
    await player.open('live/StreetDetection/gate');
    const picture = page.getByRole('img', { name: /^Live picture of gate, one still/ });
    await picture.waitFor();
    const looks = [await look(page, '.picture img')];
    const seen = await drawings(page, 12, false);
    looks.push(await look(page, '.picture img'));
    await drawings(page, 12, false);
    looks.push(await look(page, '.picture img'));
    expect(new Set(looks).size).toBe(3);
    for (const drawn of seen) {
      const message = insights.find(({ frameId, ptsUs }) => frameId === drawn.frameId && ptsUs === drawn.ptsUs);
      expectSame(drawn, message!.detections);
    }
    expect(await page.locator('.picture-word').count()).toBe(0);
    // The pictures that cannot be played are not sent, too.
    const [, second] = sockets.slice(before);
    expect(second).toMatchObject({ url: expect.stringContaining('?video=0'), binaries: 0 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on live' }).click();
    await drawings(page, 2, false);
    expect(player.faults).toEqual([]);
  }, 90_000);
}

/** Some seconds of the demo's street in H.265. */
async function encode(file: string): Promise<string> {
  const { path: ffmpeg } = await resolveFfmpeg();
  const codec = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=10:pools=1'];
  const filter = ['-t', '5', '-vf', 'fps=10,scale=480:-2', ...codec, '-tag:v', 'hvc1'];
  execFileSync(ffmpeg, ['-v', 'error', '-i', street.video, ...filter, '-y', file]);
  return file;
}

async function addCamera({ player }: RunningDemo, name: string, file: string): Promise<void> {
  const { desired, etag } = await player.get<ApiTwin>('/api/twin/controllermodule');
  const wanted = structuredClone(desired) as unknown as Desired;
  const { sensors, deepStream } = wanted.azdaConfiguration.components;
  sensors.push({
    name,
    kind: { type: 'vision', subtype: 'FILE' },
    endpoint: pathToFileURL(file).href,
    playback: { loop: true },
  });
  deepStream.streams.push({ name, configId: 'StreetDetection' });
  expect(await player.send('POST', '/api/twin/controllermodule', { desired: wanted, etag })).toBe(200);
}
