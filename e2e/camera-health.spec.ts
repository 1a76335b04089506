import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demo } from '@vantage/demo';
import { resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import { VIEW_DEFAULTS, ViewWatch, type Thumbnail, type ViewSettings, type ViewState } from '@vantage/vision';
import { ASSETS, describeWithAssets } from './support/assets.ts';
import { BAD_VIEWS, LOOKS_PER_SECOND, badViews, frozenVideo, type BadView } from './support/bad-views.ts';

const KNOWN = 12 * LOOKS_PER_SECOND;
const STEP_US = 1e6 / LOOKS_PER_SECOND;
const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-views-'));
let ffmpeg: Ffmpeg;

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is told, and after how many seconds. */
function told(views: readonly Thumbnail[], settings: Partial<ViewSettings> = {}): [ViewState, number][] {
  const watch = new ViewWatch({ ...VIEW_DEFAULTS, ...settings });
  return views.flatMap((view, at) => {
    const change = watch.look(view, at * STEP_US);
    return change ? [[change.state, at / LOOKS_PER_SECOND] as [ViewState, number]] : [];
  });
}

const GOOD = ['plain', 'dim', 'bright', 'noisy', 'shaken'] as const;
const BAD = { black: 'black', covered: 'covered', hand: 'covered', blurred: 'blurred' } as const;
const MOVED = ['moved', 'zoomed'] as const;

/** Videos, and which ways of being moved show in them: on bare asphalt, none. */
const SCENES: readonly [string, readonly BadView[]][] = [
  ['car-detection', []],
  ['o4n-people', MOVED],
  ['o4n-traffic', MOVED],
];

describeWithAssets('the view of real cameras', () => {
  test.each(SCENES)(
    '%s: what is wrong is told, what is not is not',
    async (name, moved) => {
      const names = (Object.keys(BAD_VIEWS) as BadView[]).filter(
        (view) => moved.length > 0 || !MOVED.includes(view as never),
      );
      const views = await badViews(ffmpeg.path, path.join(ASSETS, `videos/${name}.mp4`), names, 18);
      const known = views.plain.slice(0, KNOWN);
      for (const good of GOOD) expect([good, told([...known, ...views[good]])]).toEqual([good, []]);
      for (const [bad, state] of Object.entries(BAD)) {
        const all = told([...known, ...views[bad as BadView].slice(0, 30), ...views.plain.slice(0, 12)]);
        expect([bad, all.map(([what]) => what)]).toEqual([bad, [state, 'ok']]);
        const after = (all[0]?.[1] ?? 0) - KNOWN / LOOKS_PER_SECOND;
        expect(after).toBeGreaterThanOrEqual(VIEW_DEFAULTS[`${state}Seconds`]);
        expect(after).toBeLessThan(VIEW_DEFAULTS[`${state}Seconds`] + 2);
      }
      for (const bad of moved) {
        const all = told([...known, ...views[bad], ...views.plain.slice(0, 12)]);
        expect([bad, all.map(([what]) => what)]).toEqual([bad, ['moved', 'ok']]);
      }
      if (moved.length > 0) expect(told([...known, ...views.zoomed], { movedSeconds: 0 })).toEqual([]);
    },
    120_000,
  );
});

describe('a camera that freezes', () => {
  test('is told after 20 s of the same picture, though its codec repaints it; with noise it is no still', async () => {
    const file = path.join(folder, 'frozen.mp4');
    await frozenVideo(ffmpeg.path, demo.video, file);
    const { plain, noisy } = await badViews(ffmpeg.path, file, ['plain', 'noisy'], 40);
    expect(told(plain)).toEqual([['frozen', expect.closeTo(24.5, 0)]]);
    expect(told(noisy)).toEqual([]);
  }, 120_000);
});

describe('the watch', () => {
  const grey = (value: number): Thumbnail => ({
    ...{ columns: 4, rows: 2, edges: 0, steepness: Number.NaN },
    grey: new Float32Array(8).fill(value),
    texture: new Float32Array(8),
  });

  test('a picture of another shape, or after a long gap, begins anew', () => {
    const watch = new ViewWatch({ ...VIEW_DEFAULTS, coveredSeconds: 0, frozenSeconds: 0 });
    for (let at = 0; at < 8; at += 1) watch.look(grey(5), at * STEP_US);
    expect(watch.state).toBe('black');
    watch.look({ ...grey(100), columns: 2, rows: 4 }, 8 * STEP_US);
    for (let at = 9; at < 16; at += 1) watch.look({ ...grey(100), columns: 2, rows: 4 }, at * STEP_US);
    expect(watch.state).toBe('ok');
    for (let at = 0; at < 5; at += 1) watch.look(grey(5), 100e6 + at * STEP_US);
    expect(watch.state).toBe('ok');
  });

  test('what trembles about a limit is told once', () => {
    const light = Array.from({ length: 60 }, (_, at) => grey(at < 8 ? 5 : at % 2 === 0 ? 13 : 15));
    expect(told(light, { coveredSeconds: 0, frozenSeconds: 0 }).map(([state]) => state)).toEqual(['black']);
  });
});
