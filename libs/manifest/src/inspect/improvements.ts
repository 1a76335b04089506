import { MODULES, ROUTES, isObject } from '@vantage/contracts';
import { parseRoute, sourceMatches } from '@vantage/routing';
import { parseImage } from '../image.ts';
import { type Json, toPlain } from '../json.ts';
import { viewDeployment, type DeploymentView, type Placed } from './deployment-view.ts';
import { carriesCredentialsUpstream, readRoute } from './parsed-route.ts';
import type { JsonPath } from './problem.ts';

/** Something that works, and that is better another way. */
export interface Improvement {
  readonly path: JsonPath;
  /** What it is now. */
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

/** The newest long-term release of IoT Edge. */
const RUNTIME = '1.5';

/**
 * What to improve in a deployment of Azure DeepStream Accelerator (or any for IoT Edge) that runs as it is: secrets that
 * travel, telemetry that goes nowhere, old names and versions. `manifest` may also be the desired properties of a
 * controllermodule (`azdaConfiguration`) alone.
 */
export function suggestImprovements(manifest: Json): Improvement[] {
  const plain = toPlain(manifest);
  if (isObject(plain) && 'azdaConfiguration' in plain) return twinImprovements(plain, []);
  const view = viewDeployment(plain);
  return [
    ...(isObject(plain) && 'moduleContent' in plain
      ? [{ path: ['moduleContent'], what: 'the old name of modulesContent', advice: 'rename it' }]
      : []),
    ...runtimeImprovements(view),
    ...routeImprovements(view),
    ...secretsInEnvironment(view),
    ...view.twins.flatMap(({ name, path, value }) =>
      name === MODULES.controller && isObject(value) ? twinImprovements(value, path) : [],
    ),
  ];
}

function runtimeImprovements({ systemModules }: DeploymentView): Improvement[] {
  return systemModules.flatMap(({ path, value }) => {
    const image = isObject(value['settings']) ? value['settings']['image'] : undefined;
    if (typeof image !== 'string' || !/azureiotedge-(agent|hub)/.test(image)) return [];
    const tag = tagOf(image);
    const [major = 0, minor = 0] = /^\d+\.\d+/.exec(tag)?.[0].split('.').map(Number) ?? [1, 5];
    if (major > 1 || minor >= 5) return [];
    const advice = `use ${image.replace(/:[^:/]*$/, '')}:${RUNTIME}, and IoT Edge ${RUNTIME} on the device`;
    return [{ path: [...path, 'settings', 'image'], what: `IoT Edge ${tag} is out of support`, advice }];
  });
}

function tagOf(image: string): string {
  try {
    return parseImage(image).tag;
  } catch {
    return '';
  }
}

function routeImprovements({ routes, modules, layered }: DeploymentView): Improvement[] {
  if (layered || modules.length === 0) return [];
  const read = routes.flatMap((route) => {
    const one = readRoute(route);
    return 'parsed' in one ? [{ route, ...one.parsed }] : [];
  });
  const has = (name: string): boolean => modules.some((module) => module.name === name);
  const leaking = has(MODULES.controller) ? read.filter(carriesCredentialsUpstream) : [];
  const uploader = `/messages/modules/${MODULES.videoUploader}/`;
  const uploads = read.some(({ source }) => sourceMatches(source, uploader) || source.startsWith(uploader));
  const base = placeOfRoutes(routes);
  const missing = (['AIPipelineToController', 'BusinessLogicToController'] as const).filter((name) => {
    const { source, sink } = parseRoute(ROUTES[name]);
    const from = source.split('/')[3] ?? '';
    const known = read.some(
      (one) => sourceMatches(one.source, source) && JSON.stringify(one.sink) === JSON.stringify(sink),
    );
    return has(from) && has(MODULES.controller) && !known;
  });
  return [
    ...leaking.map(({ route }) => ({
      path: route.path,
      what: "carries the cameras' user names and passwords to the cloud",
      advice: `remove the route; the reported properties of ${MODULES.controller} say which configuration runs`,
    })),
    ...(has(MODULES.videoUploader) && !uploads
      ? [
          {
            path: base,
            what: `what ${MODULES.videoUploader} tells (a copy of the JSON of each clip) takes no route and is dropped`,
            advice: `add "VideoUploaderToIoTHub": "FROM /messages/modules/${MODULES.videoUploader}/outputs/* INTO $upstream"`,
          },
        ]
      : []),
    ...missing.map((name) => ({
      path: base,
      what: `${MODULES.controller} does not learn whether its configuration was taken`,
      advice: `add "${name}": ${JSON.stringify(ROUTES[name])}`,
    })),
  ];
}

function placeOfRoutes([first]: readonly Placed<unknown>[]): JsonPath {
  return first ? first.path.slice(0, -1) : [];
}

/** Credentials in `env` are readable by whoever reads the deployment. */
function secretsInEnvironment({ modules }: DeploymentView): Improvement[] {
  return modules.flatMap(({ path, value }) => {
    const env = isObject(value['env']) ? value['env'] : {};
    return Object.keys(env)
      .filter((name) => name === 'IOTHUB_DEVICE_CONNECTION_STRING' || name === 'BLOB_STORAGE_ACCOUNT_KEY')
      .map((name) => ({
        path: [...path, 'env', name],
        what: 'a credential that everybody sees who may read the deployment',
        advice:
          name === 'BLOB_STORAGE_ACCOUNT_KEY'
            ? 'leave it out where blob tags are not needed: uploads through IoT Hub need no key'
            : 'leave it out where the module can use its own identity',
      }));
  });
}

function twinImprovements(desired: Readonly<Record<string, unknown>>, base: JsonPath): Improvement[] {
  const at = [...base, 'azdaConfiguration', 'components'];
  const configuration = desired['azdaConfiguration'];
  const components = isObject(configuration) ? configuration['components'] : undefined;
  if (!isObject(components)) return [];
  const deepStream = isObject(components['deepStream']) ? components['deepStream'] : {};
  const pipelines = listOf(deepStream['pipelineConfigs']).flatMap(([pipeline, index]) => {
    const path = [...at, 'deepStream', 'pipelineConfigs', index];
    return pipelineImprovements(pipeline, path);
  });
  const flat = 'regionsOfInterest' in components;
  return [
    ...(flat
      ? [
          {
            path: [...at, 'regionsOfInterest'],
            what: 'regions beside the sensors are those of the documentation, and of no sensor in particular',
            advice: 'move each into its sensor: sensors[].regionsOfInterest',
          },
        ]
      : []),
    ...pipelines,
  ];
}

function pipelineImprovements(pipeline: Readonly<Record<string, unknown>>, path: JsonPath): Improvement[] {
  const { unsecureZipUrl: url, deepstreamPassthrough: passthrough, sha256 } = pipeline;
  const found: Improvement[] = [];
  if (typeof url === 'string' && url !== '' && sha256 === undefined) {
    const advice = 'add "sha256" beside it: then nothing else can be put in its place';
    found.push({ path: [...path, 'unsecureZipUrl'], what: 'a package that nobody verifies', advice });
  }
  if (typeof url === 'string' && /^http:/i.test(url)) {
    found.push({ path: [...path, 'unsecureZipUrl'], what: 'a package over plain HTTP', advice: 'use https' });
  }
  if (typeof passthrough === 'string' && passthrough !== '') {
    const advice = 'describe it by its model, tracker and options; "vantage config explain" reads its files';
    found.push({ path: [...path, 'deepstreamPassthrough'], what: 'GStreamer text, which is not run here', advice });
  }
  return found;
}

function listOf(value: unknown): [Readonly<Record<string, unknown>>, number][] {
  return (Array.isArray(value) ? value : []).flatMap(
    (item: unknown, index): [Readonly<Record<string, unknown>>, number][] => (isObject(item) ? [[item, index]] : []),
  );
}
