import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from '@jest/globals';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import { createLogger } from '@vantage/observability';
import type { FrameInsights, ModelNode, SkillGraph, SourceNode } from '@vantage/skill';
import { ASSETS } from '../../../e2e/support/assets.ts';
import { Engine, resolveModel, type CameraStatus, type Problem } from '../src/index.ts';

type ModelPlace = Omit<ModelNode, 'kind' | 'id'>;

export const PEOPLE_FILE = path.join(ASSETS, 'videos/o4n-people.mp4');
const PEOPLE = pathToFileURL(PEOPLE_FILE).href;
/** Few frames a second, so that the good pipeline costs little. */
const CARS = pathToFileURL(path.join(ASSETS, 'videos/car-detection.mp4')).href;
/** Stands in every URL that has a place for one, and must not be seen again. */
export const SECRET = 'Pa55word';

/** The real engine with one good pipeline; each test adds a broken one and looks at both. */
export class Bench {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-bad-input-'));
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];
  readonly frames = new Map<string, FrameInsights[]>();
  readonly #good = graph('good', { configFile: 'good.txt' }, source(CARS));
  #engine: Engine | undefined;
  readonly #waiters = new Set<() => void>();

  get engine(): Engine {
    if (!this.#engine) throw new Error('start first');
    return this.#engine;
  }

  /** Starts the engine with the good pipeline, whose configuration `good.txt` and model lie in `folder`. */
  async start(): Promise<void> {
    copyFileSync(path.join(ASSETS, 'models/version-RFB-320.onnx'), path.join(this.folder, 'faces.onnx'));
    this.write('good.txt', config('onnx-file=faces.onnx'));
    const logger = createLogger({
      module: 'bad-input',
      level: 'warning',
      destination: { write: (line: string) => void this.warnings.push(line) },
    });
    const store = new ModelStore({ root: path.join(this.folder, 'cache'), logger, limits: { tries: 1 } });
    const engine = new Engine({
      ffmpeg: await resolveFfmpeg(),
      backend: new WorkerPool(),
      resolveModel: (node, signal) => resolveModel(node, { store, localRoot: this.folder, logger }, signal),
      logger,
    });
    engine.on('insights', (pipeline, frame) => {
      const frames = this.frames.get(pipeline) ?? [];
      frames.push(frame);
      this.frames.set(pipeline, frames.slice(-200));
      this.#wake();
    });
    engine.on('problem', (problem) => {
      this.problems.push(problem);
      this.#wake();
    });
    engine.on('status', () => this.#wake());
    this.#engine = engine;
    await engine.apply([this.#good]);
    await this.until(() => this.frames.has('good'));
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  async addBad(model: ModelPlace | undefined, from = source(PEOPLE)): Promise<void> {
    await this.engine.apply([this.#good, graph('bad', model, from)]);
  }

  async removeBad(): Promise<void> {
    await this.engine.apply([this.#good]);
  }

  /** Back to the good pipeline alone, which must not have noticed anything. */
  async reset(): Promise<void> {
    await this.removeBad();
    await this.goodGoesOn();
    this.problems.length = 0;
    this.warnings.length = 0;
    this.frames.delete('bad');
  }

  /** Waits, from event to event, for `look` to find something. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  camera(pipeline: string): CameraStatus | undefined {
    return this.engine.status().find(({ id }) => id === pipeline)?.cameras[0];
  }

  /** Frames of the good pipeline that were taken from now on: two of them. */
  async goodGoesOn(): Promise<void> {
    const last = this.frames.get('good')?.at(-1)?.frameId ?? -1;
    await this.until(() => (this.frames.get('good')?.at(-1)?.frameId ?? -1) > last + 1);
    const good = this.engine.status().find(({ id }) => id === 'good');
    expect(good).toMatchObject({ state: 'running', problems: [], cameras: [{ state: 'running' }] });
    expect(good?.cameras[0]?.counters.reconnects).toBe(0);
  }

  async problem(): Promise<Problem> {
    return this.until(() => this.problems.find(({ pipeline }) => pipeline === 'bad'));
  }

  async stop(): Promise<void> {
    await this.#engine?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

export function source(url: string, more: Partial<SourceNode> = {}): SourceNode {
  return { kind: 'source', id: 'source/gate', sensor: 'gate', url, regions: [], pace: 'realtime', loop: true, ...more };
}

export function graph(id: string, model: ModelPlace | undefined, from: SourceNode): SkillGraph {
  const models: ModelNode[] = model ? [{ kind: 'model', id: 'model/primary', ...model }] : [];
  return { id, nodes: [from, ...models], edges: [] };
}

/** An nvinfer configuration for the face detector, with these lines. */
export function config(...lines: readonly string[]): string {
  const common = ['net-scale-factor=0.0078125', 'offsets=127;127;127', 'network-type=0', 'num-detected-classes=2'];
  return ['[property]', ...common, ...lines, '[class-attrs-all]', 'pre-cluster-threshold=0.7', ''].join('\n');
}
