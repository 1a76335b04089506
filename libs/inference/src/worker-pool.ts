import type { InferenceBackend, LoadedModel } from './backend.ts';
import type { ModelSpec } from './model-spec.ts';
import { PooledModel } from './pooled-model.ts';
import type { InferenceLog } from './reading/custom-reader.ts';

export interface WorkerPoolOptions {
  /**
   * Cores that a model may use. How (sessions of one thread each, or one session with more threads) is measured for
   * each model when it is loaded. Default 1.
   */
  readonly cores?: number;
  /** So many sessions of one thread for each model instead, without measuring. */
  readonly sessionsPerModel?: number;
  /** Folder for models as they were optimised: they load faster the next time. Absent: none are kept. */
  readonly cacheFolder?: string;
  /** URL of a module that exports `openParser` (`import.meta.resolve('@vantage/parser-host')`), for custom parsers. */
  readonly parserHost?: string;
  /** Takes what custom parsers print and what sessions warn of. */
  readonly log?: InferenceLog;
}

/** The in-process backend: ONNX Runtime blocks the thread it runs on, so each session has a worker of its own. */
export class WorkerPool implements InferenceBackend {
  readonly #options: WorkerPoolOptions;
  readonly #models = new Set<PooledModel>();

  constructor(options: WorkerPoolOptions = {}) {
    this.#options = options;
  }

  async load(spec: ModelSpec): Promise<LoadedModel> {
    // Read by the native library itself, so it has to be in the real environment before the first session.
    process.env['ORT_DISABLE_TELEMETRY'] = '1';
    const { cores = 1, sessionsPerModel, cacheFolder, parserHost, log = () => undefined } = this.#options;
    const model = new PooledModel(spec, {
      sessions: sessionsPerModel,
      cores,
      cacheFolder,
      parserHost,
      log,
      onUnloaded: () => this.#models.delete(model),
    });
    this.#models.add(model);
    try {
      await model.start();
    } catch (error) {
      await model.unload();
      throw error;
    }
    return model;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#models].map((model) => model.unload()));
  }
}
