import { InferenceClient } from '@vantage/inference';
import type { FrameObject } from '@vantage/skill';
import type { FlowPicture } from './frame-flow.ts';
import type { CameraSecondary, SecondaryCounters } from './protocol.ts';
import { SecondaryMemory } from './secondary-memory.ts';

interface Stage {
  readonly node: string;
  readonly order: number;
  readonly client: InferenceClient;
  readonly memory: SecondaryMemory;
  readonly counters: { looked: number; errors: number; inferenceUs: number };
}

export interface CascadeHandlers {
  readonly onProblem: (node: string, reason: string) => void;
}

/** The secondary models of a camera, one after the other: each sees the objects with what those before it said. */
export class Cascade {
  readonly #handlers: CascadeHandlers;
  readonly #failures = new Map<string, string>();
  #stages: readonly Stage[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(handlers: CascadeHandlers) {
    this.#handlers = handlers;
  }

  get isEmpty(): boolean {
    return this.#stages.length === 0;
  }

  get counters(): Readonly<Record<string, SecondaryCounters>> {
    return Object.fromEntries(
      this.#stages.map(({ node, counters: { looked, errors, inferenceUs } }) => [
        node.replace(/^model\//, ''),
        { looked, errors, inferenceMs: looked > 0 ? Math.round(inferenceUs / looked / 10) / 100 : 0 },
      ]),
    );
  }

  /** Applies from the next frame on. Resolves when the model that was there before has given its last answer. */
  set(secondary: CameraSecondary): Promise<void> {
    const gone = this.remove(secondary.node);
    const stage: Stage = {
      node: secondary.node,
      order: secondary.order,
      client: new InferenceClient(secondary.port),
      memory: new SecondaryMemory(secondary.rules),
      counters: { looked: 0, errors: 0, inferenceUs: 0 },
    };
    this.#stages = [...this.#stages, stage].sort((a, b) => a.order - b.order);
    return gone;
  }

  remove(node: string): Promise<void> {
    const old = this.#stages.find((stage) => stage.node === node);
    this.#stages = this.#stages.filter((stage) => stage !== old);
    // A frame that is on its way through the stages still passes this one; the next does not.
    return old ? this.#running.then(() => old.client.closeWhenIdle()) : Promise.resolve();
  }

  clear(): void {
    for (const { client } of this.#stages) client.closeWhenIdle();
    this.#stages = [];
  }

  reset(): void {
    for (const { memory } of this.#stages) memory.reset();
  }

  /** Shows the full picture to the models. Never rejects. */
  run(picture: FlowPicture, objects: readonly FrameObject[]): Promise<readonly FrameObject[]> {
    const done = this.#run(picture, objects);
    this.#running = done.then(() => undefined);
    return done;
  }

  async #run({ full, view, frameId }: FlowPicture, objects: readonly FrameObject[]): Promise<readonly FrameObject[]> {
    if (!full) return objects;
    const pixels = full.planes().buffer;
    let current = objects;
    for (const stage of this.#stages) {
      const { client, memory, counters, node } = stage;
      const chosen = memory.choose(current, frameId);
      if (chosen.length === 0) {
        current = memory.apply(current, [], [], frameId);
        continue;
      }
      const boxes = chosen.flatMap((at) => current[at]?.box ?? []);
      const result = await client.infer({
        pixels,
        pictureWidth: full.width,
        pictureHeight: full.height,
        view,
        regions: boxes,
      });
      counters.looked += chosen.length;
      counters.inferenceUs += result.inferenceUs;
      if (result.error !== undefined) counters.errors += 1;
      this.#tell(node, result.error);
      current = memory.apply(current, chosen, result.outputs, frameId);
    }
    return current;
  }

  /** Said once, not thirty times a second; the counters have the number. */
  #tell(node: string, error: string | undefined): void {
    if (error === undefined) this.#failures.delete(node);
    else if (this.#failures.get(node) !== error) {
      this.#failures.set(node, error);
      this.#handlers.onProblem(node, error);
    }
  }
}
