import ort from 'onnxruntime-node';
import { messageOf } from '@vantage/contracts';
import type { TensorData, TensorInfo } from '@vantage/vision';
import { modelLoadFailed } from '../errors.ts';
import { withOptimisedModel } from './optimised-models.ts';
import type { ExecutionProvider, RunnerOptions, TensorRunner } from './runner.ts';

/**
 * ONNX Runtime on the thread that opened it: a run blocks the thread.
 *
 * @param model path of a file, or its bytes
 * @throws VantageError `MODEL_LOAD_FAILED`
 */
export async function openOnnxRuntime(
  name: string,
  model: string | Uint8Array,
  options: RunnerOptions,
): Promise<TensorRunner> {
  const missed: string[] = [];
  for (const provider of fallbacks(options.providers)) {
    try {
      const session = await create(model, provider, options);
      return new OnnxRuntimeRunner(session, provider, missed.join('; ') || undefined);
    } catch (error) {
      // The binding does not fall back by itself.
      if (provider === 'cpu') throw modelLoadFailed(name, messageOf(error));
      missed.push(`${provider}: ${messageOf(error)}`);
    }
  }
  throw modelLoadFailed(name, missed.join('; '));
}

function fallbacks(providers: readonly ExecutionProvider[]): ExecutionProvider[] {
  return [...new Set<ExecutionProvider>([...providers, 'cpu'])];
}

async function create(
  model: string | Uint8Array,
  provider: ExecutionProvider,
  { threads, deviceId, cacheFolder }: RunnerOptions,
): Promise<ort.InferenceSession> {
  const session: ort.InferenceSession.SessionOptions = {
    // Of CUDA and TensorRT the binding reads the device only; what TensorRT cannot run goes to CUDA.
    executionProviders:
      provider === 'cpu'
        ? ['cpu']
        : [{ name: provider, deviceId }, ...(provider === 'tensorrt' ? [{ name: 'cuda', deviceId } as const] : [])],
    graphOptimizationLevel: 'all',
    // No spinning: with cameras competing, spinning made two threads slower than one (docs/performance.md, "Threads").
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Its warnings (hundreds of lines for some models) would go to stderr past the log; errors are thrown.
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
  const open = (from: string | Uint8Array, own: ort.InferenceSession.SessionOptions): Promise<ort.InferenceSession> =>
    typeof from === 'string' ? ort.InferenceSession.create(from, own) : ort.InferenceSession.create(from, own);
  if (cacheFolder === undefined || provider !== 'cpu') return open(model, session);
  return withOptimisedModel(model, cacheFolder, ort.env.versions.node ?? ort.env.versions.common, {
    load: (file) => open(file, { ...session, graphOptimizationLevel: 'disabled' }),
    make: (file) => open(model, { ...session, ...(file === undefined ? {} : { optimizedModelFilePath: file }) }),
  });
}

class OnnxRuntimeRunner implements TensorRunner {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly provider: string;
  readonly providerReason?: string;
  readonly #session: ort.InferenceSession;
  #results: ort.InferenceSession.ReturnType = {};
  #closed = false;

  constructor(session: ort.InferenceSession, provider: string, reason: string | undefined) {
    this.#session = session;
    this.inputs = session.inputMetadata.map(tensorInfo);
    this.outputs = session.outputMetadata.map(tensorInfo);
    this.provider = provider;
    if (reason !== undefined) this.providerReason = reason;
  }

  async run(feeds: readonly TensorData[]): Promise<readonly TensorData[]> {
    const named: Record<string, ort.Tensor> = {};
    for (const { name, type, data, dims } of feeds) {
      // The tensor wraps the memory of the feed: nothing is copied.
      named[name] = new ort.Tensor((type ?? 'float32') as 'float32', data as Float32Array, dims);
    }
    for (const result of Object.values(this.#results)) release(result);
    const results = await this.#session.run(named);
    this.#results = results;
    return this.outputs.map(({ name, type }): TensorData => {
      const tensor = results[name];
      if (tensor === undefined) return { name, dims: [0], data: new Float32Array(0), type };
      return { name, dims: tensor.dims, data: elementsOf(tensor), type: tensor.type };
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.release();
  }
}

/**
 * Gives the memory of an output back at once: left to the garbage collector, megabytes of each run would wait for it and
 * set it off again and again, and the next run would have to ask the system for new pages.
 */
function release(value: ort.OnnxValue | undefined): void {
  const data = value instanceof ort.Tensor && value.location === 'cpu' ? value.data : undefined;
  const memory = ArrayBuffer.isView(data) ? data.buffer : undefined;
  if (memory instanceof ArrayBuffer && !memory.detached) memory.transfer(0);
}

/** Newer JavaScript engines give half precision as an array of its own; here it is 16-bit patterns everywhere. */
function elementsOf({ data, type }: ort.Tensor): TensorData['data'] {
  const elements = data as TensorData['data'];
  if (type !== 'float16' || elements instanceof Uint16Array) return elements;
  const view = elements as ArrayBufferView;
  return new Uint16Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength / 2);
}

function tensorInfo(value: ort.InferenceSession.ValueMetadata): TensorInfo {
  if (!value.isTensor) return { name: value.name, dims: [], type: 'sequence' };
  return { name: value.name, dims: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)), type: value.type };
}
