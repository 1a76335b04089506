import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { VantageError } from '@vantage/contracts';
import type { InferenceBackend, LoadedModel } from './backend.ts';
import { workerDied } from './errors.ts';
import type { ModelReport, ModelSpec } from './model-spec.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-protocol.ts';

export interface WorkerPoolOptions {
  /** Sessions a model gets at most, one worker thread each; cameras are dealt out evenly. Default 1. */
  readonly sessionsPerModel?: number;
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
    const model = new PooledModel(spec, this.#options, () => this.#models.delete(model));
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

class PooledModel implements LoadedModel {
  readonly #spec: ModelSpec;
  readonly #options: WorkerPoolOptions;
  readonly #onUnloaded: () => void;
  readonly #workers: { worker: Worker; cameras: number }[] = [];
  #report: ModelReport | undefined;
  readonly #died = Promise.withResolvers<VantageError>();
  #unloading = false;

  constructor(spec: ModelSpec, options: WorkerPoolOptions, onUnloaded: () => void) {
    this.#spec = spec;
    this.#options = options;
    this.#onUnloaded = onUnloaded;
  }

  get report(): ModelReport {
    if (!this.#report) throw new VantageError('MODEL_NOT_READY', `${this.#spec.name} is not loaded`);
    return this.#report;
  }

  get died(): Promise<VantageError> {
    return this.#died.promise;
  }

  async start(): Promise<void> {
    const count = Math.max(1, this.#options.sessionsPerModel ?? 1);
    const reports = await Promise.all(Array.from({ length: count }, () => this.#startWorker()));
    this.#report = reports[0];
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const least = this.#workers.reduce((a, b) => (b.cameras < a.cameras ? b : a));
    least.cameras += 1;
    port2.once('close', () => (least.cameras -= 1));
    least.worker.postMessage({ kind: 'connect', port: port1 } satisfies ToWorker, [port1]);
    return port2;
  }

  async unload(): Promise<void> {
    if (this.#unloading) return;
    this.#unloading = true;
    this.#onUnloaded();
    await Promise.all(
      this.#workers.map(async ({ worker }) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.postMessage({ kind: 'stop' } satisfies ToWorker);
        const timer = setTimeout(() => void worker.terminate(), 5000);
        await ended;
        clearTimeout(timer);
      }),
    );
  }

  #startWorker(): Promise<ModelReport> {
    const worker = new Worker(new URL('./worker/session-worker.ts', import.meta.url), {
      workerData: {
        spec: this.#spec,
        runner: { threads: 1, providers: this.#spec.providers ?? ['cpu'], deviceId: this.#spec.infer.gpuId },
      } satisfies WorkerSetup,
      name: `inference ${this.#spec.name}`,
    });
    const entry = { worker, cameras: 0 };
    this.#workers.push(entry);
    return new Promise((resolve, reject) => {
      worker.once('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve(message.report);
        else reject(new VantageError(message.code, message.message, { details: { model: this.#spec.name } }));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => {
        this.#workers.splice(this.#workers.indexOf(entry), 1);
        const error = workerDied(this.#spec.name, code);
        reject(error);
        if (!this.#unloading && this.#report) this.#died.resolve(error);
      });
    });
  }
}
