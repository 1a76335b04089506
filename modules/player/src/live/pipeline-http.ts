import { isObject, messageOf } from '@vantage/contracts';
import { liveUnavailable } from '../errors.ts';
import type { Twins } from '../hub/twins.ts';

/** A camera as the ai-pipeline's `GET /live` lists it. */
export interface LiveCamera {
  readonly pipeline: string;
  readonly sensor: string;
  readonly mse: boolean;
  readonly rtsp?: string;
  /** In the picture of all cameras of its pipeline, as fractions: left, top, width, height. */
  readonly tile?: readonly [number, number, number, number];
}

const LIST_MS = 2000;

/** Where the ai-pipeline answers: beside its metrics, on the port that it reports. */
export class PipelineHttp {
  readonly #base: string | undefined;
  readonly #host: string;
  readonly #twins: Twins;
  #answered: boolean | undefined;
  #list: { readonly cameras: Promise<readonly LiveCamera[]>; readonly untilMs: number } | undefined;

  /** @param base overrides what is reported. @param host of the ai-pipeline, where only its port is known */
  constructor(base: string | undefined, host: string, twins: Twins) {
    this.#base = base;
    this.#host = host;
    this.#twins = twins;
  }

  /** `http://127.0.0.1:41234`. @throws VantageError LIVE_UNAVAILABLE */
  async base(): Promise<string> {
    if (this.#base !== undefined) return this.#base.replace(/\/+$/, '');
    const { properties } = await this.#twins.recent('ai-pipeline');
    const http = properties.reported['http'];
    const port = isObject(http) ? http['port'] : undefined;
    if (typeof port !== 'number') {
      throw liveUnavailable('the ai-pipeline has not told where it answers: it is still starting, or an older one');
    }
    return `http://${this.#host}:${port}`;
  }

  /** The address of a camera below `/live` (`People`, `street`), or of a file (`street.jpg`). */
  async url(...parts: readonly string[]): Promise<URL> {
    if (parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw liveUnavailable('such a camera cannot be');
    }
    return new URL(`${await this.base()}/live/${parts.map(encodeURIComponent).join('/')}`);
  }

  /** It has answered before, and did not when it was asked last. */
  get isSilent(): boolean {
    return this.#answered === false;
  }

  /** What can be watched, at most two seconds old; empty while the ai-pipeline does not answer. */
  cameras(): Promise<readonly LiveCamera[]> {
    if (!this.#list || this.#list.untilMs < performance.now()) {
      this.#list = { cameras: this.#ask().catch(() => this.#noAnswer()), untilMs: performance.now() + LIST_MS };
    }
    return this.#list.cameras;
  }

  #noAnswer(): [] {
    if (this.#answered) this.#answered = false;
    return [];
  }

  async #ask(): Promise<readonly LiveCamera[]> {
    const response = await fetch(`${await this.base()}/live`, { signal: AbortSignal.timeout(1000) });
    const body: unknown = await response.json();
    this.#answered = true;
    return Array.isArray(body) ? (body as unknown[]).flatMap(readCamera) : [];
  }
}

function readCamera(value: unknown): LiveCamera[] {
  if (!isObject(value)) return [];
  const { pipeline, sensor, mse, rtsp, tile } = value;
  if (typeof pipeline !== 'string' || typeof sensor !== 'string') return [];
  const more = { ...(typeof rtsp === 'string' ? { rtsp } : {}), ...(isTile(tile) ? { tile } : {}) };
  return [{ pipeline, sensor, mse: mse === true, ...more }];
}

function isTile(value: unknown): value is readonly [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every((part) => typeof part === 'number');
}

/** Of a call that did not come about. */
export function unanswered(error: unknown): Error {
  return liveUnavailable(`the ai-pipeline does not answer: ${messageOf(error)}`, error);
}
