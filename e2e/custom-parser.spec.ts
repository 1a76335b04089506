import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { InferenceClient, WorkerPool, type FrameRequest, type ModelSpec } from '@vantage/inference';
import { ASSETS, REPOSITORY, describeWithAssets } from './support/assets.ts';
import { vantage, type Outcome } from './support/vantage.ts';

/** Reads the faces of UltraFace as a user would: contract D.4, numpy, its own suppression. */
const FACES_PY = `
import numpy as np
from suppress import nms

model_type = 0
name = "faces"
labels = ["background", "face"]


def parse_det_model(config, raw_outputs):
    if "scores" not in raw_outputs or "boxes" not in raw_outputs:
        return [], [], [], None
    scores, boxes = raw_outputs["scores"][:, 1], raw_outputs["boxes"]
    keep = scores > 0.7
    scores, boxes = scores[keep], boxes[keep]
    width, height = config.image_size
    boxes = boxes * np.array([width, height, width, height], np.float32)
    best = nms(boxes, scores, 0.3)
    boxes = boxes[best]
    boxes[:, 2:] -= boxes[:, :2]
    return boxes, np.ones(len(best), dtype=np.int), scores[best], {"faces": len(best)}
`;

const SUPPRESS_PY = `
import numpy as np


def nms(boxes, scores, threshold):
    order, kept = np.argsort(-scores), []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order) > 0:
        first, rest = order[0], order[1:]
        kept.append(first)
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[shared / (areas[first] + areas[rest] - shared) <= threshold]
    return kept
`;

/** The same in JavaScript. */
const FACES_JS = `
export const modelType = 0;
export const name = 'faces';
export const labels = ['background', 'face'];

export function parseDetModel({ imageSize: [width, height] }, { scores, boxes }) {
  if (!scores || !boxes) return [[], [], []];
  const faces = [];
  for (let i = 0; i < scores.dims[0]; i += 1) {
    const score = scores.data[2 * i + 1];
    const [x1, y1, x2, y2] = boxes.data.subarray(4 * i, 4 * i + 4);
    if (score > 0.7) faces.push({ score, box: [x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height] });
  }
  faces.sort((a, b) => b.score - a.score);
  const kept = [];
  for (const face of faces) if (kept.every(({ box }) => iou(box, face.box) <= 0.3)) kept.push(face);
  return [kept.map(({ box }) => box), kept.map(() => 1), kept.map(({ score }) => score), { faces: kept.length }];
}

function iou([ax, ay, aw, ah], [bx, by, bw, bh]) {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (aw * ah + bw * bh - shared);
}
`;

/** Names the colour of one plate; hangs on the second one it sees. */
const PLATES_PY = `
gie_unique_id = 2
seen = 0


def parse_sgie_model(config, raw_outputs):
    global seen
    seen += 1
    while seen == 2:
        pass
    scores = next(iter(raw_outputs.values())).reshape(-1)
    return {"colour": ["blue", "green", "yellow"][scores.argmax()], "score": round(float(scores.max()), 2)}
`;

interface Truth {
  readonly image: string;
  readonly detections: readonly { readonly required: boolean }[];
  readonly results: readonly { readonly cropPixels: readonly number[]; readonly label: string }[];
}

/** A line of `vantage infer --json`. */
interface Line {
  readonly file: string;
  readonly detections: readonly {
    readonly classId: number;
    readonly confidence: number;
    readonly box: readonly [number, number, number, number];
  }[];
  readonly custom: unknown;
}

const pythons = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'];
const hasPython = pythons.some((python) => spawnSync(python, ['-c', 'import numpy']).status === 0);
if (!hasPython) process.stderr.write('skipped: there is no python3 with numpy (apt-get install python3-numpy)\n');
const testPython = hasPython ? test : test.skip;

/** Parsers of the user's own behind real models: sessions in workers, parsers in processes. */
describeWithAssets('a parser of the user gives what the truth says', () => {
  const log: string[] = [];
  const pool = new WorkerPool({
    parserHost: pathToFileURL(path.join(REPOSITORY, 'libs/parser-host/src/index.ts')).href,
    log: (_level, text) => log.push(text),
  });
  let folder: string;
  let compare: (truth: Truth, mine: readonly object[]) => unknown[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-parsers-'));
    const files = { 'faces.py': FACES_PY, 'suppress.py': SUPPRESS_PY, 'faces.js': FACES_JS, 'plates.py': PLATES_PY };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    ({ compare } = (await import(path.join(ASSETS, 'truth/compare.mjs'))) as { compare: typeof compare });
  });
  afterAll(async () => {
    await pool.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(spec: Omit<ModelSpec, 'name' | 'labels'>): Promise<InferenceClient> {
    const model = await pool.load({ name: 'own', labels: [], ...spec });
    return new InferenceClient(model.connect());
  }

  async function facesAgree(kind: 'python' | 'js', file: string): Promise<void> {
    const client = await open({
      onnxFile: path.join(ASSETS, 'models/version-RFB-320.onnx'),
      infer: inferOf(['net-scale-factor=0.0078125', 'offsets=127;127;127', 'network-type=100', 'output-tensor-meta=1']),
      customParser: { kind, file: path.join(folder, file), deadlineMs: 10_000 },
    });
    for (const image of ['linzaer-16', 'linzaer-20', 'frame-people-00060']) {
      const truth = truthOf(`version-RFB-320__${image}`);
      const { outputs, error } = await client.infer(picture(truth.image));
      expect(error).toBeUndefined();
      const { detections, custom } = outputs[0]!;
      const mine = detections.map(({ classId, confidence, box: { left, top, width, height } }) => ({
        classId,
        score: confidence,
        box: [left, top, left + width, top + height],
      }));
      expect(mine.length).toBeGreaterThanOrEqual(truth.detections.filter(({ required }) => required).length);
      expect(compare(truth, mine)).toEqual([]);
      expect(custom).toEqual({ faces: mine.length });
    }
  }

  testPython('faces, in Python', () => facesAgree('python', 'faces.py'));

  test('faces, in JavaScript', () => facesAgree('js', 'faces.js'));

  testPython('plates of a secondary: a hang costs that picture, then it goes on', async () => {
    const client = await open({
      onnxFile: path.join(ASSETS, 'models/litemodel_cls_96x_r1.onnx'),
      infer: inferOf(['net-scale-factor=0.003921568627', 'model-color-format=1', 'process-mode=2', 'gie-unique-id=2']),
      customParser: { kind: 'python', file: path.join(folder, 'plates.py'), deadlineMs: 1000 },
    });
    const truth = truthOf('cascade_plate_colour__hyperlpr-1');
    const plate = truth.results[0]!;
    const [left, top, right, bottom] = plate.cropPixels as [number, number, number, number];
    const look = () =>
      client.infer({
        ...picture(truth.image),
        regions: [{ left, top, width: right - left, height: bottom - top }],
      });
    const expected = { colour: plate.label, score: 1 };
    expect((await look()).outputs[0]!.custom).toEqual(expected);
    expect(await look()).toMatchObject({
      error: expect.stringContaining('no answer within 1000 ms (plates.py line 9 in parse_sgie_model)'),
    });
    let { outputs } = await look();
    while (outputs.length === 0) ({ outputs } = await look());
    expect(outputs[0]!.custom).toEqual(expected);
    expect(log.join('\n')).toMatch(/parser plates is started again in 0 ms: no answer within 1000 ms/);
  });
});

/** The same through the product's own path: a twin, validated and compiled, in the engine of the ai-pipeline. */
describeWithAssets('vantage infer --parser-file', () => {
  const images = ['linzaer-16.jpg', 'linzaer-20.jpg', 'frame-people-00060.png'];
  let folder: string;
  let compare: (truth: Truth, mine: readonly object[]) => unknown[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-parsers-'));
    const config = `[property]
onnx-file=${path.join(ASSETS, 'models/version-RFB-320.onnx')}
net-scale-factor=0.0078125
offsets=127;127;127
network-type=100
output-tensor-meta=1
`;
    const broken = `${FACES_PY}\nimport absent_of_mine\n`;
    const files = { 'config.txt': config, 'faces.py': FACES_PY, 'suppress.py': SUPPRESS_PY, 'broken.py': broken };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    mkdirSync(path.join(folder, 'pictures'));
    for (const name of images) symlinkSync(path.join(ASSETS, 'images', name), path.join(folder, 'pictures', name));
    ({ compare } = (await import(path.join(ASSETS, 'truth/compare.mjs'))) as { compare: typeof compare });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const infer = (parser: string): Promise<Outcome> =>
    vantage([
      ...['infer', '--json', '--config', path.join(folder, 'config.txt')],
      ...['--parser-file', path.join(folder, parser), path.join(folder, 'pictures')],
    ]);

  testPython('faces agree with the truth, each with the message of its picture', async () => {
    const { status, stdout, stderr } = await infer('faces.py');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const seen = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(seen.map(({ file }) => file).sort()).toEqual([...images].sort());
    for (const { file, detections, custom } of seen) {
      const truth = truthOf(`version-RFB-320__${path.parse(file).name}`);
      const mine = detections.map(({ classId, confidence, box: [left, top, width, height] }) => ({
        classId,
        score: confidence,
        box: [left, top, left + width, top + height],
      }));
      expect(compare(truth, mine)).toEqual([]);
      expect(custom).toEqual({ faces: mine.length });
    }
  });

  testPython('a parser that cannot be imported ends it with file, line and remedy', async () => {
    const { status, stderr } = await infer('broken.py');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/broken\.py: .*No module named 'absent_of_mine'.*\(broken\.py line \d+ in <module>\)/);
    expect(stderr).toContain('install the package: pip3 install absent_of_mine (PARSER_LOAD_FAILED)');
  });
});

function truthOf(name: string): Truth {
  return JSON.parse(readFileSync(path.join(ASSETS, 'truth', `shared__${name}.json`), 'utf8')) as Truth;
}

function inferOf(properties: readonly string[]): ModelSpec['infer'] {
  const { spec, problems } = parseInferConfig(`[property]\nonnx-file=x.onnx\n${properties.join('\n')}\n`, 'own.txt');
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return spec;
}

/** A whole picture in planes of green, blue and red. */
function picture(image: string): Omit<FrameRequest, 'id'> {
  const file = path.join(ASSETS, 'images', image);
  const ffmpeg = process.env['FFMPEG_PATH'] ?? 'ffmpeg';
  const planes = ['-vf', 'format=gbrp', '-frames:v', '1'];
  const { output, status } = spawnSync(
    ffmpeg,
    ['-v', 'error', '-i', file, ...planes, '-f', 'rawvideo', 'pipe:1', ...planes, '-f', 'framehash', 'pipe:3'],
    { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], maxBuffer: 1e8 },
  );
  expect(status).toBe(0);
  const [, width, height] = (/dimensions 0: (\d+)x(\d+)/.exec(String(output[3])) ?? []).map(Number);
  const size = { width: width!, height: height! };
  const pixels = Uint8Array.from(output[1] as Buffer).buffer;
  return { pixels, pictureWidth: size.width, pictureHeight: size.height, view: { left: 0, top: 0, ...size } };
}
