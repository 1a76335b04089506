import { nodesOf, type FrameInsights, type SkillGraph, type SourceNode } from '@vantage/skill';
import type { LiveMessage } from '../camera/protocol.ts';
import type { CameraStatus } from '../engine/camera.ts';
import type { Engine } from '../engine/engine.ts';
import { LiveCamera } from './live-camera.ts';

/** A camera that can be watched. */
export interface LiveEntry {
  readonly graph: SkillGraph;
  readonly source: SourceNode;
  /** Absent until it is opened. */
  readonly status: CameraStatus | undefined;
}

/** Who watches which camera. Names are found in any case; without watchers it costs a look at an empty set a frame. */
export class LiveHub {
  readonly #engine: Engine;
  /** Those that somebody has watched. */
  readonly #cameras = new Map<string, LiveCamera>();
  readonly #watched = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #onLive = (pipeline: string, sensor: string, message: LiveMessage): void =>
    this.#cameras.get(keyOf(pipeline, sensor))?.receive(message);
  readonly #onInsights = (pipeline: string, frame: FrameInsights): void => {
    if (this.#watched.size > 0) this.#cameras.get(keyOf(pipeline, frame.sensor))?.insights(frame);
  };
  readonly #onStatus = (): void => {
    this.#letGo();
    for (const listener of [...this.#listeners]) listener();
  };

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  start(): void {
    this.#engine.on('live', this.#onLive).on('insights', this.#onInsights).on('status', this.#onStatus);
  }

  stop(): void {
    this.#engine.off('live', this.#onLive).off('insights', this.#onInsights).off('status', this.#onStatus);
    for (const camera of this.#cameras.values()) camera.end();
  }

  /** All cameras of the configuration. */
  list(): LiveEntry[] {
    const statuses = new Map(this.#engine.status().map(({ id, cameras }) => [id, cameras]));
    return this.#engine.graphs.flatMap((graph) =>
      nodesOf(graph, 'source').map((source) => {
        const status = statuses.get(graph.id)?.find(({ sensor }) => sensor === source.sensor);
        return { graph, source, status };
      }),
    );
  }

  /** The cameras of a pipeline. */
  of(pipeline: string): LiveEntry[] {
    return this.list().filter(({ graph }) => same(graph.id, pipeline));
  }

  /** @param sensor absent: the pipeline's first one */
  find(pipeline: string, sensor?: string): LiveEntry | undefined {
    return this.of(pipeline).find(({ source }) => sensor === undefined || same(source.sensor, sensor));
  }

  /** Calls when the list may have changed, or what it says of a camera. @returns ends it; idempotent */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The camera to watch; the same object for all who watch it. */
  camera({ graph, source }: LiveEntry): LiveCamera {
    const key = keyOf(graph.id, source.sensor);
    let camera = this.#cameras.get(key);
    if (!camera) {
      camera = new LiveCamera(graph.id, source.sensor, (on) => {
        if (on) this.#watched.add(key);
        else this.#watched.delete(key);
        this.#engine.watch(graph.id, source.sensor, on);
      });
      this.#cameras.set(key, camera);
    }
    return camera;
  }

  #letGo(): void {
    if (this.#cameras.size === 0) return;
    const there = new Set(this.list().map(({ graph, source }) => keyOf(graph.id, source.sensor)));
    for (const [key, camera] of this.#cameras) {
      if (there.has(key)) continue;
      this.#cameras.delete(key);
      camera.end();
    }
  }
}

function keyOf(pipeline: string, sensor: string): string {
  return `${pipeline}\0${sensor}`;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
