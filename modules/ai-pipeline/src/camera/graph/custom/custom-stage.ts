import { readFileSync } from 'node:fs';
import { messageOf } from '@vantage/contracts';
import { CustomNodeClient, timeFromMs, type ClientStatus, type NodePicture, type NodeRoi } from '@vantage/custom-node';
import type { Logger } from '@vantage/observability';
import type { CustomNode, Region, SkillIds } from '@vantage/skill';
import type { PicturePool } from '../shared-picture.ts';
import type { CameraFrame, GraphStage, SharedPicture } from '../stage.ts';
import { LabelNumbers, toNodeInsights, withAnswer } from './node-insights.ts';

export interface CustomStageOptions {
  readonly node: CustomNode;
  readonly ids: SkillIds;
  readonly pool: PicturePool;
  /** Those of now: a node keeps its connection when they change. */
  readonly regions: () => readonly Region[];
  /** A file that is read as fast as possible waits this long, once, for the node to answer a handshake. 0: no frame waits. */
  readonly patienceMs: number;
  /** Something about `status` changed, counters aside. */
  readonly onStatus: () => void;
  readonly onProblem: (code: string, message: string) => void;
  readonly logger: Logger;
}

/** Somebody's code behind gRPC, for one camera. A frame whose call failed goes on as it was, or ends, as the node says. */
export class CustomStage implements GraphStage {
  readonly concurrency: number;
  readonly #options: CustomStageOptions;
  readonly #labels = new LabelNumbers();
  readonly #client: CustomNodeClient | undefined;
  readonly #failure: string | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #told = new Set<string>();
  #state: ClientStatus['state'] | undefined;
  #patienceMs: number;
  #counters = { passed: 0, dropped: 0 };

  constructor(options: CustomStageOptions) {
    this.#options = options;
    const { node, ids, logger } = options;
    this.concurrency = Math.max(1, node.inFlight);
    this.#patienceMs = options.patienceMs;
    try {
      this.#client = new CustomNodeClient({
        endpoint: node.endpoint,
        ids,
        deadlineMs: node.deadlineMs,
        inFlight: node.inFlight,
        maxMessageBytes: node.maxMessageBytes,
        ...(node.downscale ? { downscale: node.downscale } : {}),
        ...(node.tls ? { tls: node.tls.caFile === undefined ? {} : { ca: readFileSync(node.tls.caFile) } } : {}),
        ...(node.token === undefined ? {} : { token: node.token }),
        sharedMemory: node.sharedMemory,
        logger,
        onStatus: (status) => this.#onStatus(status),
      });
    } catch (error) {
      this.#failure = messageOf(error);
    }
  }

  start(): void {
    this.#client?.start();
    if (this.#failure !== undefined) {
      this.#options.onProblem('CUSTOM_NODE_UNUSABLE', `${this.#options.node.id}: ${this.#failure}`);
    }
  }

  async process(frame: CameraFrame): Promise<CameraFrame | undefined> {
    const client = this.#client;
    if (!client) return this.#without(frame);
    if (this.#state !== 'ready' && this.#patienceMs > 0) await this.#ready(this.#patienceMs);
    const { insights, picture } = frame;
    const seen = client.wantsPixels ? picture : undefined;
    const view = picture?.view ?? { left: 0, top: 0, width: insights.width, height: insights.height };
    const roi = this.#roi();
    let answered: SharedPicture | undefined;
    const result = await client.process({
      frameId: String(insights.frameId),
      timestamp: timeFromMs(insights.captureTimeMs),
      datetime: new Date(insights.captureTimeMs).toISOString().replace('Z', '+00:00'),
      width: picture?.width ?? insights.width,
      height: picture?.height ?? insights.height,
      colorFormat: 'BGR',
      insights: toNodeInsights(insights, view),
      ...(roi ? { roi } : {}),
      ...(seen ? { pixelsInto: (target: Uint8Array) => seen.packInto(target) } : {}),
      // Copied from where it lies, once.
      takeImage: (image) => (answered = this.#pictureOf(image, view)),
    });
    if (!result.ok) {
      answered?.release();
      return this.#without(frame);
    }
    const { merge } = this.#options.node;
    const told = result.insights
      ? withAnswer(insights, result.insights, { view, merge, labels: this.#labels })
      : insights;
    const replaced = answered ?? picture;
    return { insights: told, ...(replaced ? { picture: replaced } : {}) };
  }

  /** What reported properties say about it. */
  report(): Record<string, unknown> {
    const { endpoint } = this.#options.node;
    if (!this.#client) return { endpoint, state: 'failed', error: { message: this.#failure } };
    const { state, wants, error, sharedMemory, counters } = this.#client.status;
    return {
      endpoint,
      state,
      ...(wants ? { wants } : {}),
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
      sharedMemory,
      counters: { ...counters, ...this.#counters },
    };
  }

  async stop(): Promise<void> {
    this.#wake();
    await this.#client?.stop();
  }

  #without(frame: CameraFrame): CameraFrame | undefined {
    const passes = this.#options.node.onFailure === 'pass';
    this.#counters[passes ? 'passed' : 'dropped'] += 1;
    return passes ? frame : undefined;
  }

  /** The sensor's first region; the contract has room for one. */
  #roi(): NodeRoi | undefined {
    const [region] = this.#options.regions();
    if (!region) return undefined;
    const { label, coordinates } = region;
    return {
      name: label,
      type: coordinates.length === 2 ? 'line' : 'polygon',
      id: label,
      value: JSON.stringify(coordinates),
    };
  }

  #pictureOf({ pixels, width, height, colorFormat }: NodePicture, view: SharedPicture['view']): SharedPicture {
    return this.#options.pool.fromPacked(colorFormat === 'RGB' ? swapped(pixels) : pixels, width, height, view);
  }

  #onStatus({ state, error }: ClientStatus): void {
    if (state === 'ready' || state === 'stopped') this.#wake();
    if (state !== this.#state && state === 'ready') {
      this.#told.clear();
      this.#patienceMs = this.#options.patienceMs;
    }
    this.#state = state;
    // Said once for each reason, not for each frame; the counters have the number.
    if (error && !this.#told.has(error.code)) {
      const { code, message } = error;
      this.#told.add(code);
      this.#options.onProblem(code, `${this.#options.node.id}: ${message}`);
    }
    this.#options.onStatus();
  }

  #ready(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        // In vain: the next frames do not wait as well, until it has been there.
        this.#patienceMs = 0;
        done();
      }, patienceMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

/** R, G, B to B, G, R. */
function swapped(pixels: Uint8Array): Uint8Array {
  const result = new Uint8Array(pixels);
  for (let i = 0; i + 2 < result.length; i += 3) {
    const red = result[i] as number;
    result[i] = result[i + 2] as number;
    result[i + 2] = red;
  }
  return result;
}
