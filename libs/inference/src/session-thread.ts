import { Worker } from 'node:worker_threads';
import { VantageError } from '@vantage/contracts';
import { workerDied } from './errors.ts';
import type { ModelReport } from './model-spec.ts';
import type { InferenceLog } from './reading/custom-reader.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-protocol.ts';

/** How long a worker may answer what it still has before it is ended. */
const STOP_MS = 5000;

/** One inference worker, seen from the thread that started it. */
export class SessionThread {
  readonly report: ModelReport;
  readonly #worker: Worker;
  readonly #exited: Promise<VantageError>;
  #measured: ((runMs: number) => void) | undefined;

  private constructor(worker: Worker, report: ModelReport, exited: Promise<VantageError>, log: InferenceLog) {
    this.#worker = worker;
    this.report = report;
    this.#exited = exited;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'measured') this.#measured?.(message.runMs);
      if (message.kind === 'log') log(message.level, message.text, message.fields);
    });
  }

  /** @throws VantageError what the session says is wrong with the model */
  static start(setup: WorkerSetup, log: InferenceLog): Promise<SessionThread> {
    const { name } = setup.spec;
    const worker = new Worker(new URL('./worker/session-worker.ts', import.meta.url), {
      workerData: setup,
      name: `inference ${name}`,
    });
    const exited = new Promise<VantageError>((resolve) => {
      // Without a listener an error of the worker would be one of the whole process; `exit` follows it.
      worker.once('error', (error) => log('error', `inference of ${name}: ${String(error)}`));
      worker.once('exit', (code) => resolve(workerDied(name, code)));
    });
    return new Promise((resolve, reject) => {
      const onMessage = (message: FromWorker): void => {
        switch (message.kind) {
          case 'ready':
            worker.off('message', onMessage);
            resolve(new SessionThread(worker, message.report, exited, log));
            break;
          case 'failed':
            reject(new VantageError(message.code, message.message, { details: { model: name } }));
            break;
          case 'log':
            log(message.level, message.text, message.fields);
            break;
          case 'measured':
        }
      };
      worker.on('message', onMessage);
      void exited.then(reject);
    });
  }

  /** Resolves when the worker has ended, whoever ended it. */
  get exited(): Promise<VantageError> {
    return this.#exited;
  }

  /** @returns mean time of a run, milliseconds; Infinity when the worker ends meanwhile */
  measure(forMs: number): Promise<number> {
    return new Promise((resolve) => {
      this.#measured = resolve;
      void this.#exited.then(() => resolve(Infinity));
      this.post({ kind: 'measure', forMs });
    });
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message, message.kind === 'connect' ? [message.port] : []);
  }

  /** Answers what it still has, then ends, within five seconds. */
  async stop(): Promise<void> {
    this.post({ kind: 'stop' });
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
