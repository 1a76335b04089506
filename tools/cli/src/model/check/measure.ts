import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { VantageError } from '@vantage/contracts';
import { demo } from '@vantage/demo';
import { InferenceClient, WorkerPool, type ModelSpec } from '@vantage/inference';
import type { Ffmpeg } from '@vantage/media';

/** What a model costs on this machine. */
export interface Speed {
  readonly provider: string;
  readonly cores: number;
  /** One picture at a time, milliseconds from handing it over to its answer. */
  readonly latencyMs: { readonly p50: number; readonly p95: number };
  /** Pictures a second with all sessions busy. */
  readonly perSecond: number;
  /** Processor time of one picture, milliseconds; of a GPU's work only what the processor does. */
  readonly cpuMs: number;
  /** Processor time of decoding and scaling one frame, milliseconds, and of which video. */
  readonly decodeMs: number;
  readonly decodeOf: string;
  readonly cameras: readonly CameraCount[];
}

export interface CameraCount {
  /** Pictures that the model looks at, a second and camera. */
  readonly rate: number;
  readonly cameras: number;
  readonly limit: 'processor' | 'model';
}

/** Frames a second that a camera sends, decoded whatever the model's rate. */
const CAMERA_FPS = 25;
/** Part of the machine that is counted on: the rest is for messages, clips and what else runs. */
const SHARE = 0.85;
const RATES = [1, 2, 5, 10, 25] as const;
const WARM_UP_RUNS = 3;
const MIN_RUNS = 10;

/**
 * Measures a model in the ai-pipeline's own sessions.
 *
 * @param seconds about how long each of the two measurements takes
 * @throws VantageError of loading the model; `MODEL_RUN_FAILED`
 */
export async function measure(
  spec: ModelSpec,
  { seconds, ffmpeg, video }: { readonly seconds: number; readonly ffmpeg: Ffmpeg; readonly video?: string },
): Promise<Speed> {
  const backend = new WorkerPool();
  try {
    const model = await backend.load(spec);
    const { width, height } = model.report.network;
    const client = new InferenceClient(model.connect());
    const run = async (pixels: ArrayBuffer): Promise<ArrayBuffer> => {
      const view = { left: 0, top: 0, width, height };
      const { pixels: back, error } = await client.infer({ pixels, pictureWidth: width, pictureHeight: height, view });
      if (error !== undefined) throw runFailed(spec.name, error);
      return back;
    };
    let picture = grey(width * height * 3);
    for (let i = 0; i < WARM_UP_RUNS; i += 1) picture = await run(picture);
    const latencies: number[] = [];
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until || latencies.length < MIN_RUNS) {
      const started = performance.now();
      picture = await run(picture);
      latencies.push(performance.now() - started);
    }
    const busy = await throughput(run, width * height * 3, seconds);
    client.close();
    const decode = await decodeCost(ffmpeg, video ?? demo.video, width, height);
    const cores = os.availableParallelism();
    return {
      provider: model.report.provider,
      cores,
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
      ...busy,
      decodeMs: decode.ms,
      decodeOf: decode.of,
      cameras: camerasOf(cores, busy, decode.ms),
    };
  } finally {
    await backend.stop();
  }
}

/** How many cameras this machine carries at each rate. */
export function camerasOf(
  cores: number,
  { cpuMs, perSecond }: { readonly cpuMs: number; readonly perSecond: number },
  decodeMs: number,
): CameraCount[] {
  return RATES.map((rate) => {
    const cameraMs = CAMERA_FPS * decodeMs + rate * cpuMs;
    const byProcessor = Math.floor((cores * 1000 * SHARE) / cameraMs);
    const byModel = Math.floor((perSecond * SHARE) / rate);
    return { rate, cameras: Math.min(byProcessor, byModel), limit: byModel < byProcessor ? 'model' : 'processor' };
  });
}

async function throughput(
  run: (pixels: ArrayBuffer) => Promise<ArrayBuffer>,
  bytes: number,
  seconds: number,
): Promise<{ perSecond: number; cpuMs: number }> {
  let runs = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const until = started + seconds * 1000;
  // Enough under way for every session, however many the backend opened.
  const lanes = Array.from({ length: 2 * os.availableParallelism() }, async () => {
    let picture = grey(bytes);
    do {
      picture = await run(picture);
      runs += 1;
    } while (performance.now() < until);
  });
  await Promise.all(lanes);
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (1000 * runs) / elapsedMs, cpuMs: (user + system) / 1000 / runs };
}

/** Neither black nor one colour: some models stop early where there is nothing. */
function grey(bytes: number): ArrayBuffer {
  const pixels = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) pixels[i] = (i * 7 + (i >> 8) * 13) & 0xff;
  return pixels.buffer;
}

/** Decodes a few seconds as a camera's frames are; ffmpeg itself counts the processor time. */
async function decodeCost(
  ffmpeg: Ffmpeg,
  video: string,
  width: number,
  height: number,
): Promise<{ ms: number; of: string }> {
  const { stderr } = await promisify(execFile)(ffmpeg.path, [
    ...['-hide_banner', '-nostdin', '-benchmark', '-threads', '1', '-filter_threads', '1', '-t', '6', '-i', video],
    ...['-map', '0:V:0', '-vf', `scale=${width}:${height},format=gbrp`, '-f', 'null', '-'],
  ]);
  const frames = Number([...stderr.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1] ?? 0);
  const [, user = '0', system = '0'] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  const [, size = 'video'] = /Video: .*?(\d{2,5}x\d{2,5})/.exec(stderr) ?? [];
  const codec = /Video: (\w+)/.exec(stderr)?.[1] ?? '';
  return { ms: (1000 * (Number(user) + Number(system))) / Math.max(1, frames), of: `${codec} ${size}` };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

/** The model loads and cannot run: the reason is the runtime's. */
function runFailed(model: string, reason: string): VantageError {
  return new VantageError('MODEL_RUN_FAILED', `${model} loads, but does not run: ${reason}`);
}
