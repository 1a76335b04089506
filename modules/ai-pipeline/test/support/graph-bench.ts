import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CustomNode,
  CustomNodeServer,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type NodeIds,
} from '@vantage/custom-node';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import { silentLogger } from '@vantage/observability';
import type {
  CustomNode as CustomGraphNode,
  ExportNode,
  GraphEdge,
  GraphNode,
  SkillGraph,
  SourceNode,
} from '@vantage/skill';
import { Engine, resolveModel, type CameraStatus, type Problem } from '../../src/index.ts';

/** A custom node made of a function; it remembers what it has seen. */
export class TestNode extends CustomNode {
  readonly seen: NodeFrame[] = [];
  readonly handshakes: NodeIds[] = [];
  readonly #description: NodeDescription;
  readonly #work: (frame: NodeFrame) => NodeAnswer | undefined | Promise<NodeAnswer | undefined>;

  constructor(
    description: NodeDescription,
    work: (frame: NodeFrame) => NodeAnswer | undefined | Promise<NodeAnswer | undefined> = () => undefined,
  ) {
    super();
    this.#description = description;
    this.#work = work;
  }

  override describe(ids: NodeIds): NodeDescription {
    this.handshakes.push(ids);
    return this.#description;
  }

  override process(frame: NodeFrame): NodeAnswer | undefined | Promise<NodeAnswer | undefined> {
    // The pixels are the node's own only until it has answered.
    this.seen.push({ ...frame, ...(frame.pixels ? { pixels: Buffer.from(frame.pixels) } : {}) });
    return this.#work(frame);
  }
}

/** An insights document, as far as tests look at it. */
export interface Sent {
  readonly node: string;
  readonly frame_id: string;
  readonly instance_id: string;
  readonly skill_id: string;
  readonly device_id: string;
  readonly timestamp: number;
  readonly insights_meta: {
    readonly objects_meta: readonly {
      readonly label: string;
      readonly confidence: number;
      readonly timestamp: number;
      readonly bbox: { readonly l: number; readonly t: number; readonly w: number; readonly h: number } | null;
      readonly attributes: readonly { readonly name: string; readonly label: string }[];
      readonly tracking_info?: { readonly tracking_id: string; readonly speed?: number };
    }[];
    readonly events_meta?: readonly { readonly type: string; readonly event_id: string }[];
    readonly other_meta?: Readonly<Record<string, string>>;
  };
}

/** An engine, a clip, and what comes out. */
export class GraphBench {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-graph-'));
  readonly problems: Problem[] = [];
  #engine: Engine | undefined;
  #clip = '';
  #sent: Sent[] = [];
  #wake: (() => void)[] = [];
  readonly #servers: CustomNodeServer[] = [];

  /** The clip: 60 frames, 30 a second, 64x48; left half red, right half blue. */
  async open(): Promise<void> {
    const ffmpeg = await resolveFfmpeg();
    const file = path.join(this.folder, 'clip.mp4');
    const halves = [
      '-f',
      'lavfi',
      '-i',
      'color=red:size=32x48:rate=30',
      '-f',
      'lavfi',
      '-i',
      'color=blue:size=32x48:rate=30',
    ];
    const encode = ['-filter_complex', 'hstack', '-t', '2', '-c:v', 'libx264', '-qp', '1', '-pix_fmt', 'yuv444p'];
    execFileSync(ffmpeg.path, ['-v', 'error', ...halves, ...encode, '-g', '15', '-y', file]);
    this.#clip = pathToFileURL(file).href;
    const store = new ModelStore({ root: path.join(this.folder, 'cache'), logger: silentLogger });
    const engine = new Engine({
      ffmpeg,
      backend: new WorkerPool(),
      resolveModel: (node, signal) =>
        resolveModel(node, { store, localRoot: this.folder, logger: silentLogger }, signal),
      recording: {
        folder: path.join(this.folder, 'clips'),
        preRollSeconds: 1,
        clipSeconds: 30,
        autoStopSeconds: 0,
      },
      logger: silentLogger,
    });
    engine.on('export', (_pipeline, post) => {
      if ('document' in post)
        this.#sent.push({ node: post.node, ...(JSON.parse(post.document) as Omit<Sent, 'node'>) });
      this.#notify();
    });
    engine.on('problem', (problem) => {
      this.problems.push(problem);
      this.#notify();
    });
    engine.on('status', () => this.#notify());
    this.#engine = engine;
  }

  get engine(): Engine {
    if (!this.#engine) throw new Error('not open');
    return this.#engine;
  }

  get camera(): CameraStatus {
    const camera = this.engine.status()[0]?.cameras[0];
    if (!camera) throw new Error('no camera');
    return camera;
  }

  /** Of a custom node. */
  counters(node: string): Record<string, unknown> {
    return (this.camera.counters.nodes[node]?.details['counters'] ?? {}) as Record<string, unknown>;
  }

  stateOf(node: string): unknown {
    return this.camera.counters.nodes[node]?.details['state'];
  }

  get clip(): string {
    return this.#clip;
  }

  /** @returns the port of a server of the node */
  async serve(node: CustomNode, port = 0): Promise<{ readonly port: number; stop(): Promise<void> }> {
    const server = new CustomNodeServer(node, { port, host: '127.0.0.1', drainMs: 100 });
    this.#servers.push(server);
    const started = await server.start();
    return { port: started.port, stop: () => server.stop() };
  }

  sent(node: string): readonly Sent[] {
    return this.#sent.filter((one) => one.node === node);
  }

  async until(isIt: () => boolean): Promise<void> {
    while (!isIt()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Waits for so many more documents of an export. */
  async more(node: string, count: number): Promise<readonly Sent[]> {
    const before = this.sent(node).length;
    await this.until(() => this.sent(node).length >= before + count);
    return this.sent(node).slice(before);
  }

  /** Runs a file to its end. */
  async run(graph: SkillGraph): Promise<void> {
    await this.engine.apply([graph]);
    await this.until(() => this.engine.status()[0]?.cameras[0]?.state === 'ended');
  }

  async reset(): Promise<void> {
    await this.engine.apply([]);
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
    this.#sent = [];
    this.problems.length = 0;
  }

  async close(): Promise<void> {
    await this.#engine?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A skill: one camera and what lies behind it; edges as `from>to`. */
export function skill(source: SourceNode, nodes: readonly GraphNode[], edges: readonly string[]): SkillGraph {
  const live = source.pace === 'realtime';
  return {
    id: 'Gate',
    skill: { instance: 'instance-1', skill: 'skill-1' },
    nodes: [source, ...nodes],
    edges: edges.map((edge): GraphEdge => {
      const [from = '', to = ''] = edge.split('>');
      const first = from === source.id;
      const policy = live ? (first ? 'latest' : 'dropOldest') : 'block';
      return { from, to, queue: { capacity: first ? 1 : 2, policy } };
    }),
  };
}

export function camera(url: string, more: Partial<SourceNode> = {}): SourceNode {
  const fixed = {
    kind: 'source',
    id: '0',
    sensor: 'gate',
    regions: [],
    pace: 'asFastAsPossible',
    loop: false,
  } as const;
  return { ...fixed, url, ...more };
}

export function custom(id: string, port: number, more: Partial<CustomGraphNode> = {}): CustomGraphNode {
  return {
    ...{ kind: 'custom', id, endpoint: `127.0.0.1:${port}`, deadlineMs: 10_000, inFlight: 1, onFailure: 'pass' },
    ...{ merge: 'append', maxMessageBytes: 4_194_304, sharedMemory: 'off' },
    ...more,
  };
}

export function exporter(id: string): ExportNode {
  return { kind: 'export', id, to: { kind: 'output', output: id } };
}
