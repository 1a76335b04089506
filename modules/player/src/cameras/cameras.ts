import { MODULES, isObject, validateConfiguration, type Components, type TwinObject } from '@vantage/contracts';
import { desiredOf } from '@vantage/hub';
import { redact } from '@vantage/observability';
import { PARSER_NAMES } from '@vantage/vision';
import type { ApiCamera, ApiProblem, ApiRegion } from '../api.ts';
import type { Twins } from '../hub/twins.ts';
import type { LiveCamera, PipelineHttp } from '../live/pipeline-http.ts';
import type { ObjectRates } from './object-rates.ts';

/** Each camera of each pipeline: what the twin wants, and what the ai-pipeline reports of it. */
export class Cameras {
  readonly #twins: Twins;
  readonly #live: PipelineHttp;
  readonly #rates: ObjectRates;

  constructor(twins: Twins, live: PipelineHttp, rates: ObjectRates) {
    this.#twins = twins;
    this.#live = live;
    this.#rates = rates;
  }

  async list(): Promise<ApiCamera[]> {
    const [controller, pipeline, live, objects] = await Promise.all([
      this.#twins.recent(MODULES.controller),
      // A device may have no ai-pipeline yet; its cameras can be looked at nevertheless.
      this.#twins.recent(MODULES.aiPipeline).catch(() => undefined),
      this.#live.cameras(),
      this.#rates.read(),
    ]);
    const { components } = validateConfiguration(desiredOf(controller), { parsers: PARSER_NAMES });
    const reported = pipeline?.properties.reported ?? {};
    const pipelines = objectOf(reported['pipelines']);
    const wanted = components ? pairs(components) : [];
    const known = new Set(wanted.map(([id, sensor]) => `${id}\n${sensor}`));
    const running = Object.entries(pipelines).flatMap(([id, status]) =>
      Object.keys(objectOf(objectOf(status)['cameras'])).map((sensor): [string, string] => [id, sensor]),
    );
    return [...wanted, ...running.filter(([id, sensor]) => !known.has(`${id}\n${sensor}`))].map(([id, sensor]) =>
      describe(id, sensor, objectOf(pipelines[id]), {
        regions: regionsOf(components, sensor),
        live: live.find((one) => one.pipeline === id && one.sensor === sensor),
        objects: objects.get(`${id}\n${sensor}`),
        health: objectOf(reported['cameras'])[sensor],
      }),
    );
  }
}

/** Pipelines first, in the order of the twin; then skills; then cameras that nothing looks at. */
function pairs({ sensors, streams, skills }: Components): [string, string][] {
  const found = [
    ...streams.map(({ configId, sensor }): [string, string] => [configId, sensor.name]),
    ...skills.flatMap(({ instances }) =>
      instances.flatMap(({ id, sensors: own }) => own.map(({ sensor }): [string, string] => [id, sensor.name])),
    ),
  ];
  const used = new Set(found.map(([, sensor]) => sensor));
  return [...found, ...sensors.filter(({ name }) => !used.has(name)).map(({ name }): [string, string] => ['', name])];
}

interface Beside {
  readonly regions: readonly ApiRegion[];
  readonly live: LiveCamera | undefined;
  readonly objects: number | undefined;
  readonly health: unknown;
}

function describe(id: string, sensor: string, status: TwinObject, beside: Beside): ApiCamera {
  const camera = objectOf(objectOf(status['cameras'])[sensor]);
  const { width, height } = camera;
  const view = isObject(beside.health) ? beside.health['view'] : undefined;
  return {
    pipeline: id,
    sensor,
    state: id === '' ? 'unused' : (textOf(camera['state']) ?? textOf(status['state']) ?? 'starting'),
    reason: redact(textOf(camera['reason']) ?? ''),
    fps: numberOf(camera['framesPerSecond']),
    objects: beside.objects ?? null,
    provider: textOf(objectOf(status['model'])['provider']) ?? null,
    resolution: typeof width === 'number' && typeof height === 'number' ? { width, height } : null,
    codec: textOf(camera['codec']) ?? null,
    recording: camera['recording'] === true || status['recording'] === true,
    problems: problemsOf(status['problems'], sensor),
    live: {
      mse: beside.live?.mse ?? false,
      mjpeg: beside.live !== undefined,
      ...(beside.live?.rtsp === undefined ? {} : { rtsp: redact(beside.live.rtsp) }),
      ...(beside.live?.tile === undefined ? {} : { tile: beside.live.tile }),
    },
    regions: beside.regions,
    ...(isObject(view) ? { health: view } : {}),
  };
}

function regionsOf(components: Components | undefined, name: string): ApiRegion[] {
  const sensor = components?.sensors.find((one) => one.name === name);
  return (sensor?.regionsOfInterest ?? []).map(({ label, color, coordinates }) => ({ label, color, coordinates }));
}

/** Those of this camera, and those of the pipeline as a whole. */
function problemsOf(value: unknown, sensor: string): ApiProblem[] {
  return readProblems(value).flatMap(({ sensor: of, ...problem }) =>
    of === undefined || of === sensor ? [problem] : [],
  );
}

/** Problems as modules report them, for a browser. */
export function readProblems(value: unknown): (ApiProblem & { readonly sensor?: string })[] {
  if (!Array.isArray(value)) return [];
  return (value as unknown[]).filter(isObject).map(({ code, message, path, sensor }) => ({
    message: redact(String(message)),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof path === 'string' && path !== '' ? { path } : {}),
    ...(typeof sensor === 'string' ? { sensor } : {}),
  }));
}

function objectOf(value: unknown): TwinObject {
  return isObject(value) ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
