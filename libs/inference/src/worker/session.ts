import ort from 'onnxruntime-node';
import { messageOf } from '@vantage/contracts';
import { chooseParser, type Detection, type NetworkInfo, type TensorInfo } from '@vantage/vision';
import { modelLoadFailed, modelWithoutPicture, networkSizeMismatch, networkSizeUnknown } from '../errors.ts';
import type { FrameRequest } from '../frame-port.ts';
import type { ModelReport, ModelSpec } from '../model-spec.ts';
import { PictureTensor } from './picture-tensor.ts';
import { DetectionReader } from './detection-reader.ts';

/** One ONNX Runtime session on the thread that created it, from a picture's bytes to detections. */
export class Session {
  readonly report: ModelReport;
  readonly #session: ort.InferenceSession;
  readonly #picture: PictureTensor;
  readonly #feeds: Record<string, ort.Tensor>;
  readonly #reader: DetectionReader;

  private constructor(parts: {
    report: ModelReport;
    session: ort.InferenceSession;
    inputName: string;
    picture: PictureTensor;
    reader: DetectionReader;
  }) {
    this.report = parts.report;
    this.#session = parts.session;
    this.#picture = parts.picture;
    this.#reader = parts.reader;
    // The tensor wraps the picture's own memory: writing the next picture there is all it takes to feed it.
    this.#feeds = { [parts.inputName]: parts.picture.tensor };
  }

  /** @throws VantageError MODEL_LOAD_FAILED and the other codes of `errors.ts`. */
  static async open(spec: ModelSpec): Promise<Session> {
    const started = performance.now();
    let session: ort.InferenceSession;
    try {
      session = await ort.InferenceSession.create(spec.onnxFile, {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        // One thread a session, no spinning: with cameras competing, spinning made two threads slower than one
        // (docs/performance.md, "Threads").
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        // Its warnings (hundreds of lines for some models) would go to stderr past the log; errors are thrown.
        logSeverityLevel: 3,
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      });
    } catch (error) {
      throw modelLoadFailed(spec.name, messageOf(error));
    }
    const loadMs = performance.now() - started;

    const input = pictureInput(spec, session);
    const network = networkSize(spec, input);
    const outputs = session.outputMetadata.map(tensorInfo);
    const requested = spec.parser ?? spec.infer.parserFunction;
    const net: NetworkInfo = {
      ...network,
      labels: spec.labels,
      ...(spec.infer.classCount === undefined ? {} : { classCount: spec.infer.classCount }),
    };
    const { parser, reason, suppression } = chooseParser({
      ...(requested === undefined ? {} : { requested }),
      outputs,
      net,
    });
    const { clusterMode, clusterModeIsDefault } = spec.infer;
    const picture = new PictureTensor({
      ...network,
      infer: spec.infer,
      layout: input.layout,
      padValue: spec.infer.padValue ?? parser.network.padValue ?? 0,
    });
    const reader = new DetectionReader({
      parse: parser.create(outputs, net),
      // A configuration that says so has the last word; its default would suppress what the model has suppressed.
      suppression: clusterModeIsDefault ? suppression : clusterMode === 'none' ? 'none' : 'nms',
      outputNames: outputs.map((output) => output.name),
      spec,
    });

    const opened = new Session({
      session,
      inputName: input.name,
      picture,
      reader,
      report: {
        name: spec.name,
        input: `${input.name} ${input.type} [${input.dims.join(',')}]`,
        outputs: outputs.map((output) => `${output.name} ${output.type} [${output.dims.join(',')}]`),
        network,
        parser: parser.name,
        parserReason: reason,
        provider: 'cpu',
        loadMs: Math.round(loadMs),
        warmUpMs: 0,
      },
    });
    const warmUpStarted = performance.now();
    await opened.#session.run(opened.#feeds);
    (opened.report as { warmUpMs: number }).warmUpMs = Math.round(performance.now() - warmUpStarted);
    return opened;
  }

  /** Detections in pixels of the camera's whole frame, best first. */
  async run(frame: FrameRequest): Promise<Detection[]> {
    const fit = this.#picture.write(frame);
    const detections = this.#reader.read(await this.#session.run(this.#feeds), fit);
    const { left, top } = frame.view;
    return left === 0 && top === 0 ? detections : detections.map((detection) => moved(detection, left, top));
  }
}

type Metadata = ort.InferenceSession.ValueMetadata;

function tensorInfo(value: Metadata): TensorInfo {
  if (!value.isTensor) return { name: value.name, dims: [], type: 'sequence' };
  return { name: value.name, dims: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)), type: value.type };
}

function moved(detection: Detection, dx: number, dy: number): Detection {
  const { box, points } = detection;
  return {
    ...detection,
    box: { ...box, left: box.left + dx, top: box.top + dy },
    ...(points ? { points: points.map(({ x, y }) => ({ x: x + dx, y: y + dy })) } : {}),
  };
}

interface PictureInput extends TensorInfo {
  readonly layout: 'NCHW' | 'NHWC';
}

/** The one input that can hold a colour picture: float32, four dimensions, 3 channels in second or last place. */
function pictureInput(spec: ModelSpec, session: ort.InferenceSession): PictureInput {
  const inputs = session.inputMetadata.map(tensorInfo);
  for (const input of inputs) {
    const [, second, , last] = input.dims;
    if (input.dims.length !== 4 || input.type !== 'float32') continue;
    if (last === 3 && (second !== 3 || spec.infer.inputOrder === 'NHWC')) return { ...input, layout: 'NHWC' };
    if (second === 3 || second === -1) return { ...input, layout: 'NCHW' };
  }
  throw modelWithoutPicture(
    spec.name,
    inputs.map((input) => `${input.name} ${input.type} [${input.dims.join(',')}]`).join(', ') || 'none',
  );
}

function networkSize(spec: ModelSpec, input: PictureInput): { width: number; height: number } {
  const [height, width] = input.layout === 'NHWC' ? [input.dims[1], input.dims[2]] : [input.dims[2], input.dims[3]];
  const asked = spec.infer.inferDims;
  if (height === undefined || width === undefined || height < 1 || width < 1) {
    if (!asked) throw networkSizeUnknown(spec.name, input.name);
    return { width: asked.width, height: asked.height };
  }
  if (asked && (asked.width !== width || asked.height !== height)) {
    throw networkSizeMismatch(
      spec.name,
      `${asked.channels};${asked.height};${asked.width}`,
      `${height}x${width} (height x width)`,
    );
  }
  return { width, height };
}
