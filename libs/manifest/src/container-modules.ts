import { isObject } from '@vantage/contracts';
import { parseCreateOptions } from './create-options.ts';
import { viewDeployment, type Placed } from './inspect/deployment-view.ts';
import { error, type DeploymentProblem, type JsonPath } from './inspect/problem.ts';
import { type Json, type JsonObject, fromPlain, isJsonObject, toPlain } from './json.ts';
import { agentModules, settingsOf } from './manifest.ts';
import { PLACEMENT_LABELS, labelsOf } from './placement.ts';

/** A module that a node of a skill brings along (contract custom-node-and-skills D). */
export interface ContainerModule {
  readonly name: string;
  readonly image: string;
  /** JSON text. */
  readonly createOptions?: string;
  readonly restartPolicy: 'always' | 'never' | 'on-failure' | 'on-unhealthy';
  /** TCP port on the module network. */
  readonly port: number;
  readonly env: readonly { readonly key: string; readonly value: string }[];
  /** Devices that it can run on; absent: any. */
  readonly architecture?: 'X64' | 'ARM64';
  readonly acceleration?: string;
  /** Who brings it: `node det of skill line`. */
  readonly from: string;
  /** Where that is written. */
  readonly path: JsonPath;
}

/** What skills bring along, and what is wrong with them. */
export interface SkillContainers {
  readonly containers: readonly ContainerModule[];
  readonly problems: readonly DeploymentProblem[];
}

/** Finds the containers of the skills in the twins of a deployment; somebody who knows skills has it. */
export type FindContainers = (twins: readonly Placed<unknown>[]) => SkillContainers;

/** Says that the generator wrote a module. */
const OWNER_LABEL = 'vantage.skill-node';

/**
 * Adds to a deployment the modules that its skills bring along. One that several nodes want in the same way is added once;
 * one that this function added before is written anew. A module of the deployment's author stays as it is.
 *
 * @param manifest changed; createOptions of what is added are objects
 */
export function addContainerModules(manifest: Json, find: FindContainers): DeploymentProblem[] {
  const { containers, problems: found } = find(viewDeployment(toPlain(manifest)).twins);
  if (containers.length === 0) return [...found];
  const problems = [...found];
  const wanted = new Map<string, ContainerModule>();
  for (const container of containers) {
    // Names of modules and hosts are the same to a resolver in any case.
    const key = container.name.toLowerCase();
    const before = wanted.get(key);
    if (before === undefined) wanted.set(key, container);
    else if (!isSame(before, container)) {
      const message = `${container.from} and ${before.from} want different containers of the name ${container.name}`;
      problems.push(error(container.path, message));
    }
  }
  const modules = modulesOf(manifest);
  for (const container of wanted.values()) {
    const clash = modules && clashOf(manifest, container);
    if (modules === undefined) problems.push(error(container.path, 'the deployment has no list of modules for it'));
    else if (clash !== undefined) problems.push(error(container.path, clash));
    else if (!isAuthors(modules.get(container.name))) modules.set(container.name, moduleOf(container));
  }
  return problems;
}

/** Two nodes may talk to one container. */
function isSame(a: ContainerModule, b: ContainerModule): boolean {
  const text = (container: ContainerModule): string => {
    const form = { ...container, from: '', path: [], createOptions: parseCreateOptions(container.createOptions) };
    return JSON.stringify(Object.entries(form).sort(([one], [other]) => (one < other ? -1 : 1)));
  };
  return text(a) === text(b);
}

/** Why the name is not free. */
function clashOf(manifest: Json, { name, image, from }: ContainerModule): string | undefined {
  const names = new Map(
    (['modules', 'systemModules'] as const).flatMap((kind) => {
      return [...agentModules(manifest, kind)].map(([own, module]) => [own.toLowerCase(), { own, module }] as const);
    }),
  );
  const there = names.get(name.toLowerCase());
  if (there === undefined || (there.own === name && !isAuthors(there.module))) return undefined;
  if (there.own === name && settingsOf(there.module)?.get('image') === image) return undefined;
  return `${from} wants a module ${name}, and the deployment has another of that name: rename one of them`;
}

function isAuthors(module: Json | undefined): boolean {
  if (!isJsonObject(module)) return false;
  return !(OWNER_LABEL in labelsOf(toPlain(settingsOf(module) ?? null)));
}

/** `$edgeAgent`'s own list, however its place is spelled. */
function modulesOf(manifest: Json): JsonObject | undefined {
  const { modules } = viewDeployment(toPlain(manifest));
  const inside = (path: JsonPath): JsonObject | undefined => {
    let at: Json | undefined = manifest;
    for (const key of path) at = isJsonObject(at) ? at.get(String(key)) : undefined;
    return isJsonObject(at) ? at : undefined;
  };
  const [first] = modules;
  if (first) return inside(first.path.slice(0, -1));
  const content = ['modulesContent', '$edgeAgent'];
  return (
    inside([...content, 'properties.desired', 'modules']) ?? inside([...content, 'properties', 'desired', 'modules'])
  );
}

function moduleOf({ name, image, createOptions, restartPolicy, port, env, ...place }: ContainerModule): Json {
  const options = parseCreateOptions(createOptions);
  const object = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {});
  const labels = {
    ...object(options['Labels']),
    [OWNER_LABEL]: name,
    ...(place.architecture === undefined ? {} : { [PLACEMENT_LABELS.architecture]: place.architecture }),
    ...(place.acceleration === undefined ? {} : { [PLACEMENT_LABELS.acceleration]: place.acceleration }),
  };
  return fromPlain({
    version: '1.0',
    type: 'docker',
    status: 'running',
    restartPolicy,
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(({ key, value }) => [key, { value }])) }),
    settings: {
      image,
      createOptions: {
        ...options,
        ExposedPorts: { ...object(options['ExposedPorts']), [`${port}/tcp`]: {} },
        Labels: labels,
      },
    },
  });
}
