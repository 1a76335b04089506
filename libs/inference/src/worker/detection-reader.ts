import type ort from 'onnxruntime-node';
import {
  CandidateList,
  Suppressor,
  parseSettings,
  toDetections,
  type Detection,
  type Fit,
  type ParseOutputs,
  type ParseSettings,
  type SuppressionSettings,
  type TensorData,
} from '@vantage/vision';
import type { ModelSpec } from '../model-spec.ts';
import { classLimits } from './class-limits.ts';

export interface DetectionReaderOptions {
  readonly parse: ParseOutputs;
  /** What overlapping boxes need: `none` for a model that ends in suppression. */
  readonly suppression: 'nms' | 'none';
  readonly outputNames: readonly string[];
  readonly spec: ModelSpec;
}

/** From a network's output tensors to detections in pixels of the picture that was looked at. */
export class DetectionReader {
  readonly #options: DetectionReaderOptions;
  readonly #settings: ParseSettings;
  readonly #suppression: SuppressionSettings;
  readonly #isWithinLimits: ReturnType<typeof classLimits>;
  readonly #candidates = new CandidateList();
  readonly #suppressor = new Suppressor();

  constructor(options: DetectionReaderOptions) {
    this.#options = options;
    const { infer } = options.spec;
    const { all, perClass } = infer.classAttributes;
    this.#settings = parseSettings(
      all.preClusterThreshold,
      new Map([...perClass].map(([classId, own]) => [classId, own.preClusterThreshold])),
      infer.filterOutClassIds,
    );
    this.#isWithinLimits = classLimits(infer.classAttributes);
    const topKs = [...perClass].filter(([, own]) => own.topK !== undefined);
    this.#suppression = {
      mode: options.suppression,
      iouThreshold: all.nmsIouThreshold,
      iouThresholds: new Map([...perClass].map(([classId, own]) => [classId, own.nmsIouThreshold])),
      ...(all.topK === undefined ? {} : { topK: all.topK }),
      topKs: new Map(topKs.map(([classId, own]) => [classId, own.topK as number])),
    };
  }

  read(results: ort.InferenceSession.ReturnType, fit: Fit): Detection[] {
    const { parse, outputNames, spec } = this.#options;
    this.#candidates.reset();
    const tensors = outputNames.map((name): TensorData => {
      const tensor = results[name] as ort.Tensor;
      return { name, dims: tensor.dims, data: tensor.data as TensorData['data'] };
    });
    parse(tensors, 0, this.#settings, this.#candidates);
    const kept = this.#suppressor.run(this.#candidates, this.#suppression);
    const detections = toDetections(this.#candidates, kept, fit, {
      labels: spec.labels,
      componentId: spec.infer.gieUniqueId,
    });
    const isWithinLimits = this.#isWithinLimits;
    return isWithinLimits ? detections.filter((one) => isWithinLimits(one, fit.sourceHeight)) : detections;
  }
}
