import type { FastifyInstance } from 'fastify';
import { MODULES, isObject, messageOf, codeOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import type { ApiClipSource, ApiHealth, ApiModuleHealth } from '../api.ts';
import { readProblems } from '../cameras/cameras.ts';
import type { HubLink } from '../hub/hub-link.ts';
import { maskSecrets } from '../hub/masking.ts';
import type { Twins } from '../hub/twins.ts';

type Properties = Readonly<Record<string, unknown>>;

/** `GET /api/health`: how the modules, their queues and the places of clips are. */
export function healthRoutes(
  app: FastifyInstance,
  {
    link,
    twins,
    sources,
  }: {
    readonly link: HubLink;
    readonly twins: Twins;
    readonly sources: () => { readonly device: ApiClipSource; readonly storage: ApiClipSource };
  },
): void {
  app.get('/api/health', async (): Promise<ApiHealth> => {
    const names = await link.names();
    const { device, storage } = sources();
    try {
      const agent = (await twins.recent('$edgeAgent')).properties.reported;
      const states = { ...objectOf(agent['systemModules']), ...objectOf(agent['modules']) };
      const modules = await Promise.all(
        Object.entries(states).map(async ([name, state]) => {
          const reported = name.startsWith('edge') ? {} : await reportedOf(twins, name);
          return { reported, health: describe(name, objectOf(state), reported) };
        }),
      );
      const uploader = modules.find(({ health }) => health.name === MODULES.videoUploader)?.reported;
      return {
        modules: modules.map(({ health }) => health),
        uploader: uploader === undefined ? null : (maskSecrets(uploader) as Properties),
        runtime: { hub: names.name, device: names.device },
        storage,
        recordings: device,
      };
    } catch (error) {
      // The rest of the page is worth its while also without a hub.
      const code = codeOf(error);
      const problem = { message: redact(messageOf(error)), ...(code === undefined ? {} : { code }) };
      const runtime = { hub: names.name, device: names.device, problem };
      return { modules: [], uploader: null, runtime, storage, recordings: device };
    }
  });
}

async function reportedOf(twins: Twins, name: string): Promise<Properties> {
  return twins.recent(name).then(
    ({ properties }) => properties.reported,
    () => ({}),
  );
}

function describe(name: string, state: Properties, reported: Properties): ApiModuleHealth {
  const pipelines = Object.values(objectOf(reported['pipelines'])).map(objectOf);
  const configuration = objectOf(reported['configuration']);
  const provider = pipelines.map(({ model }) => objectOf(model)['provider']).find((one) => typeof one === 'string');
  const restarts = state['restartCount'];
  const metrics = Object.fromEntries(
    pipelines.flatMap(({ cameras }) =>
      Object.entries(objectOf(cameras)).flatMap(([sensor, camera]) => numbersOf(sensor, objectOf(camera))),
    ),
  );
  return {
    name,
    state: typeof state['runtimeStatus'] === 'string' ? state['runtimeStatus'] : 'unknown',
    ...(provider === undefined ? {} : { provider }),
    ...(typeof restarts === 'number' ? { restarts } : {}),
    problems: [reported['problems'], configuration['errors'], ...pipelines.map(({ problems }) => problems)].flatMap(
      readProblems,
    ),
    metrics,
  };
}

const MAX_DEPTH = 3;

/** All numbers below, by their paths: queues and drops differ from graph to graph. */
function numbersOf(path: string, value: Properties, depth = 0): [string, number][] {
  return Object.entries(value).flatMap(([key, item]): [string, number][] => {
    if (typeof item === 'number') return [[`${path}.${key}`, item]];
    return isObject(item) && depth < MAX_DEPTH ? numbersOf(`${path}.${key}`, item, depth + 1) : [];
  });
}

function objectOf(value: unknown): Properties {
  return isObject(value) ? value : {};
}
