import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import type { JsonObject } from '@vantage/contracts';
import { timeFromMs, toSharp, type NodeBox, type NodeFrame, type NodePicture } from '@vantage/custom-node';
import type { BuiltinName } from '../src/builtin/names.ts';
import { createBuiltin } from '../src/builtin/registry.ts';
import { ASSETS, describeWithAssets, pictureOf, truthOf } from './pictures.ts';
import { createBench, frameOf, insightsOf } from './support.ts';

jest.setTimeout(120_000);

const bench = createBench();
const IDS = { instance: '', skill: '', device: 'cam' };

const run = async (
  name: BuiltinName,
  settings: Record<string, string | number | readonly string[]>,
  frame: NodeFrame,
) => (await createBuiltin(name, settings, '/')).process(frame, { ids: IDS, signal: new AbortController().signal });

const frameWith = (picture: NodePicture, boxes: readonly NodeBox[] = [], label = 'face'): NodeFrame => ({
  ...frameOf(),
  ...picture,
  // The node's own: it may write into them.
  pixels: Buffer.from(picture.pixels),
  insights: insightsOf(boxes.map((bbox) => ({ label, confidence: 0.9, bbox }))),
});

describe('settings', () => {
  test.each<[BuiltinName, JsonObject, RegExp]>([
    ['flip', { axis: 'diagonal' }, /settings\.axis/],
    ['blur', { lables: ['face'] }, /did you mean labels/],
    ['fake-detection', { confidence: 2 }, /settings\.confidence/],
    ['line-counter', {}, /settings\.line/],
    ['dwell', { seconds: -1 }, /settings\.seconds/],
    ['onnx', {}, /settings\.config/],
  ])('of %s that make no sense are named', async (name, settings, message) => {
    await expect(createBuiltin(name, settings, '/')).rejects.toThrow(message);
  });
});

describeWithAssets('on a real picture', () => {
  test('flip turns it over as sharp does', async () => {
    const picture = await pictureOf('o4n-people.jpeg', 640, 360);
    const expected = {
      horizontal: await toSharp(picture).flop().raw().toBuffer(),
      vertical: await toSharp(picture).flip().raw().toBuffer(),
      both: await toSharp(picture).flip().flop().raw().toBuffer(),
    };
    for (const [axis, rgb] of Object.entries(expected)) {
      const answer = await run('flip', { axis }, frameWith(picture));
      const turned = await toSharp(answer!.image!).raw().toBuffer();
      expect(Buffer.compare(turned, rgb)).toBe(0);
    }
  });

  test('blur leaves nothing of the boxes of its labels, and every other pixel as it is', async () => {
    const picture = await pictureOf('o4n-people.jpeg', 640, 360);
    const box = { l: 0.25, t: 0.25, w: 0.25, h: 0.5 };
    const answer = await run('blur', { labels: ['face'], margin: 0 }, frameWith(picture, [box]));
    const { pixels } = answer!.image!;
    let changedOutside = 0;
    let changedInside = 0;
    for (let y = 0; y < 360; y += 1) {
      for (let x = 0; x < 640; x += 1) {
        const at = (y * 640 + x) * 3;
        const isInside = x >= 160 && x < 320 && y >= 90 && y < 270;
        const isChanged = pixels.compare(picture.pixels, at, at + 3, at, at + 3) !== 0;
        if (isInside && isChanged) changedInside += 1;
        if (!isInside && isChanged) changedOutside += 1;
      }
    }
    expect(changedOutside).toBe(0);
    expect(changedInside).toBeGreaterThan(0.95 * 160 * 180);
  });

  test('blur leaves what has another label, a box of nothing, and boxes outside of the picture', async () => {
    const picture = await pictureOf('o4n-people.jpeg', 640, 360);
    const settings = { labels: ['face'] };
    const boxes = [
      { l: 2, t: 2, w: 0.5, h: 0.5 },
      { l: 0.5, t: 0.5, w: 0, h: 0 },
      { l: -1, t: -1, w: 0.5, h: 0.5 },
    ];
    for (const frame of [
      frameWith(picture, [{ l: 0, t: 0, w: 1, h: 1 }], 'car'),
      frameWith(picture, boxes),
      frameWith(picture),
    ]) {
      const answer = await run('blur', settings, frame);
      expect(Buffer.compare(answer!.image!.pixels, picture.pixels)).toBe(0);
    }
    const whole = await run('blur', {}, frameWith(picture));
    expect(Buffer.compare(whole!.image!.pixels, picture.pixels)).not.toBe(0);
  });

  test('onnx finds the faces of the truth; in the blurred picture it finds none', async () => {
    const truth = truthOf('shared__yunet_n_320_320__linzaer-2.json');
    const config = Object.entries({
      ...truth.nvinferEquivalent,
      'onnx-file': path.join(ASSETS, 'models', 'yunet_n_320_320.onnx'),
      'num-detected-classes': 1,
      'labelfile-path': 'labels.txt',
    });
    const folder = bench.folder({
      'labels.txt': 'face\n',
      'config.txt': `[property]\n${config.map(([key, value]) => `${key}=${value}`).join('\n')}\n[class-attrs-all]\npre-cluster-threshold=0.5\nnms-iou-threshold=0.45\n`,
    });
    const node = bench.node({
      source: { kind: 'builtin', builtin: 'onnx' },
      settings: { config: path.join(folder, 'config.txt') },
      deadlineMs: 20_000,
    });
    const { port } = await node.running();
    const client = await bench.client(port, { deadlineMs: 20_000 });
    const picture = await pictureOf(truth.image, truth.imageWidth, truth.imageHeight);
    const result = await client.process({ ...frameOf(), ...picture });
    const objects = result.ok ? (result.insights?.objects ?? []) : [];
    expect(objects.map(({ label }) => label)).toEqual(truth.detections.map(() => 'face'));
    const boxes = objects.map(({ bbox }) => bbox!);
    for (const { box } of truth.detections) {
      const [left = 0, top = 0] = box;
      const near = boxes.some(({ l, t }) => Math.hypot(l * truth.imageWidth - left, t * truth.imageHeight - top) < 6);
      expect(near).toBe(true);
    }
    const blurred = await run('blur', {}, frameWith(picture));
    expect(await client.process({ ...frameOf(), ...blurred!.image! })).toMatchObject({
      ok: true,
      insights: { objects: [] },
    });
  });
});

test('fake-detection answers what the public sample does', async () => {
  const answer = await run('fake-detection', {}, { ...frameOf(), pixels: Buffer.alloc(12) });
  expect(answer?.insights?.objects).toEqual([
    {
      label: 'car',
      confidence: 0.9,
      inferenceId: 'inference_1',
      bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 },
      timestamp: { seconds: 10n, nanos: 100 },
    },
  ]);
});

describe('rules', () => {
  /** An object that moves from left to right through the middle, 20 frames in 2 s. */
  const walk = async (name: BuiltinName, settings: JsonObject) => {
    const node = await createBuiltin(name, settings, '/');
    const answers = [];
    for (let step = 0; step < 20; step += 1) {
      const bbox = { l: step * 0.045, t: 0.4, w: 0.1, h: 0.2 };
      const tracked = { label: 'person', confidence: 0.8, bbox, tracking: { id: 'a-7' } };
      const frame = {
        ...frameOf(),
        frameId: String(step),
        timestamp: timeFromMs(1_700_000_000_000 + step * 100),
        insights: insightsOf([tracked]),
      } as NodeFrame;
      answers.push(await node.process(frame, { ids: IDS, signal: new AbortController().signal }));
    }
    return answers.map((answer) => answer?.insights ?? {});
  };

  test('line-counter counts a track that crosses, once, with its direction', async () => {
    const line = [
      [0.5, 0],
      [0.5, 1],
    ];
    const events = (await walk('line-counter', { line })).flatMap((insights) => insights.events ?? []);
    expect(events).toHaveLength(1);
    expect(events[0]?.timestamp?.seconds).toBe(1_700_000_001n);
    const both = await Promise.all(
      ['leftToRight', 'rightToLeft'].map((direction) => walk('line-counter', { line, direction })),
    );
    expect(both.map((answers) => answers.flatMap(({ events = [] }) => events).length).sort()).toEqual([0, 1]);
    const none = await walk('line-counter', { line, labels: ['car'] });
    expect(none.flatMap((insights) => insights.events ?? [])).toEqual([]);
  });

  test('dwell tells that a track has stayed', async () => {
    const stayed = await walk('dwell', { seconds: 1 });
    const at = stayed.findIndex(({ events = [] }) => events.length > 0);
    expect(at).toBeGreaterThanOrEqual(10);
    expect(at).toBeLessThanOrEqual(11);
    const long = await walk('dwell', { seconds: 5 });
    expect(long.flatMap(({ events = [] }) => events)).toEqual([]);
  });
});
