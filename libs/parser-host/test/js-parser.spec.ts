import { describe, expect, test } from '@jest/globals';
import { createBench, floats } from './support.ts';

const bench = createBench();

describe('a JavaScript parser', () => {
  test('detection, in TypeScript, with a module beside it', async () => {
    const folder = bench.folder({
      'parser.ts': `
import { LABELS } from './labels.mjs';
type Outputs = Record<string, { dims: number[]; data: Float32Array }>;
export const modelType = 0;
export const name = 'boxes';
export const labels: string[] = LABELS;
export async function parseDetModel(config: { imageSize: [number, number]; detTh: number }, { boxes }: Outputs) {
  if (boxes === undefined) return [[], [], []];
  const rows = Array.from({ length: boxes.dims[0] }, (_, i) => boxes.data.subarray(6 * i, 6 * i + 6));
  const kept = rows.filter((row) => row[4] > config.detTh);
  const [width, height] = config.imageSize;
  const pixels = kept.map((row) => Float32Array.of(row[0] * width, row[1] * height, row[2] * width, row[3] * height));
  return [pixels, Int32Array.from(kept, (row) => row[5]), kept.map((row) => row[4]), { seen: rows.length }];
}
`,
      'labels.mjs': "export const LABELS = ['person', 'car'];\n",
    });
    const parser = await bench.open('js', '', { file: `${folder}/parser.ts` });
    expect(parser.info).toEqual({
      name: 'boxes',
      modelType: 'detection',
      labels: ['person', 'car'],
      runtime: `Node ${process.versions.node}`,
    });
    const rows = [0.5, 0.5, 0.25, 0.5, 0.75, 1, 0, 0, 1, 1, 0.25, 0];
    expect(await parser.read([floats('boxes', [1, 2, 6], rows)])).toEqual({
      detections: [
        { classId: 1, label: 'car', confidence: 0.75, box: { left: 640, top: 360, width: 320, height: 360 } },
      ],
      message: { seen: 2 },
    });
    expect(await parser.read([])).toEqual({ detections: [] });
    expect(bench.log).toEqual([]);
  });

  test('custom, in CommonJS: adds objects and drawings', async () => {
    const parser = await bench.open(
      'js',
      `
module.exports = {
  modelType: 1,
  name: 'custom',
  labels: ['crate'],
  parseCustomModel: (config, { found }) => [found.data[0] < 0 ? null : found.data, [...found.data]],
  addCustomToMeta(config, data, frame) {
    frame.addObject({ classId: 0, confidence: data[0], box: [data[1], data[2], 30, 40] });
    frame.addObject({ classId: 9, label: 'nine', confidence: 1, box: data.slice(0, 4),
      attributes: [{ name: 'lid', label: 'open', classId: 1, confidence: 0.5 }] });
    frame.addObject({ classId: 9, label: 'lost', confidence: NaN, box: [0, 0, 1, 1] });
    frame.addLine({ x1: 0, y1: 1, x2: 2, y2: 3, width: 4, colour: [0, 1, 0] });
    frame.addCircle({ x: 1, y: 2, radius: 3 });
    frame.addRectangle({ box: [1, 2, 3, 4] });
    frame.addText({ x: 5, y: 6, text: 'two' });
  },
};
`,
    );
    const red = [1, 0, 0, 1];
    expect(await parser.read([floats('found', [4], [0.25, 10, 20, 5])])).toEqual({
      detections: [
        { classId: 0, label: 'crate', confidence: 0.25, box: { left: 10, top: 20, width: 30, height: 40 } },
        {
          classId: 9,
          label: 'nine',
          confidence: 1,
          box: { left: 0.25, top: 10, width: 20, height: 5 },
          attributes: [{ name: 'lid', label: 'open', classId: 1, confidence: 0.5, componentId: 0 }],
        },
      ],
      overlay: {
        lines: [{ x1: 0, y1: 1, x2: 2, y2: 3, width: 4, colour: [0, 1, 0, 1] }],
        circles: [{ x: 1, y: 2, radius: 3, colour: red }],
        rectangles: [{ box: { left: 1, top: 2, width: 3, height: 4 }, width: 1, colour: red }],
        texts: [{ x: 5, y: 6, text: 'two', size: 10, colour: red }],
      },
      message: [0.25, 10, 20, 5],
      error: '1 of 3 objects hold NaN or infinity',
    });
    expect(await parser.read([floats('found', [1], [-1])])).toEqual({ detections: [], message: [-1] });
  });

  test('secondary: a message of one object', async () => {
    const text = 'export const gieUniqueId = 5;\nexport const parseSgieModel = (config, { s }) => s.data.indexOf(1);\n';
    const parser = await bench.open('js', text, { role: 'secondary' });
    expect(parser.info).toMatchObject({ name: 'parser', gieUniqueId: 5, labels: [] });
    expect(await parser.read([floats('s', [1, 3], [1, 0, 0])])).toEqual({ message: 0 });
    expect(await parser.read([floats('s', [1, 3], [0, 0, 1])])).toEqual({ message: 2 });
  });
});

const FAULTS = `
export const modelType = 0;
export const name = 'faults';
export const labels = ['thing'];
const kept = [];
const good = (message) => [[[1, 2, 3, 4]], [0], [0.5], message];
const cases = {
  raises: () => { throw new TypeError('rtsp://user:pass@camera no'); },
  throwsText: () => { throw 'no'; },
  rejects: async () => { await null; throw new Error('later'); },
  none: () => undefined,
  two: () => [[], []],
  text: () => ['a', 'b', 'c'],
  uneven: () => [[[1, 2, 3, 4]], [0, 0], [1]],
  short: () => [[[1, 2]], [0], [1]],
  spins: () => { for (;;); },
  waits: () => new Promise(() => undefined),
  exits: () => process.exit(7),
  aborts: () => process.abort(),
  throwsLater: () => { setTimeout(() => { throw new Error('nobody catches it'); }); return new Promise(() => undefined); },
  writes: () => { process.getBuiltinModule('fs').writeSync(3, 'garbage that is no answer'); return good(); },
  arrays: () => { kept.push(new Uint8Array(100e6).fill(1)); return good(); },
  heap: () => { for (;;) kept.push({}); },
  floods: () => { for (let i = 0; i < 20_000; i += 1) console.log('line', i); return good(); },
  big: () => good('x'.repeat(300_000)),
  circle: () => { const ring = []; ring.push(ring); return good(ring); },
  many: () => [Array(100_000).fill([1, 2, 3, 4]), new Uint8Array(100_000), new Float32Array(100_000).fill(1)],
  nan: () => [[[1, 2, 3, 4], [1, NaN, 3, 4], [1, 2, -3, 4], [1, 2, 'x', 4]], [0, 0, 0, 0], [0.5, 1, 1, 1]],
};
export const parseDetModel = (config, outputs) => {
  const [which] = Object.keys(outputs);
  return which === undefined ? good() : cases[which]();
};
`;

const GOOD = {
  detections: [{ classId: 0, label: 'thing', confidence: 0.5, box: { left: 1, top: 2, width: 3, height: 4 } }],
};
const fault = (name: string) => [floats(name, [1])];

describe('a JavaScript parser that misbehaves costs that picture only', () => {
  test('an exception or a result of another shape: the reason, and the same process goes on', async () => {
    const parser = await bench.open('js', FAULTS);
    const reasons = {
      raises: /^TypeError: rtsp:\/\/(?!.*pass).*camera no \(parser\.js line 8 in \S+\)$/,
      throwsText: /^it threw no$/,
      rejects: /^Error: later \(parser\.js line 10/,
      none: /^parseDetModel must return \[boxes, classIds, scores, message\]$/,
      two: /^parseDetModel must return/,
      text: /^parseDetModel gave no array for boxes$/,
      uneven: /^parseDetModel gave 1 boxes, 2 class ids and 1 scores$/,
      short: /^box 0 is not \[left, top, width, height\]$/,
    };
    for (const [name, reason] of Object.entries(reasons)) {
      expect(await parser.read(fault(name))).toEqual({ error: expect.stringMatching(reason) });
      expect(await parser.read([])).toEqual(GOOD);
    }
    expect(parser.counts).toMatchObject({ failed: 8, restarts: 0 });
  });

  test.each([
    ['spins', /^no answer within 600 ms/],
    ['waits', /^no answer within 600 ms/],
    ['exits', /^the process ended with exit code 7/],
    ['aborts', /^the process ended by SIGABRT/],
    ['throwsLater', /^the process ended with exit code 1 \(parser\.js line 20/],
    ['writes', /^it broke the protocol/],
  ])('%s: the next picture meets a new process', async (name, reason) => {
    const parser = await bench.open('js', FAULTS, { deadlineMs: 600 });
    expect(await parser.read(fault(name))).toEqual({ error: expect.stringMatching(reason) });
    let next = await parser.read([]);
    while (next.error !== undefined) next = await parser.read([]);
    expect(next).toEqual(GOOD);
    expect(parser.counts.restarts).toBe(1);
  });

  test('a loop without end is reported with its line', async () => {
    const parser = await bench.open('js', FAULTS, { deadlineMs: 600 });
    // A machine that is very busy may have no time for it at once.
    let reason = '';
    for (let attempt = 0; attempt < 6 && !reason.includes('('); attempt += 1) {
      reason = (await parser.read(fault('spins'))).error ?? '';
    }
    expect(reason).toMatch(/^no answer within 600 ms \(parser\.js line 16 in \S+\)/);
  });

  test.each([
    ['arrays', /^RangeError: Array buffer allocation failed|^the process uses \d+ MiB/],
    ['heap', /^the process ended by SIGABRT, out of memory/],
  ])('a leak of %s ends in a new process', async (name, reason) => {
    const parser = await bench.open('js', FAULTS, { memoryLimitMb: name === 'heap' ? 64 : 384, deadlineMs: 20_000 });
    let answer = await parser.read(fault(name));
    for (let pictures = 1; answer.error === undefined && pictures < 8; pictures += 1) {
      answer = await parser.read(fault(name));
    }
    expect(answer.error).toMatch(reason);
    expect(await parser.read([])).toEqual(GOOD);
    expect(parser.counts).toMatchObject({ failed: 1, restarts: 1, timeouts: 0 });
  });

  test('too much and bad content is left out, the rest stands', async () => {
    const parser = await bench.open('js', FAULTS, { deadlineMs: 20_000 });
    expect(await parser.read(fault('floods'))).toEqual(GOOD);
    expect(await parser.read(fault('big'))).toEqual({
      ...GOOD,
      error: 'the message is left out: 300002 bytes, more than 262144',
    });
    expect((await parser.read(fault('circle'))).error).toMatch(
      /^the message is left out: Converting circular structure/,
    );
    expect(await parser.read(fault('nan'))).toEqual({
      ...GOOD,
      error: '2 of 4 objects hold NaN or infinity; 1 of 4 boxes have a negative size',
    });
    const many = await parser.read(fault('many'));
    expect(many.error).toBe('only the first 16384 of 100000 objects are kept');
    expect(many.detections).toHaveLength(16_384);
    expect(bench.log.filter(({ text }) => text.startsWith('parser prints: ')).length).toBeLessThan(100);
  });

  test('an answer of more than 4 MiB is none, too many drawings are cut', async () => {
    const parser = await bench.open(
      'js',
      `
export const modelType = 1, name = 'large';
export const parseCustomModel = (config, outputs) => [Object.keys(outputs)[0]];
export const addCustomToMeta = (config, what, frame) => {
  if (what === 'label') frame.addObject({ classId: 0, confidence: 1, box: [0, 0, 1, 1], label: 'x'.repeat(5e6) });
  for (let i = 0; i < 5000; i += 1) frame.addCircle({ x: i, y: i, radius: 1 });
};
`,
      { deadlineMs: 20_000 },
    );
    expect((await parser.read(fault('label'))).error).toMatch(/^the answer has 5\d{6} bytes, more than 4194304$/);
    const { error, overlay } = await parser.read(fault('circles'));
    expect(error).toBe('only the first 4096 of 5000 shapes are kept');
    expect(overlay?.circles).toHaveLength(4096);
    expect(parser.counts.restarts).toBe(0);
  });
});
