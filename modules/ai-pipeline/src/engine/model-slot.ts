import { codeOf, messageOf, type VantageError } from '@vantage/contracts';
import type { InferenceBackend, LoadedModel, ModelSpec } from '@vantage/inference';
import { Backoff } from '@vantage/observability';
import type { ModelNode } from '@vantage/skill';

/** Errors that time may heal: the model is asked for again. */
const RETRYABLE = new Set(['MODEL_DOWNLOAD_FAILED', 'INFERENCE_WORKER_DIED', 'REMOTE_UNREACHABLE']);
/** How long the old model waits at most for its last frames. */
const HAND_OVER_MS = 30_000;

export interface RunningModel {
  readonly loaded: LoadedModel;
  readonly spec: ModelSpec;
}

export interface ModelSlotOptions {
  readonly backend: InferenceBackend;
  readonly resolveModel: (node: ModelNode, signal: AbortSignal) => Promise<ModelSpec>;
  /** The new one runs. Resolves when nobody uses the old one any more. */
  readonly onTaken: () => Promise<void>;
  readonly onProblem: (code: string, message: string) => void;
}

/** The place of one model in a pipeline: one that runs, and perhaps one that loads beside it. */
export class ModelSlot {
  readonly #options: ModelSlotOptions;
  readonly #restarts = new Backoff({ baseMs: 1000, capMs: 60_000 });
  readonly #stopped = new AbortController();
  #node: ModelNode;
  #attempt = new AbortController();
  #current: RunningModel | undefined;

  constructor(node: ModelNode, options: ModelSlotOptions) {
    this.#node = node;
    this.#options = options;
  }

  get node(): ModelNode {
    return this.#node;
  }

  get current(): RunningModel | undefined {
    return this.#current;
  }

  /** Loads `node` beside what runs, and puts it in its place; if it cannot be had, what runs goes on. Never rejects. */
  async load(node: ModelNode = this.#node): Promise<void> {
    this.#node = node;
    this.#attempt.abort();
    const { signal } = (this.#attempt = new AbortController());
    const backoff = new Backoff({ baseMs: 2000, capMs: 60_000 });
    do {
      try {
        const spec = await this.#options.resolveModel(node, signal);
        const loaded = await this.#options.backend.load(spec);
        if (signal.aborted) await loaded.unload();
        else await this.#take({ loaded, spec });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const kept = this.#current ? '; the model that ran before goes on' : '';
        const code = codeOf(error) ?? 'MODEL_LOAD_FAILED';
        this.#options.onProblem(code, `${messageOf(error)}${kept}`);
        if (!RETRYABLE.has(code)) return;
      }
    } while (await backoff.wait(signal));
  }

  /** Ends what runs and what loads. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#attempt.abort();
    const old = this.#current;
    this.#current = undefined;
    await old?.loaded.unload();
  }

  async #take(next: RunningModel): Promise<void> {
    const old = this.#current;
    this.#current = next;
    void next.loaded.died.then((error) => this.#revive(next.loaded, error));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, HAND_OVER_MS)));
    await Promise.race([this.#options.onTaken(), late]);
    clearTimeout(timer);
    await old?.loaded.unload();
  }

  /** A session ended by itself: its cameras wait for the same model, loaded anew. */
  async #revive(dead: LoadedModel, error: VantageError): Promise<void> {
    if (this.#current?.loaded !== dead || this.#stopped.signal.aborted) return;
    this.#options.onProblem(error.code, `${error.message}; it is loaded again`);
    const wanted = await this.#restarts.wait(this.#stopped.signal);
    if (wanted && this.#current?.loaded === dead) await this.load();
  }
}
