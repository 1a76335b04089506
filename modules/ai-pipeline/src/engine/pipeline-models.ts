import type { ModelReport } from '@vantage/inference';
import type { ModelNode } from '@vantage/skill';
import { ModelSlot, type ModelSlotOptions, type RunningModel } from './model-slot.ts';

export interface PipelineModelsOptions extends Pick<ModelSlotOptions, 'backend' | 'resolveModel'> {
  /** It runs. Resolves when nobody uses the one before any more. */
  readonly onTaken: (node: string) => Promise<void>;
  readonly onProblem: (node: string, code: string, message: string) => void;
}

/** The models of a pipeline, by node: what runs, and what loads beside it. */
export class PipelineModels {
  readonly #options: PipelineModelsOptions;
  readonly #slots = new Map<string, ModelSlot>();
  /** Those that could not be had, and none runs in their place. */
  readonly #failed = new Set<string>();

  constructor(options: PipelineModelsOptions) {
    this.#options = options;
  }

  current(node: string | undefined): RunningModel | undefined {
    return node === undefined ? undefined : this.#slots.get(node)?.current;
  }

  report(node: string | undefined): ModelReport | undefined {
    return this.current(node)?.loaded.report;
  }

  hasFailed(node: string): boolean {
    return this.#failed.has(node);
  }

  /** Beside what runs; if it cannot be had, that goes on and the problem is reported. Never rejects. */
  async load(node: ModelNode): Promise<void> {
    let slot = this.#slots.get(node.id);
    if (!slot) {
      const { resolveModel, backend, onTaken, onProblem } = this.#options;
      slot = new ModelSlot(node, {
        resolveModel,
        backend,
        onTaken: () => {
          this.#failed.delete(node.id);
          return onTaken(node.id);
        },
        onProblem: (code, message) => {
          if (!this.current(node.id)) this.#failed.add(node.id);
          onProblem(node.id, code, message);
        },
      });
      this.#slots.set(node.id, slot);
    }
    await slot.load(node);
  }

  /** @param unused resolves when no camera uses it any more */
  async remove(node: string, unused: Promise<void>): Promise<void> {
    const slot = this.#slots.get(node);
    this.#slots.delete(node);
    this.#failed.delete(node);
    await unused;
    await slot?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.stop()));
    this.#slots.clear();
  }
}
