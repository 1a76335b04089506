import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { FrameInsights, SkillGraph } from '@vantage/skill';
import { LiveBench, type BenchCamera } from './support/live-bench.ts';
import { MosaicPlayer, Shown, type Rgb } from './support/mosaic-player.ts';

const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** A tile without a picture. */
const DARK: Rgb = [28, 30, 34];

/** Decoders, an encoder and players start on a machine that may be busy. */
const TEST_MS = 120_000;

const bench = new LiveBench();
const players: MosaicPlayer[] = [];
let red: string;
let blue: string;
let white: string;
let far: BenchCamera;
/** The pipelines that stay. */
let others: SkillGraph[];

beforeAll(async () => {
  await bench.open();
  red = colour('red', '320x180', 25, 'libx264');
  // Of another shape, another rate, another codec.
  blue = colour('blue', '240x180', 10, 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=10');
  white = colour('white', '180x320', 15, 'libx264');
  colour('green', '320x180', 25, 'libx264');
  colour('purple', '240x180', 25, 'libx264');
  far = await bench.camera('green.mkv');
  others = [bench.graph('Hall', { blue, white }, { overlay: true }), bench.graph('Yard', { red, far: far.url })];
  await bench.engine.apply([...others, bench.graph('Street', { red, blue })]);
  const running = (): number => bench.live.hub.list().filter(({ status }) => status?.state === 'running').length;
  while (running() < 6) await once(bench.engine, 'status');
}, TEST_MS);

afterEach(() => Promise.all(players.splice(0).map((player) => player.close())));
afterAll(async () => {
  await bench.close();
  await far.server.stop();
});

/** A clip of one colour. */
function colour(name: string, size: string, fps: number, ...codec: string[]): string {
  const file = path.join(bench.folder, `${name}.mkv`);
  const input = ['-v', 'error', '-f', 'lavfi', '-i', `color=${name}:size=${size}:rate=${fps}`];
  execFileSync(bench.ffmpeg.path, [...input, '-frames:v', `${2 * fps}`, '-g', `${fps}`, '-c:v', ...codec, '-y', file]);
  return pathToFileURL(file).href;
}

function play(where: string): MosaicPlayer {
  const player = new MosaicPlayer(bench.ffmpeg, bench.rtsp(where));
  players.push(player);
  return player;
}

const idle = async (): Promise<void> => {
  while (bench.live.rtsp!.activity.painted > 0) await once(bench.engine, 'insights');
};

test(
  'two cameras stand side by side, each in its own shape, at the rate of the fastest, made once',
  async () => {
    const list = (await (await fetch(bench.http('/live'))).json()) as Record<string, unknown>[];
    const street = list.filter(({ pipeline }) => pipeline === 'Street');
    expect(street.map(({ tile }) => tile)).toEqual([
      [0, 0, 0.5, 1],
      [0.5, 0, 0.5, 1],
    ]);
    expect(street.map(({ rtsp, mosaic }) => [rtsp, mosaic])).toEqual(
      ['red', 'blue'].map((sensor) => [bench.rtsp(`Street/${sensor}`), bench.rtsp('Street')]),
    );
    const both = [play('street'), play('STREET')];
    const [picture] = await Promise.all(both.map((player) => player.until(() => player.pictures > 30)));
    expect(bench.live.rtsp!.activity.painted).toBe(1);
    // 16:9 and 4:3 in 640 by 720.
    expect([100, 300, 600].map((y) => picture!.is(320, y, y === 300 ? RED : BLACK))).toEqual([true, true, true]);
    expect([185, 535].map((y) => picture!.is(10, y, RED))).toEqual([true, true]);
    expect([110, 125, 595, 610].map((y) => picture!.is(1270, y, y > 120 && y < 600 ? BLUE : BLACK))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(picture!.is(650, 360, BLUE)).toBe(true);
    // A busy machine may leave pictures out; those that come keep to the beat.
    const steps = both[0]!.times.slice(1).map((time, at) => (time - both[0]!.times[at]!) * 25);
    expect(steps.filter((step) => Math.abs(step - Math.round(step)) > 0.01 || step < 0.99)).toEqual([]);
    expect(steps.filter((step) => step < 1.01).length).toBeGreaterThan(10);
    await Promise.all(both.map((player) => player.close()));
    await idle();
  },
  TEST_MS,
);

test(
  'cameras come and go by an edit, and the stream goes on',
  async () => {
    const player = play('Street');
    await player.until((picture) => picture.is(320, 360, RED) && picture.is(960, 360, BLUE));
    await bench.engine.apply([...others, bench.graph('Street', { blue, red })]);
    await player.until((picture) => picture.is(320, 360, BLUE) && picture.is(960, 360, RED));
    // Tiles of the same size go on with their decoders.
    await bench.engine.apply([...others, bench.graph('Street', { red, white })]);
    await player.until((picture) => picture.is(320, 360, RED) && picture.is(960, 360, WHITE));
    await bench.engine.apply([...others, bench.graph('Street', { red, white, blue })]);
    const three = await player.until((picture) => picture.is(640, 360, WHITE));
    expect([213, 1066].map((x) => three.at(x, 360)).map(([r, , b]) => r > b)).toEqual([true, false]);
    // 180 by 320 in 426 by 720: 405 wide.
    expect([430, 450].map((x) => three.is(x, 360, WHITE))).toEqual([false, true]);
    await bench.engine.apply([...others, bench.graph('Street', { blue })]);
    await player.until(
      (picture) => picture.is(640, 10, BLUE) && picture.is(640, 710, BLUE) && picture.is(100, 360, BLACK),
    );
    await bench.engine.apply([...others, bench.graph('Street', { blue, red }, { overlay: true })]);
    await player.until((picture) => picture.is(320, 200, BLUE) && picture.is(960, 200, RED));
    await bench.engine.apply(others);
    await player.ended;
    expect(bench.live.rtsp!.activity.painted).toBe(0);
  },
  TEST_MS,
);

test(
  'with osd each tile has its own boxes and regions',
  async () => {
    const camera = bench.live.hub.camera(bench.live.hub.find('Hall', 'white')!);
    const look = (pipeline: string, frame: FrameInsights): void => {
      if (pipeline !== 'Hall' || frame.sensor !== 'white') return;
      const box = { left: 36, top: 32, width: 72, height: 96 };
      const found = { classId: 0, confidence: 1, label: 'a', box, trackingId: 0, componentId: 1, attributes: [] };
      camera.insights({ ...frame, detections: [found] });
    };
    bench.engine.on('insights', look);
    const player = play('hall');
    // The white one is 404 by 720 in its tile: from 758 on.
    const isBox = (x: number, y: number): boolean => {
      const [r, g, b] = player.newest!.at(x, y);
      return g > r + 60 && g > b + 60;
    };
    const edge = [838, 839, 840, 841];
    await player.until(() => edge.some((x) => isBox(x, 200)));
    // Its other side, what is in it, and the same place in the other tile.
    expect([998, 999, 1000, 1001].some((x) => isBox(x, 200))).toBe(true);
    expect(player.newest!.is(920, 250, WHITE)).toBe(true);
    expect([198, 199, 200, 201].some((x) => isBox(x, 200))).toBe(false);
    // The door: left edge at 0.3 of each camera, in the middle of its height.
    const isRed = (x: number, y: number): boolean => {
      const [r, g, b] = player.newest!.at(x, y);
      return r > g + 60 && r > b + 60;
    };
    expect([190, 191, 192, 193].some((x) => isRed(x, 460))).toBe(true);
    expect([878, 879, 880, 881].some((x) => isRed(x, 520))).toBe(true);
    bench.engine.off('insights', look);
    await player.close();
    await idle();
  },
  TEST_MS,
);

test(
  'a camera that changes its shape, goes away and comes back has its tile, which is dark meanwhile; nobody waits for it',
  async () => {
    const player = play('Yard');
    const GREEN: Rgb = [0, 128, 0];
    await player.until((picture) => picture.is(960, 300, GREEN));
    const PURPLE: Rgb = [128, 0, 128];
    expect(player.newest!.is(960, 150, BLACK)).toBe(true);
    await far.turnTo('purple.mkv');
    await player.until((picture) => picture.is(960, 150, PURPLE));
    far.leave();
    const dark = await player.until((picture) => picture.is(960, 300, DARK));
    expect(dark.is(320, 300, RED)).toBe(true);
    const label = Array.from({ length: 80 }, (_, x) => dark.at(920 + x, 352)[1]);
    expect(Math.max(...label)).toBeGreaterThan(150);
    const seen = player.pictures;
    await player.until(() => player.pictures > seen + 20);
    far.comeBack();
    await player.until((picture) => picture.is(960, 300, PURPLE));
  },
  TEST_MS,
);

test(
  'the same picture is a JPEG, and many of them',
  async () => {
    let answer = await fetch(bench.http('/live/yard.jpg'));
    while (answer.status === 503) answer = await fetch(bench.http('/live/yard.jpg'));
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    const input = Buffer.from(await answer.arrayBuffer());
    const output = ['-vf', 'scale=out_range=limited', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];
    const raw = execFileSync(bench.ffmpeg.path, ['-v', 'error', '-i', 'pipe:0', ...output], {
      input,
      maxBuffer: 1 << 24,
    });
    expect(raw.length).toBe(1.5 * 1280 * 720);
    const picture = new Shown(raw);
    expect([picture.is(320, 300, RED), picture.is(320, 100, BLACK)]).toEqual([true, true]);
    const abort = new AbortController();
    const many = await fetch(bench.http('/live/Yard.mjpeg'), { signal: abort.signal });
    const reader = many.body!.getReader();
    let text = '';
    while (text.split('--picture').length < 6) {
      const { value = new Uint8Array(0) } = await reader.read();
      text += Buffer.from(value).toString('latin1');
    }
    expect([bench.live.api.activity.pictures, bench.live.rtsp!.activity.painted]).toEqual([1, 1]);
    abort.abort();
    await idle();
    expect((await fetch(bench.http('/live/nobody.jpg'))).status).toBe(404);
  },
  TEST_MS,
);
