import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Drawn } from '../../../modules/player/web/src/live/draw.ts';

/** Insights as they come to the page. */
export interface Insights {
  readonly ptsUs: number;
  readonly frameId: number;
  readonly timeMs: number;
  readonly detections: readonly { readonly id: string; readonly rect: readonly [number, number, number, number] }[];
}

/** A picture's insights as they were drawn, and how large the picture was. */
export type Seen = Drawn & { readonly width: number; readonly height: number; readonly lateMs: number };

/** The next drawings that hold a box; `exact`: of the very frame on the screen. */
export async function drawings(page: Page, count: number, exact = true): Promise<Seen[]> {
  await page.locator('canvas.overlay').waitFor();
  return page.evaluate(
    ({ count: wanted, exact: mustBe }) =>
      new Promise<Seen[]>((resolve, reject) => {
        const seen: Seen[] = [];
        const timer = setTimeout(() => reject(new Error(`only ${seen.length} drawings with boxes`)), 25_000);
        const canvas = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
        canvas.addEventListener('drawn', (event) => {
          const drawn = (event as CustomEvent<Drawn>).detail;
          if (drawn.exact !== mustBe || drawn.boxes.length === 0 || seen.length >= wanted) return;
          seen.push({ ...drawn, width: canvas.clientWidth, height: canvas.clientHeight, lateMs: Date.now() });
          if (seen.length < wanted) return;
          clearTimeout(timer);
          resolve(seen);
        });
      }),
    { count, exact },
  );
}

/** Pauses at a frame that has three boxes or more, and says how many. */
export async function freeze(page: Page): Promise<number> {
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

/** A coarse look at what an element shows now. */
export function look(page: Page, selector: string): Promise<string> {
  return page.evaluate((at) => {
    const canvas = new OffscreenCanvas(96, 54);
    const context = canvas.getContext('2d')!;
    context.drawImage(document.querySelector<HTMLVideoElement | HTMLImageElement>(at)!, 0, 0, 96, 54);
    return context.getImageData(0, 0, 96, 54).data.join();
  }, selector);
}

export function expectSame(drawn: Seen, detections: Insights['detections']): void {
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
