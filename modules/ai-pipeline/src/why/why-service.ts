import { isObject } from '@vantage/contracts';
import type { MethodReply } from '@vantage/edge-client';
import type { HttpAnswer } from '@vantage/observability';
import type { Engine } from '../engine/engine.ts';
import type { WhyAnswer, WhyQuery } from './why-types.ts';

/** Before and after the moment, where the question does not say. */
const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 300;

/** "Why was there no alert?": the direct method `why` and `GET /why`, which answer the same. */
export class WhyService {
  readonly #engine: Pick<Engine, 'why' | 'status'>;

  constructor(engine: Pick<Engine, 'why' | 'status'>) {
    this.#engine = engine;
  }

  /** `{pipeline?, sensor, at?, seconds?}`; `at` is ISO or milliseconds since the Unix epoch, absent: now. */
  async invoke(payload: unknown): Promise<MethodReply> {
    const asked = isObject(payload) ? payload : {};
    const query = this.#read(asked);
    if (typeof query === 'string') return { status: 400, payload: { error: query } };
    const answer = await this.#engine.why(query);
    return { status: 200, payload: answer ?? this.#closed(query) };
  }

  /** `GET /why?pipeline=&sensor=&at=&seconds=` */
  async answer(query: URLSearchParams): Promise<HttpAnswer> {
    const { status, payload } = await this.invoke(Object.fromEntries(query));
    return { status, body: JSON.stringify(payload) };
  }

  #read({ pipeline, sensor, at, seconds }: Readonly<Record<string, unknown>>): WhyQuery | string {
    const cameras = this.#engine
      .status()
      .flatMap(({ id, cameras: own }) => own.map((camera) => ({ pipeline: id, sensor: camera.sensor })));
    const known = cameras.map((one) => `${one.pipeline}/${one.sensor}`).join(', ');
    if (typeof sensor !== 'string' || sensor === '') return `sensor is missing; cameras: ${known}`;
    const found = cameras.find((one) => one.sensor === sensor && (!pipeline || one.pipeline === pipeline));
    if (!found && (typeof pipeline !== 'string' || pipeline === '')) {
      return `no pipeline runs the camera ${sensor}; cameras: ${known}`;
    }
    const atMs = timeOf(at);
    if (Number.isNaN(atMs)) return 'at is neither an ISO time nor milliseconds since 1970';
    const around = seconds === undefined || seconds === '' ? DEFAULT_SECONDS : Number(seconds);
    if (!(around > 0)) return 'seconds is not a positive number';
    return {
      pipeline: found?.pipeline ?? String(pipeline),
      sensor,
      atMs,
      seconds: Math.min(around, MAX_SECONDS),
    };
  }

  #closed({ pipeline, sensor, atMs }: WhyQuery): WhyAnswer {
    const status = this.#engine.status().find(({ id }) => id === pipeline);
    const last = status?.problems.at(-1)?.message;
    const why = status ? `the pipeline ${pipeline} is ${status.state}` : `there is no pipeline ${pipeline}`;
    const text = `${sensor}: the camera is not open: ${why}${last === undefined ? '' : ` (${last})`}`;
    return { at: new Date(atMs).toISOString(), pipeline, sensor, frames: [], notes: [], summary: [text] };
  }
}

function timeOf(at: unknown): number {
  if (at === undefined || at === null || at === '') return Date.now();
  const number = Number(at);
  if (Number.isFinite(number)) return Math.abs(number) <= 8.64e15 ? number : Number.NaN;
  return typeof at === 'string' ? Date.parse(at) : Number.NaN;
}
