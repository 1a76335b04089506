import { describe, expect, test } from '@jest/globals';
import { at, info, logit, tensor, type Output } from '../../test/heads.ts';
import { fitPicture, type Fit } from '../fit.ts';
import { chooseOutputs, type OutputRequest } from '../parsers/choose.ts';
import { parseSettings } from '../parsers/shape.ts';
import type { NetworkInfo, TensorData } from '../parsers/types.ts';
import { createOutputReader, type OutputReaderOptions } from '../reader.ts';
import { poseDetection, similarity, type ModelResult } from '../results.ts';
import { TASK_PARSERS } from './registry.ts';
import { OPENPOSE_18, TRT_POSE_18 } from './skeletons.ts';

const NET: NetworkInfo = { width: 64, height: 32 };

function fitOf(sourceWidth: number, sourceHeight: number, net: NetworkInfo): Fit {
  const network = { networkWidth: net.width, networkHeight: net.height };
  return fitPicture({ sourceWidth, sourceHeight, ...network, keepAspect: true, symmetric: true });
}

interface Given extends Partial<OutputReaderOptions>, Pick<OutputRequest, 'requested' | 'networkType'> {
  readonly batchIndex?: number;
  readonly fit?: Fit;
}

function read(outputs: Output[], { requested, networkType, batchIndex = 0, fit, ...rest }: Given = {}): ModelResult {
  const net = rest.net ?? (rest.labels ? { ...NET, labels: rest.labels } : NET);
  const reader = createOutputReader({
    choice: chooseOutputs({ outputs, net, requested, networkType }),
    outputs,
    labels: [],
    componentId: 3,
    settings: parseSettings(0.3),
    suppression: { mode: 'nms', iouThreshold: 0.5 },
    ...rest,
    net,
  });
  return reader.read(outputs, batchIndex, fit ?? fitOf(net.width, net.height, net));
}

describe('classifiers', () => {
  const labels = ['red', 'green', 'blue'];
  const classify = (values: number[], given: Given = {}): unknown => {
    const result = read([tensor('colour', [1, 3], at(0, 1, values))], { labels, networkType: 'classifier', ...given });
    if (result.task !== 'classification') throw new Error(result.task);
    return result.classifications.map(({ label, confidence }) => [label, Math.round(confidence * 100) / 100]);
  };

  test('probabilities as they are, logits through a softmax', () => {
    expect(classify([0.1, 0.7, 0.2])).toEqual([['green', 0.7]]);
    expect(classify([0, Math.log(6), Math.log(3)])).toEqual([['green', 0.6]]);
  });

  test('threshold, several classes, sigmoid classes', () => {
    expect(classify([0.1, 0.7, 0.2], { threshold: 0.7001 })).toEqual([]);
    expect(classify([0.1, 0.7, 0.2], { topK: 2 })).toEqual([
      ['green', 0.7],
      ['blue', 0.2],
    ]);
    expect(classify([logit(0.9), logit(0.2), logit(0.6)], { requested: 'multi-label' })).toEqual([
      ['red', 0.9],
      ['blue', 0.6],
    ]);
  });

  test('scores that are no numbers are nothing', () => {
    expect(classify([Number.NaN, Number.NaN, Number.NaN])).toEqual([]);
    expect(classify([Infinity, 0, 0])).toEqual([]);
  });

  test('heads with labels of their own, the second picture of a batch', () => {
    const outputs = [tensor('colour', [2, 2], { 3: 1 }), tensor('kind', [2, 3, 1, 1], { 3: 1 })];
    const labelRows = [
      ['red', 'blue'],
      ['car', 'bus', 'van'],
    ];
    const result = read(outputs, { networkType: 'classifier', labelRows, classifierType: 'vehicle', batchIndex: 1 });
    expect(result).toEqual({
      task: 'classification',
      classifications: [
        { name: 'vehicle.colour', label: 'blue', classId: 1, confidence: 1, componentId: 3 },
        { name: 'vehicle.kind', label: 'car', classId: 0, confidence: 1, componentId: 3 },
      ],
    });
  });
});

describe('embeddings', () => {
  const embed = (fill: Record<number, number>): ModelResult => read([tensor('embedding', [1, 64], fill)]);

  test('length 1; nothing from nothing', () => {
    const a = embed({ 0: 3, 1: 4 });
    const b = embed({ 0: 4, 1: -3 });
    const none = embed({ 5: Number.NaN });
    if (a.task !== 'embedding' || b.task !== 'embedding' || none.task !== 'embedding') throw new Error('task');
    expect([...a.embedding.values.subarray(0, 2)].map((v) => Math.round(v * 100))).toEqual([60, 80]);
    expect(a.embedding.norm).toBe(5);
    expect([similarity(a.embedding, a.embedding), similarity(a.embedding, b.embedding)]).toEqual([
      expect.closeTo(1),
      expect.closeTo(0),
    ]);
    expect([none.embedding.norm, none.embedding.values.every((value) => value === 0)]).toEqual([0, true]);
  });
});

describe('text', () => {
  const labels = ['a', 'b', 'c'];
  const steps = (symbols: number[], count: number, dims: number[], perStep: number, perSymbol: number): Output =>
    tensor('probs', dims, Object.fromEntries(symbols.map((symbol, i) => [i * perStep + symbol * perSymbol, count])));
  const text = (output: Output | Output[], given: Given = {}): unknown => {
    const result = read([output].flat(), { labels, networkType: 'classifier', ...given });
    return result.task === 'text' ? result.readings.map((reading) => reading.text) : result.task;
  };

  test('repeats merge, blanks separate; where the blank is', () => {
    expect(text(steps([1, 1, 0, 1, 2, 0], 1, [1, 6, 4], 4, 1))).toEqual(['aab']);
    expect(text(steps([1, 4, 2, 2, 0, 3], 1, [1, 6, 5], 5, 1))).toEqual(['a bc']);
    expect(text(steps([0, 3, 0, 1, 1, 3], 1, [1, 6, 4], 4, 1), { requested: 'lprnet' })).toEqual(['aab']);
    expect(text(steps([1, 0, 1, 2], 1, [1, 4, 3], 3, 1), { labels: ['<blank>', 'x', 'y'] })).toEqual(['xxy']);
  });

  test('steps first, symbols first, finished symbols', () => {
    expect(text(steps([1, 0, 2], 1, [3, 1, 4], 4, 1))).toEqual(['ab']);
    expect(text(steps([3, 0, 2, 2, 0, 0, 0, 0, 0], 1, [1, 4, 9], 1, 9))).toEqual(['cb']);
    const ids: Output = { name: 'ids', dims: [1, 4], type: 'int32', data: Int32Array.of(0, 0, 3, 1) };
    expect(text([ids, tensor('scores', [1, 4], at(0, 1, [1, 1, 1, 1]))])).toEqual(['ab']);
  });

  test('nothing read is an empty text of score 0', () => {
    expect(read([steps([0, 0, 0], 1, [1, 3, 4], 4, 1)], { labels, networkType: 'classifier' })).toEqual({
      task: 'text',
      readings: [{ text: '', score: 0, componentId: 3 }],
    });
  });
});

describe('maps of classes', () => {
  test('best class, threshold, padding cut off', () => {
    // 8 x 8 cells for 64 x 64 pixels; the picture is twice as wide as high: rows 2 to 5.
    const net = { width: 64, height: 64 };
    const output = tensor('out', [1, 2, 8, 8], {}, 0.4);
    (output.data as Float32Array).fill(0.6, 64 + 24, 64 + 28);
    const given: Given = { networkType: 'segmentation', net, labels: ['road', 'sky'], fit: fitOf(640, 320, net) };
    const result = read([output], { ...given, threshold: 0.5 });
    if (result.task !== 'segmentation') throw new Error(result.task);
    expect([result.map.width, result.map.height]).toEqual([8, 4]);
    expect([...result.map.classes.subarray(8, 16)]).toEqual([1, 1, 1, 1, -1, -1, -1, -1]);
    expect(result.map.areas).toEqual([{ classId: 1, label: 'sky', share: 0.125 }]);
    const ids: Output = { name: 'ids', dims: [1, 16, 16], type: 'int64', data: new BigInt64Array(256).fill(1n) };
    expect(read([ids], { ...given, fit: fitOf(64, 64, net) })).toMatchObject({
      map: { areas: [{ label: 'sky', share: 1 }] },
    });
  });

  test('channels last, one channel', () => {
    const net = { width: 64, height: 64 };
    const last = tensor('out', [1, 16, 16, 3], { 1: 5 });
    expect(read([last], { networkType: 'segmentation', net })).toMatchObject({
      map: { width: 16, areas: [{ classId: 0 }, { classId: 1, share: 1 / 256 }] },
    });
    const one = tensor('out', [1, 1, 16, 16], { 0: 0.7, 1: 0.4 });
    expect(read([one], { networkType: 'segmentation', net })).toMatchObject({
      map: { areas: [{ classId: 0, share: 1 / 256 }] },
    });
  });
});

describe('bodies', () => {
  const net = { width: 160, height: 160 };
  const SIZE = 20;

  /** Draws joints and the fields between them as the paper defines them, then reads them back. */
  function draw(people: [number, number][][], skeleton: typeof OPENPOSE_18, last: boolean): Output[] {
    const channels = skeleton.names.length + (skeleton === OPENPOSE_18 ? 1 : 0);
    const dims = (count: number): number[] => (last ? [1, SIZE, SIZE, count] : [1, count, SIZE, SIZE]);
    const heat = tensor('heatmap_out/BiasAdd:0', dims(channels));
    const paf = tensor('conv2d_transpose_1/BiasAdd:0', dims(2 * skeleton.limbs.length));
    const place = (count: number, channel: number, x: number, y: number): number =>
      last ? (y * SIZE + x) * count + channel : (channel * SIZE + y) * SIZE + x;
    for (const joints of people) {
      for (const [kind, [jx, jy]] of joints.entries()) {
        for (let y = 0; y < SIZE; y += 1) {
          for (let x = 0; x < SIZE; x += 1) {
            const index = place(channels, kind, x, y);
            const value = Math.exp(-((x - jx) ** 2 + (y - jy) ** 2));
            (heat.data as Float32Array)[index] = Math.max(Number(heat.data[index]), value);
          }
        }
      }
      for (const [from, to, cx, cy] of skeleton.limbs) {
        const [[ax, ay], [bx, by]] = [joints[from]!, joints[to]!];
        const length = Math.hypot(bx - ax, by - ay);
        for (let step = 0; step <= 40; step += 1) {
          const x = Math.round(ax + ((bx - ax) * step) / 40);
          const y = Math.round(ay + ((by - ay) * step) / 40);
          const count = 2 * skeleton.limbs.length;
          (paf.data as Float32Array)[place(count, cx, x, y)] = (bx - ax) / length;
          (paf.data as Float32Array)[place(count, cy, x, y)] = (by - ay) / length;
        }
      }
    }
    return [heat, paf];
  }

  /** Joints on a ring: all apart, limbs in all directions. */
  const ring = (x: number, y: number): [number, number][] =>
    Array.from({ length: 18 }, (_, i) => [
      Math.round(x + 4 * Math.cos((i * 2 * Math.PI) / 18)),
      Math.round(y + 4 * Math.sin((i * 2 * Math.PI) / 18)),
    ]);

  test.each([
    ['OpenPose', OPENPOSE_18, false],
    ['BodyPoseNet, channels last', OPENPOSE_18, true],
    ['trt_pose', TRT_POSE_18, false],
  ] as const)('%s: two people come back as they were drawn', (_name, skeleton, last) => {
    const people = [ring(5, 5), ring(14, 13)];
    const result = read(draw(people, skeleton, last), { net, threshold: 0.5 });
    if (result.task !== 'pose') throw new Error(result.task);
    expect(result.poses).toHaveLength(2);
    const found = result.poses.map(({ keypoints }) => keypoints.map(({ x, y }) => [x, y].map(Math.round)));
    const drawn = people.map((joints) => joints.map(([x, y]) => [x * 8 + 4, y * 8 + 4]));
    expect(found.sort((a, b) => a[0]![0]! - b[0]![0]!)).toEqual(drawn);
    expect(result.poses[0]!.names).toEqual(skeleton.names);
    expect(poseDetection(result.poses[0]!, 1, 'person')).toMatchObject({ label: 'person', trackingId: -1 });
  });

  test('noise and emptiness end, and find nobody', () => {
    const [heat, paf] = draw([], OPENPOSE_18, false);
    expect(read([heat!, paf!], { net })).toEqual({ task: 'pose', poses: [] });
    (heat!.data as Float32Array).forEach((_, i, all) => (all[i] = ((i * 7919) % 97) / 97));
    expect(read([heat!, paf!], { net })).toEqual({ task: 'pose', poses: [] });
    (heat!.data as Float32Array).fill(Number.NaN);
    expect(read([heat!, paf!], { net })).toEqual({ task: 'pose', poses: [] });
  });

  test('one body: heat maps, SimCC, MoveNet, plain coordinates', () => {
    const points = (outputs: Output[], given: Given): unknown => {
      const result = read(outputs, { net: NET, ...given });
      return result.task === 'pose' ? result.poses.map(({ keypoints }) => keypoints.slice(0, 2)) : result.task;
    };
    const maps = tensor('heatmaps', [1, 2, 8, 16], { [2 * 16 + 4]: 0.9, [2 * 16 + 5]: 0.5 });
    expect(points([maps], { requested: 'hrnet' })).toEqual([
      [
        { x: 17, y: 8, score: expect.closeTo(0.9) },
        { x: 0, y: 0, score: 0 },
      ],
    ]);
    const simcc = [tensor('simcc_x', [1, 2, 128], { 40: 0.8 }), tensor('simcc_y', [1, 2, 64], { 20: 0.7 })];
    expect(points(simcc, {})).toMatchObject([[{ x: 20, y: 10, score: expect.closeTo(0.7) }, { score: 0 }]]);
    const movenet = tensor('output_0', [1, 1, 17, 3], at(0, 1, [0.5, 0.25, 0.9]));
    expect(points([movenet], {})).toMatchObject([[{ x: 16, y: 16 }, { score: 0 }]]);
    const face = tensor('output', [1, 4], at(0, 1, [0.5, 0.5, 0.25, 1]));
    expect(points([face], { requested: 'landmarks' })).toEqual([
      [
        { x: 32, y: 16, score: 1 },
        { x: 16, y: 32, score: 1 },
      ],
    ]);
  });
});

describe('the reader', () => {
  const head = (type: string, data: TensorData['data'], more: Partial<TensorData> = {}): Output => ({
    name: 'output0',
    dims: [1, 300, 6],
    type,
    data,
    ...more,
  });

  test('half precision, quantised and double outputs', () => {
    const net = { ...NET, classCount: 3 };
    const values = [8, 16, 24, 32, 0.5, 2];
    const halves = [0x4800, 0x4c00, 0x4e00, 0x5000, 0x3800, 0x4000];
    const whole = <T extends Uint16Array | Float64Array | Int8Array>(array: T, from: readonly number[]): T => {
      array.set(from);
      return array;
    };
    const outputs = [
      head('float16', whole(new Uint16Array(1800), halves)),
      head('float64', whole(new Float64Array(1800), values)),
      head(
        'int8',
        whole(
          new Int8Array(1800).fill(-8),
          values.map((v) => v * 2 - 8),
        ),
        {
          quantisation: { scale: 0.5, zeroPoint: -8 },
        },
      ),
    ];
    for (const output of outputs) {
      const result = read([output], { net });
      if (result.task !== 'detection') throw new Error(result.task);
      expect(result.detections).toMatchObject([
        { classId: 2, confidence: 0.5, box: { left: 8, top: 16, width: 16, height: 16 }, componentId: 3 },
      ]);
    }
  });

  test('outputs of another shape than declared end in a sentence', () => {
    const net = { ...NET, classCount: 3 };
    const declared = tensor('output0', [1, 300, 6]);
    const reader = createOutputReader({
      choice: chooseOutputs({ outputs: [declared], net }),
      outputs: [declared],
      net,
      labels: [],
      componentId: 1,
      settings: parseSettings(0.3),
      suppression: { mode: 'none', iouThreshold: 0.5 },
    });
    const fit = fitOf(64, 32, NET);
    expect(reader.read([declared], 0, fit)).toEqual({ task: 'detection', detections: [] });
    expect(() => reader.read([], 0, fit)).toThrow(/gave no output output0/);
    expect(() => reader.read([tensor('output0', [1, 300, 7])], 0, fit)).toThrow(
      /came as \[1, 300, 7\], .* \[1, 300, 6\]/,
    );
    expect(() => reader.read([{ ...declared, data: new Float32Array(7) }], 0, fit)).toThrow(
      /hold 1800 numbers, it has 7/,
    );
    expect(() => reader.read([declared], 1, fit)).toThrow(/no picture 1 in a batch of 1/);
    expect(reader.counts.invalid).toBe(0);
  });

  test('instance masks and keypoints reach the detection', () => {
    const net = { ...NET, classCount: 3 };
    const cells = 42;
    const outputs = [
      tensor('output0', [1, 39, cells], at(9, cells, [32, 16, 32, 16, 0.1, 0.2, 0.9, 1])),
      tensor('output1', [1, 32, 8, 16], {}, 9),
    ];
    expect(read(outputs, { net, networkType: 'instance-segmentation' })).toMatchObject({
      task: 'detection',
      detections: [{ classId: 2, mask: { width: 8, height: 4 } }],
    });
    const people = tensor('output0', [1, 300, 57], at(0, 1, [1, 2, 30, 20, 0.9, 0, 5, 6, 0.7]));
    const result = read([people], { net: { ...NET, classCount: 1 } });
    expect(result).toMatchObject({ detections: [{ classId: 0 }] });
    if (result.task === 'detection')
      expect(result.detections[0]!.keypoints?.[0]).toEqual({ x: 5, y: 6, score: expect.closeTo(0.7) });
  });

  test('raw tensors: the own part of a batch', () => {
    const output = tensor('x', [2, 3], at(0, 1, [1, 2, 3, 4, 5, 6]));
    expect(read([output], { networkType: 'other', batchIndex: 1 })).toEqual({
      task: 'tensors',
      tensors: [{ name: 'x', dims: [3], type: 'float32', data: Float32Array.of(4, 5, 6) }],
    });
  });

  test('no name is used twice, every parser says where its layout comes from', () => {
    const names = TASK_PARSERS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const { source } of TASK_PARSERS) expect(source).toMatch(/\/|,/);
    expect(() => chooseOutputs({ outputs: [info('x', 1, 3, 3)], net: NET, networkType: 'segmentation' })).toThrow(
      /no output parser fits/,
    );
  });
});
