import path from 'node:path';
import { z } from 'zod';
import type { JsonObject } from '@vantage/contracts';
import {
  CustomNode,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type NodeObject,
} from '@vantage/custom-node';
import { InferenceClient, WorkerPool, type ModelOutput } from '@vantage/inference';
import { readModelSpec } from './model-spec.ts';
import { readSettings } from './settings.ts';

const CHANNELS = 3;

const schema = z.object({
  /** nvinfer file, relative to the module's folder. */
  config: z.string().min(1).max(1024),
  /** Output parser by name, where the file names none. */
  parser: z.string().min(1).max(128).optional(),
  minConfidence: z.number().min(0).max(1).default(0),
  /** Cores that the model may use. */
  cores: z.int().min(1).max(64).default(1),
});

/**
 * An ONNX model with an nvinfer file, as in a `pipelineConfig`: its objects, or what a classifier says about the whole
 * picture (objects without a box), are appended to those of the frame.
 */
export class Onnx extends CustomNode {
  readonly #settings: z.output<typeof schema>;
  readonly #root: string;
  #backend: WorkerPool | undefined;
  #client: InferenceClient | undefined;

  constructor(settings: JsonObject, root: string) {
    super();
    this.#settings = readSettings('onnx', schema, settings);
    this.#root = root;
  }

  override async start(): Promise<void> {
    const { config, parser, cores } = this.#settings;
    const spec = await readModelSpec(path.resolve(this.#root, config));
    const log = (_level: string, text: string): void => void process.stderr.write(`${text}\n`);
    this.#backend = new WorkerPool({ cores, log });
    const model = await this.#backend.load({ ...spec, ...(parser === undefined ? {} : { parser }) });
    const { report } = model;
    process.stdout.write(
      `${report.name}: ${report.input}, ${report.parser} (${report.parserReason}), ${report.provider}\n`,
    );
    this.#client = new InferenceClient(model.connect());
  }

  override async stop(): Promise<void> {
    this.#client?.close();
    await this.#backend?.stop();
  }

  override describe(): NodeDescription {
    return { image: 'numpy', response: 'insights' };
  }

  override async process(frame: NodeFrame): Promise<NodeAnswer | undefined> {
    const { pixels, width, height, colorFormat } = frame;
    if (pixels === undefined || this.#client === undefined) return undefined;
    const result = await this.#client.infer({
      pixels: toPlanes(pixels, width * height, colorFormat),
      pictureWidth: width,
      pictureHeight: height,
      view: { left: 0, top: 0, width, height },
    });
    if (result.error !== undefined) throw new Error(result.error);
    const [output] = result.outputs;
    return output === undefined ? undefined : { insights: { objects: this.#objects(output, frame) } };
  }

  #objects({ detections, attributes, text }: ModelOutput, { width, height, timestamp }: NodeFrame): NodeObject[] {
    const found: NodeObject[] = detections.map(({ label, confidence, box, attributes: own }) => ({
      label,
      confidence,
      timestamp,
      bbox: { l: box.left / width, t: box.top / height, w: box.width / width, h: box.height / height },
      attributes: own.map((attribute) => ({ ...attribute, timestamp })),
    }));
    for (const { label, confidence } of attributes) found.push({ label, confidence, timestamp });
    if (text !== undefined) found.push({ label: text.text, confidence: text.score, timestamp });
    return found.filter(({ confidence }) => confidence >= this.#settings.minConfidence);
  }
}

/** Planes G, B, R, as ffmpeg gives pictures to models. */
function toPlanes(pixels: Uint8Array, count: number, colorFormat: 'BGR' | 'RGB'): ArrayBuffer {
  const planes = new Uint8Array(count * CHANNELS);
  const [blue, red] = colorFormat === 'BGR' ? [0, 2] : [2, 0];
  for (let pixel = 0, at = 0; pixel < count; pixel += 1, at += CHANNELS) {
    planes[pixel] = pixels[at + 1] ?? 0;
    planes[count + pixel] = pixels[at + blue] ?? 0;
    planes[2 * count + pixel] = pixels[at + red] ?? 0;
  }
  return planes.buffer;
}
