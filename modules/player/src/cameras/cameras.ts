import {
  MODULES,
  isObject,
  validateConfiguration,
  type Components,
  type ConfigIssue,
  type TwinObject,
} from '@vantage/contracts';
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
    const [controller, pipeline, agent, live, objects] = await Promise.all([
      this.#twins.recent(MODULES.controller),
      // A device may have no ai-pipeline yet; its cameras can be looked at nevertheless.
      this.#twins.recent(MODULES.aiPipeline).catch(() => undefined),
      this.#twins.recent('$edgeAgent').catch(() => undefined),
      this.#live.cameras(),
      this.#rates.read(),
    ]);
    const desired = desiredOf(controller);
    const { components, errors } = validateConfiguration(desired, { parsers: PARSER_NAMES });
    const reported = pipeline?.properties.reported ?? {};
    const away = awayOf(agent?.properties.reported ?? {}, this.#live.isSilent);
    const pipelines = objectOf(reported['pipelines']);
    const wanted = components ? pairs(components) : [];
    const known = new Set(wanted.map(([id, sensor]) => `${id}\n${sensor}`));
    const running = Object.entries(pipelines).flatMap(([id, status]) =>
      Object.keys(objectOf(objectOf(status)['cameras'])).map((sensor): [string, string] => [id, sensor]),
    );
    const cameras = [...wanted, ...running.filter(([id, sensor]) => !known.has(`${id}\n${sensor}`))].map(
      ([id, sensor]) =>
        describe(id, sensor, objectOf(pipelines[id]), {
          regions: regionsOf(components, sensor),
          live: live.find((one) => one.pipeline === id && one.sensor === sensor),
          objects: objects.get(`${id}\n${sensor}`),
          health: objectOf(reported['cameras'])[sensor],
          ...(away === undefined ? {} : { away }),
        }),
    );
    const names = new Set(cameras.map(({ sensor }) => sensor));
    return [...cameras, ...refused(desired, errors).filter(({ sensor }) => !names.has(sensor))];
  }
}

/** What a module reported last stays when it ends: why it is not to be believed, if so. */
function awayOf(agent: TwinObject, isSilent: boolean): Away | undefined {
  const state = textOf(objectOf(objectOf(agent['modules'])[MODULES.aiPipeline])['runtimeStatus']);
  if (state !== undefined && state !== 'running') return { state, reason: 'the ai-pipeline does not run' };
  return isSilent ? { state: 'unreachable', reason: 'the ai-pipeline does not answer' } : undefined;
}

/** Sensors with something wrong in them, which may have kept them out: somebody has configured them and looks for them. */
function refused(desired: TwinObject, errors: readonly ConfigIssue[]): ApiCamera[] {
  const sensors = objectOf(objectOf(desired['azdaConfiguration'])['components'])['sensors'];
  if (!Array.isArray(sensors)) return [];
  return (sensors as unknown[]).flatMap((one, at): ApiCamera[] => {
    const name = isObject(one) ? one['name'] : undefined;
    const issue = errors.find(({ path }) => /^components\.sensors\[(\d+)\]/.exec(path)?.[1] === String(at));
    if (typeof name !== 'string' || name === '' || !issue) return [];
    const beside: Beside = { regions: [], live: undefined, objects: undefined, health: undefined };
    return [{ ...describe('', name, {}, beside), state: 'refused', reason: redact(issue.message) }];
  });
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

interface Away {
  readonly state: string;
  readonly reason: string;
}

interface Beside {
  readonly regions: readonly ApiRegion[];
  readonly live: LiveCamera | undefined;
  readonly objects: number | undefined;
  readonly health: unknown;
  readonly away?: Away;
}

function describe(id: string, sensor: string, said: TwinObject, beside: Beside): ApiCamera {
  const { away } = beside;
  const status = away === undefined ? said : {};
  const camera = objectOf(objectOf(status['cameras'])[sensor]);
  const { width, height } = camera;
  const view = isObject(beside.health) ? beside.health['view'] : undefined;
  return {
    pipeline: id,
    sensor,
    state: id === '' ? 'unused' : (away?.state ?? textOf(camera['state']) ?? textOf(status['state']) ?? 'starting'),
    reason: id === '' ? '' : redact(away?.reason ?? textOf(camera['reason']) ?? ''),
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
