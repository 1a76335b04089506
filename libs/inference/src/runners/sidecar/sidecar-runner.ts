import { isObject, messageOf } from '@vantage/contracts';
import { Backoff } from '@vantage/observability';
import type { TensorData, TensorInfo } from '@vantage/vision';
import { modelLoadFailed, sidecarUnavailable } from '../../errors.ts';
import type { TensorRunner } from '../runner.ts';
import { TensorMemory } from '../tensor-memory.ts';
import { SidecarEnded, SidecarProcess, type Message } from './process.ts';
import { SharedMemory } from './shared-memory.ts';

/** TensorRT builds an engine while a model loads or runs first: minutes, on a Jetson many of them. */
const LOAD_MS = 120_000;
const LOAD_WITH_TENSORRT_MS = 30 * 60_000;

/** The interpreter cannot be started or lacks the onnxruntime package: another one may do. */
export class PackageMissing extends Error {}

export interface SidecarSetup {
  readonly name: string;
  readonly python: string;
  /** First message to a process: see sidecar.py. */
  readonly load: Message;
  /** The model itself, where it is in no file. */
  readonly model?: Uint8Array;
  readonly usesTensorRt: boolean;
  readonly deadlineMs: number;
  readonly restartMs: number;
}

interface Ready {
  readonly runtime: string;
  readonly provider: string;
  readonly missed: readonly string[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** One model in one process, and another process when that one ends. */
export class SidecarRunner implements TensorRunner {
  readonly #setup: SidecarSetup;
  readonly #memory: SharedMemory;
  readonly #outputs = new TensorMemory();
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #process: SidecarProcess | undefined;
  #ready: Ready | undefined;
  #reason = 'it is not started';
  #isFirstRun = true;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(setup: SidecarSetup) {
    this.#setup = setup;
    this.#memory = SharedMemory.open();
    this.#backoff = new Backoff({ baseMs: setup.restartMs, capMs: 30_000, resetAfterMs: 10_000 });
  }

  /** @throws PackageMissing, VantageError `MODEL_LOAD_FAILED`, `SIDECAR_UNAVAILABLE` */
  static async start(setup: SidecarSetup): Promise<SidecarRunner> {
    const runner = new SidecarRunner(setup);
    try {
      await runner.#open();
      return runner;
    } catch (error) {
      await runner.close();
      throw error;
    }
  }

  get inputs(): readonly TensorInfo[] {
    return this.#ready?.inputs ?? [];
  }

  get outputs(): readonly TensorInfo[] {
    return this.#ready?.outputs ?? [];
  }

  /** Of the process that runs now; a later one may have to do with another. */
  get provider(): string {
    return this.#ready?.provider ?? 'none';
  }

  get providerReason(): string | undefined {
    const missed = this.#ready?.missed ?? [];
    return missed.length === 0 ? undefined : missed.join('; ');
  }

  /** Version of the onnxruntime package. */
  get runtime(): string {
    return this.#ready?.runtime ?? '';
  }

  /** Interpreter that has it. */
  get python(): string {
    return this.#setup.python;
  }

  /** Process that runs the model now; undefined while there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Batches that are handed over while one runs wait for their turn. */
  run(feeds: readonly TensorData[]): Promise<readonly TensorData[]> {
    const result = this.#turn.then(() => this.#run(feeds));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#process?.stop();
    this.#memory.close();
  }

  async #run(feeds: readonly TensorData[]): Promise<readonly TensorData[]> {
    const process = this.#process;
    const ready = this.#ready;
    if (process === undefined || ready === undefined || this.#closing.signal.aborted) {
      throw sidecarUnavailable(this.#setup.name, this.#reason);
    }
    this.#memory.rewind();
    const inputs = feeds.map(({ name, type = 'float32', dims, data }) => ({
      name,
      type,
      dims,
      offset: this.#memory.write(data),
    }));
    const deadlineMs = this.#isFirstRun ? Math.max(this.#loadMs, this.#setup.deadlineMs) : this.#setup.deadlineMs;
    let answer: Message;
    try {
      answer = await process.exchange({ run: { inputs, end: this.#memory.end } }, deadlineMs);
    } catch (error) {
      this.#lost(messageOf(error));
      throw sidecarUnavailable(this.#setup.name, this.#reason);
    }
    // The memory is gone, and its number may be that of another file by now.
    if (this.#closing.signal.aborted) throw sidecarUnavailable(this.#setup.name, 'it is closed');
    const { outputs, error } = answer;
    if (!Array.isArray(outputs)) throw new Error(typeof error === 'string' ? error : 'the sidecar gave no outputs');
    this.#isFirstRun = false;
    this.#backoff.healthy();
    return outputs.filter(isObject).map((output) => this.#read(output));
  }

  #read(output: Message): TensorData {
    const name = String(output['name']);
    const type = String(output['type']);
    const dims = (output['dims'] as readonly unknown[]).map(Number);
    const data = this.#outputs.take(
      name,
      type,
      dims.reduce((count, size) => count * size, 1),
    );
    this.#memory.read(Number(output['offset']), data);
    return { name, type, dims, data };
  }

  get #loadMs(): number {
    return this.#setup.usesTensorRt ? LOAD_WITH_TENSORRT_MS : LOAD_MS;
  }

  async #open(): Promise<void> {
    const { name, python, load, model } = this.#setup;
    this.#memory.rewind();
    if (model !== undefined) this.#memory.write(model);
    const process = new SidecarProcess(python, this.#memory.fd);
    const stop = (): void => void process.stop();
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    try {
      const answer = await process.exchange({ load }, this.#loadMs);
      const { ready, failed } = answer;
      if (isObject(failed)) {
        const reason = `${String(failed['reason'])}${process.lastWords('; it printed: ')}`;
        if (failed['what'] === 'package') throw new PackageMissing(reason);
        throw modelLoadFailed(name, reason);
      }
      if (!isObject(ready)) throw new SidecarEnded('it sent what is no answer');
      const missed = ready['missed'] as readonly string[];
      this.#ready = {
        ...(ready as unknown as Ready),
        missed: missed.map((one, at) => (at === missed.length - 1 ? one + process.lastWords('; it printed: ') : one)),
      };
    } catch (error) {
      await process.stop();
      if (!(error instanceof SidecarEnded)) throw error;
      if (process.pid === undefined) throw new PackageMissing(error.message);
      throw sidecarUnavailable(name, error.message);
    } finally {
      this.#closing.signal.removeEventListener('abort', stop);
    }
    process.onIdleEnd = (error) => this.#lost(error.message);
    this.#isFirstRun = true;
    this.#process = process;
  }

  /** Starts again until it works or nobody wants it any more. */
  #lost(reason: string): void {
    const gone = this.#process;
    this.#process = undefined;
    this.#reason = `${reason}; it is being started again`;
    void gone?.stop();
    void this.#openAgain();
  }

  async #openAgain(): Promise<void> {
    while (await this.#backoff.wait(this.#closing.signal)) {
      try {
        await this.#open();
        // Closed while it was starting.
        if (this.#closing.signal.aborted) await this.#process?.stop();
        return;
      } catch (error) {
        this.#reason = messageOf(error);
      }
    }
  }
}
