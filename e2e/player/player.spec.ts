import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ClipDocument } from '@vantage/contracts';
import { demo } from '@vantage/demo';
import type { Browser, Page } from 'playwright-core';
import type { ApiCamera, ApiClips, ApiTwin } from '../../modules/player/src/api.ts';
import type { Drawn } from '../../modules/player/web/src/live/draw.ts';
import { describeWithBrowser, openBrowser, screenshotPath } from './browser.ts';
import { ZipFile } from 'yazl';
import { RunningVantage } from '../support/vantage.ts';

interface Insights {
  readonly ptsUs: number;
  readonly frameId: number;
  readonly timeMs: number;
  readonly detections: readonly { readonly id: string; readonly rect: readonly [number, number, number, number] }[];
}

/** A picture's insights as they were drawn, and how large the picture was. */
type Seen = Drawn & { readonly width: number; readonly height: number; readonly lateMs: number };

/** The region that the demo comes with. */
const CROSSING = [
  [0.475, 0.5],
  [0.642, 0.5],
  [0.71, 0.65],
  [0.464, 0.65],
];

const PAGES = ['cameras', 'live', 'clips', 'regions', 'configuration', 'models', 'health', 'why'] as const;

/** What somebody does with the page, in one run of the demo: tests go on where the one before them stopped. */
describeWithBrowser('the Player in a browser', () => {
  let work: string;
  let up: RunningVantage;
  let url: string;
  let browser: Browser;
  let page: Page;
  const insights: Insights[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    work = mkdtempSync(path.join(os.tmpdir(), 'player-e2e-'));
    const env = { VANTAGE_HOME: path.join(work, 'home') };
    const state = path.join(work, 'state');
    up = new RunningVantage(['up', '--json', '--state', state], env);
    browser = await openBrowser();
    await up.line('a person', ({ event, objects }) => {
      return event === 'inference' && ((objects as Record<string, number>)['person'] ?? 0) > 0;
    });
    url = String((await up.line('the Player', ({ event }) => event === 'player'))['url']);
    page = await browser.newPage({ viewport: { width: 1360, height: 800 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') return;
        const message = JSON.parse(payload) as { type: string } & Insights;
        if (message.type === 'insights') insights.push(message);
      }),
    );
    page.setDefaultTimeout(30_000);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await up?.stop();
    rmSync(work, { recursive: true, force: true });
  }, 60_000);

  async function open(name: string): Promise<void> {
    await page.goto(`${url}/#/${name}`);
  }

  async function shoot(name: string): Promise<void> {
    const file = screenshotPath(name);
    if (file === undefined) return;
    await page.locator('.news-text').waitFor({ state: 'detached' });
    await page.screenshot({ path: file });
  }

  async function get<T>(at: string): Promise<T> {
    const response = await page.request.get(`${url}${at}`);
    expect(response.status()).toBe(200);
    return (await response.json()) as T;
  }

  /** As another person's browser would. */
  async function send(method: 'PUT' | 'POST', at: string, data: object): Promise<number> {
    const { csrf } = await get<{ csrf: string }>('/api/session');
    const headers = { 'x-vantage-csrf': csrf, origin: url };
    return (await page.request.fetch(`${url}${at}`, { method, data, headers })).status();
  }

  /** The next drawings that are exactly of the frame on the screen and hold a box. */
  async function drawings(count: number): Promise<Seen[]> {
    await page.locator('canvas.overlay').waitFor();
    return page.evaluate(
      (wanted) =>
        new Promise<Seen[]>((resolve, reject) => {
          const seen: Seen[] = [];
          const timer = setTimeout(() => reject(new Error(`only ${seen.length} drawings of the very frame`)), 25_000);
          const canvas = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
          canvas.addEventListener('drawn', (event) => {
            const drawn = (event as CustomEvent<Drawn>).detail;
            if (!drawn.exact || drawn.boxes.length === 0 || seen.length >= wanted) return;
            seen.push({ ...drawn, width: canvas.clientWidth, height: canvas.clientHeight, lateMs: Date.now() });
            if (seen.length < wanted) return;
            clearTimeout(timer);
            resolve(seen);
          });
        }),
      count,
    );
  }

  /** Pauses at a frame that has three boxes or more, and says how many. */
  async function freeze(): Promise<number> {
    await page.locator('canvas.overlay').waitFor();
    return page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const canvas = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
          canvas.addEventListener('drawn', function look(event) {
            const { exact, boxes } = (event as CustomEvent<Drawn>).detail;
            if (!exact || boxes.length < 3) return;
            canvas.removeEventListener('drawn', look);
            document.querySelector<HTMLButtonElement>('.controls button')!.click();
            resolve(boxes.length);
          });
        }),
    );
  }

  function expectSame(drawn: Seen, detections: Insights['detections']): void {
    const wanted = detections.map(({ id, rect: [left, top, width, height] }) => ({
      id,
      label: expect.any(String),
      left: expect.closeTo(left * drawn.width, 1),
      top: expect.closeTo(top * drawn.height, 1),
      width: expect.closeTo(width * drawn.width, 1),
      height: expect.closeTo(height * drawn.height, 1),
    }));
    expect(drawn.boxes).toEqual(wanted);
  }

  test('the camera is there, with its rates and a picture', async () => {
    await open('cameras');
    const tile = page.getByRole('article', { name: 'Camera street' });
    await tile.getByText('running').waitFor();
    const picture = tile.getByRole('img', { name: 'What street sees' });
    await picture.waitFor();
    expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(960);
  }, 60_000);

  test('the live picture moves, and each box is that of the frame on the screen', async () => {
    await open('live/StreetDetection/street');
    const seen = await drawings(25);
    for (const drawn of seen) {
      const message = insights.find(({ frameId }) => frameId === drawn.frameId);
      expect(Math.abs(message!.ptsUs - drawn.ptsUs)).toBeLessThan(1500);
      expectSame(drawn, message!.detections);
    }
    // Not one frame again and again: time goes on in the picture, and so do its points.
    expect(new Set(seen.map(({ ptsUs }) => ptsUs)).size).toBeGreaterThan(15);
    const look = (): Promise<string> =>
      page.evaluate(() => {
        const canvas = new OffscreenCanvas(96, 54);
        const context = canvas.getContext('2d')!;
        context.drawImage(document.querySelector('video')!, 0, 0, 96, 54);
        return context.getImageData(0, 0, 96, 54).data.join();
      });
    const before = await look();
    await drawings(8);
    expect(await look()).not.toBe(before);
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
    expect(await freeze()).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Go on live' }).waitFor();
    expect(await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);
    await page.getByRole('button', { name: 'Go on live' }).click();
    await drawings(1);
  }, 90_000);

  test('a region is drawn with the mouse, saved beside what somebody else saved, and the next insights carry it', async () => {
    await open('regions/StreetDetection/street');
    const board = page.getByRole('application');
    await board.waitFor();
    await page.getByRole('button', { name: 'Region', exact: true }).click();
    const box = (await board.boundingBox())!;
    const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
    for (const [x, y] of [[0.03, 0.45], [0.97, 0.45], [0.005, 0.995]] as const) await page.mouse.click(...at(x, y)); // prettier-ignore
    // Two corners the wrong way round: the fault is told where the shape stands, and nothing can be saved.
    await page.mouse.click(...at(0.97, 0.9));
    await page.keyboard.press('Enter');
    await page.getByText(/The edges .* cross/).waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await page.keyboard.press('Control+z');
    await page.getByText(/The edges .* cross/).waitFor({ state: 'detached' });
    // Dragged by its point: the left corner, to another place.
    await page.mouse.move(...at(0.03, 0.45));
    await page.mouse.down();
    await page.mouse.move(...at(0.03, 0.3), { steps: 5 });
    await page.mouse.up();
    const name = page.getByLabel('Name').last();
    await name.fill('yard');
    await name.press('Tab');
    await shoot('regions');

    const twin = await get<ApiTwin>('/api/twin/controllermodule');
    const [camera] = await get<ApiCamera[]>('/api/cameras');
    const theirs = camera!.regions.map((region) => ({ ...region, color: '#00c8ff' }));
    expect(await send('PUT', '/api/regions/street', { regions: theirs, etag: twin.etag })).toBe(200);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/Somebody else changed/).waitFor();
    await shoot('conflict');
    const after = up.lines.length;
    await page.getByRole('button', { name: 'Save both' }).click();
    await page.getByText(/^Saved: 2 regions/).waitFor();
    const both = (await get<ApiCamera[]>('/api/cameras'))[0]!.regions;
    expect(both).toMatchObject([
      { label: 'crossing', color: '#00c8ff' },
      { label: 'yard', coordinates: [[expect.closeTo(0.03, 1), expect.closeTo(0.3, 1)], [expect.closeTo(0.97, 1), expect.closeTo(0.45, 1)], [0, 1]] },
    ]); // prettier-ignore
    const event = await up.line(
      'the region in messages',
      (line) => line['event'] === 'region' && line['region'] === 'yard',
      { after },
    );
    expect(event).toMatchObject({ sensor: 'street' });
  }, 90_000);

  test('fifty polygons are dragged as fast as the screen', async () => {
    const polygons = Array.from({ length: 50 }, (_, index) => {
      const [x, y] = [(index % 10) / 10 + 0.01, Math.floor(index / 10) / 5 + 0.01];
      const corners = Array.from({ length: 8 }, (_, corner): [number, number] => {
        const angle = (corner / 8) * 2 * Math.PI;
        return [x + 0.04 + 0.035 * Math.cos(angle), y + 0.09 + 0.08 * Math.sin(angle)];
      });
      return { label: `p${index}`, color: '#ffc800', coordinates: corners };
    });
    const before = await get<ApiTwin>('/api/twin/controllermodule');
    expect(await send('PUT', '/api/regions/street', { regions: polygons, etag: before.etag })).toBe(200);
    await page.reload();
    const board = page.getByRole('application');
    await board.waitFor();
    await page.getByRole('radio', { name: 'Shapes' }).click();
    const times = await board.evaluate(
      (canvas: HTMLCanvasElement) =>
        new Promise<number[]>((resolve) => {
          const box = canvas.getBoundingClientRect();
          const spent: number[] = [];
          const tell = (type: string, x: number): void => {
            const place = { clientX: box.left + x * box.width, clientY: box.top + 0.1 * box.height };
            canvas.dispatchEvent(new PointerEvent(type, { ...place, pointerId: 1, button: 0, bubbles: true }));
          };
          canvas.setPointerCapture = () => undefined;
          tell('pointerdown', 0.05);
          let last = performance.now();
          const step = (): void => {
            const now = performance.now();
            spent.push(now - last);
            last = now;
            tell('pointermove', 0.05 + 0.4 * Math.abs(Math.sin(spent.length / 20)));
            if (spent.length < 120) return void requestAnimationFrame(step);
            tell('pointerup', 0.05);
            resolve(spent);
          };
          requestAnimationFrame(step);
        }),
    );
    const sorted = times.toSorted((a, b) => a - b);
    process.stdout.write(
      `editor with 50 polygons of 8 points, dragging: ${(1000 / sorted[60]!).toFixed(0)} frames/s in the middle, slowest of 95 % ${sorted[114]!.toFixed(1)} ms\n`,
    );
    expect(await page.getByRole('button', { name: 'Undo' }).isEnabled()).toBe(true);
    await page.getByRole('button', { name: 'Discard' }).click();
    const now = await get<ApiTwin>('/api/twin/controllermodule');
    const crossing = [{ label: 'crossing', color: '#ffc800', coordinates: CROSSING }];
    expect(await send('PUT', '/api/regions/street', { regions: crossing, etag: now.etag })).toBe(200);
  }, 60_000);

  test('a clip appears and plays with the boxes of its JSON, frame by frame', async () => {
    await up.line('a clip', ({ event }) => event === 'clip', { timeoutMs: 60_000 });
    await open('clips');
    const first = page
      .getByRole('listbox', { name: /^Clips/ })
      .getByRole('option')
      .first();
    await first.waitFor();
    const video = page.locator('video');
    await video.waitFor();
    const { clips } = await get<ApiClips>('/api/clips?limit=500');
    const label = (await video.getAttribute('src'))!;
    expect(clips.length).toBeGreaterThan(0);
    const name = (await first.getAttribute('id'))!.replace('clip-', '');
    const clip = clips.find((one) => one.name === name)!;
    const document = await get<ClipDocument>(clip.jsonUrl!);
    await video.evaluate((element: HTMLVideoElement) => {
      element.currentTime = 0;
      element.play().catch(() => undefined);
    });
    const seen = await drawings(12);
    expect(label).toMatch(/^\/media\//);
    for (const drawn of seen) {
      const inference = document.inferences.find(
        (one) => one.type === 'detection' && one.sourceInfo.frameId === drawn.frameId,
      );
      expectSame(drawn, inference?.type === 'detection' ? inference.detections : []);
    }
    await first.getByText(/^street · /).waitFor();
    await first.locator('img').evaluate((image: HTMLImageElement) => image.decode());
    await shoot('clips');
    await page.getByLabel('Detections').uncheck();
    await page.getByLabel('Autoplay').uncheck();
  }, 120_000);

  test('an edit is planned, applied and rolled back', async () => {
    await open('configuration');
    await page.getByRole('radio', { name: 'JSON' }).click();
    const area = page.getByLabel('Desired properties as JSON');
    const text = await area.inputValue();
    await area.fill(text.replace('{', '{,'));
    await page.getByRole('button', { name: 'line 1' }).waitFor();
    await area.fill(text.replace(/"coordinates": \[\s*\[\s*[\d.]+/, (start) => start.replace(/[\d.]+$/, '7.5')));
    await page
      .getByText(/lies outside the picture/)
      .first()
      .waitFor();
    await area.fill(text.replace('"label": "crossing"', '"label": "zebra"'));
    await page
      .getByText(/lies outside the picture/)
      .first()
      .waitFor({ state: 'detached' });
    await page.getByText('its regions apply from the next frame on').waitFor();
    await page.getByRole('radio', { name: 'Form' }).click();
    await shoot('configuration');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(/^Applied/).waitFor();
    const labels = async (): Promise<string[]> =>
      (await get<ApiCamera[]>('/api/cameras'))[0]!.regions.map((one) => one.label);
    expect(await labels()).toContain('zebra');
    await page.getByRole('button', { name: 'Roll back' }).first().click();
    await page.getByText('Rolled back.').waitFor();
    expect(await labels()).toContain('crossing');
  }, 90_000);

  test('models, health and the chain behind a moment', async () => {
    await open('models');
    await page.getByText("Drop a model's zip here").waitFor();
    const zip = path.join(work, 'street.zip');
    await zipFolder(demo.modelFolder, zip);
    await page.getByLabel('Zip of a model').setInputFiles(zip);
    await page.getByText('can be used', { exact: true }).waitFor({ timeout: 60_000 });
    await shoot('models');
    await page.getByRole('button', { name: 'Use this model' }).click();
    await page.getByText(/^StreetDetection changes to this model/).waitFor();
    await open('health');
    await page.getByRole('heading', { name: /ai-pipeline/ }).waitFor();
    await shoot('health');
    await open('why/StreetDetection/street');
    await page.getByRole('button', { name: 'Just now' }).click();
    await page.getByRole('heading', { name: 'In short' }).waitFor();
    await shoot('why');
  }, 120_000);

  test('on a phone nothing is wider than the screen, and everything that can be pressed has a name', async () => {
    await open('cameras');
    await page.getByRole('img', { name: 'What street sees' }).waitFor();
    await shoot('cameras');
    await open('live/StreetDetection/street');
    await freeze();
    await page.getByText('Waiting for a picture').waitFor({ state: 'detached' });
    await shoot('live');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const name of PAGES) {
      await open(name);
      await page.locator('h1').waitFor();
      const found = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        nameless: [...document.querySelectorAll('button, a, input, select, textarea')]
          .filter((one) => {
            const labels = one instanceof HTMLInputElement || one instanceof HTMLSelectElement ? one.labels?.length : 0;
            return !labels && !one.ariaLabel && (one.textContent ?? '').trim() === '';
          })
          .map((one) => one.outerHTML.slice(0, 120)),
      }));
      expect({ name, ...found }).toEqual({ name, wide: 0, nameless: [] });
    }
    await open('live/StreetDetection/street');
    await drawings(2);
    await shoot('phone');
    expect(faults).toEqual([]);
  }, 90_000);
});

async function zipFolder(folder: string, zip: string): Promise<void> {
  const file = new ZipFile();
  for (const name of readdirSync(folder)) file.addFile(path.join(folder, name), `street/${name}`);
  file.end();
  await once(file.outputStream.pipe(createWriteStream(zip)), 'close');
}
