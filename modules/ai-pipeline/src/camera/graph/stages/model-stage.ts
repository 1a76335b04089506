import { InferenceClient } from '@vantage/inference';
import type { FrameInsights } from '@vantage/skill';
import { frameParts, objectsOf } from '../../results.ts';
import { SecondaryMemory } from '../../secondary-memory.ts';
import type { BranchModel } from '../camera-graph.ts';
import type { CameraFrame, GraphStage } from '../stage.ts';

interface Loaded {
  readonly client: InferenceClient;
  readonly model: BranchModel;
  /** Of a model that looks at objects. */
  readonly memory: SecondaryMemory | undefined;
}

/**
 * A model behind the trunk. It sees the full picture, as the nodes before it have left it: the whole frame, or each
 * object's box. What it finds is added; frames that it does not look at, or fails on, go on as they are.
 */
export class ModelStage implements GraphStage {
  readonly #onProblem: (reason: string) => void;
  readonly #counters = { looked: 0, errors: 0, inferenceUs: 0 };
  #loaded: Loaded | undefined;
  #failure: string | undefined;
  #frames = 0;

  constructor(onProblem: (reason: string) => void) {
    this.#onProblem = onProblem;
  }

  /** What one remembers of tracks needs one frame after the other. */
  get concurrency(): number {
    return this.#loaded && !this.#loaded.memory ? this.#loaded.client.capacity : 1;
  }

  /** From the next frame on. The old one is let go of when its last answer is in. */
  use(model: BranchModel | undefined): void {
    this.#loaded?.client.closeWhenIdle();
    this.#loaded = model && {
      client: new InferenceClient(model.port),
      model,
      memory: model.rules && new SecondaryMemory(model.rules),
    };
  }

  process(frame: CameraFrame): CameraFrame | Promise<CameraFrame> {
    const loaded = this.#loaded;
    if (!loaded || !frame.picture) return frame;
    return loaded.memory ? this.#onObjects(loaded, loaded.memory, frame) : this.#onFrame(loaded, frame);
  }

  report(): Record<string, unknown> {
    const { looked, errors, inferenceUs } = this.#counters;
    return { looked, errors, inferenceMs: looked > 0 ? Math.round(inferenceUs / looked / 10) / 100 : 0 };
  }

  reset(): void {
    this.#loaded?.memory?.reset();
  }

  stop(): void {
    this.use(undefined);
  }

  #onFrame({ client, model }: Loaded, frame: CameraFrame): CameraFrame | Promise<CameraFrame> {
    if (this.#frames++ % (model.interval + 1) !== 0) return frame;
    return this.#ask(client, frame, undefined).then((outputs) => {
      const [output] = outputs;
      if (!output) return frame;
      const { insights } = frame;
      const parts = frameParts(output);
      const classifications = [...(insights.classifications ?? []), ...(parts.classifications ?? [])];
      const told: FrameInsights = {
        ...insights,
        ...parts,
        detections: [...insights.detections, ...objectsOf(output, model.labels)],
        ...(classifications.length > 0 ? { classifications } : {}),
      };
      return { ...frame, insights: told };
    });
  }

  async #onObjects({ client }: Loaded, memory: SecondaryMemory, frame: CameraFrame): Promise<CameraFrame> {
    const { insights } = frame;
    const { detections, frameId } = insights;
    const chosen = memory.choose(detections, frameId);
    const boxes = chosen.flatMap((at) => detections[at]?.box ?? []);
    const outputs = boxes.length === 0 ? [] : await this.#ask(client, frame, boxes);
    return { ...frame, insights: { ...insights, detections: memory.apply(detections, chosen, outputs, frameId) } };
  }

  async #ask(
    client: InferenceClient,
    { picture }: CameraFrame,
    regions: Parameters<InferenceClient['infer']>[0]['regions'],
  ) {
    if (!picture) return [];
    const { outputs, inferenceUs, error } = await client.infer({
      pixels: picture.planes().buffer,
      pictureWidth: picture.width,
      pictureHeight: picture.height,
      view: picture.view,
      ...(regions ? { regions } : {}),
    });
    this.#counters.looked += regions?.length ?? 1;
    this.#counters.inferenceUs += inferenceUs;
    if (error !== undefined) this.#counters.errors += 1;
    // Said once, not thirty times a second; the counters have the number.
    if (error !== undefined && error !== this.#failure) this.#onProblem(error);
    this.#failure = error;
    return outputs;
  }
}
