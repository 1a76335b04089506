import { isObject } from '@vantage/contracts';
import { joinChunks, parseCreateOptions } from '@vantage/manifest';
import type { ModulesContent } from '@vantage/hub';

type JsonObject = Readonly<Record<string, unknown>>;

/** What a deployment says, in the parts that people think of. */
export interface DeploymentParts {
  /** By name, system modules included; createOptions as the object they mean. */
  readonly modules: JsonObject;
  readonly routes: JsonObject;
  /** What else `$edgeAgent` and `$edgeHub` are told. */
  readonly runtime: JsonObject;
  /** Desired properties by module. */
  readonly twins: JsonObject;
}

/** @param content not layered */
export function partsOf(content: ModulesContent): DeploymentParts {
  const desired = (name: string): JsonObject => asObject(content[name]?.['properties.desired']);
  const { modules, systemModules, ...agent } = desired('$edgeAgent');
  const { routes, ...hub } = desired('$edgeHub');
  const all = { ...asObject(systemModules), ...asObject(modules) };
  return {
    modules: Object.fromEntries(Object.entries(all).map(([name, module]) => [name, plainModule(asObject(module))])),
    routes: asObject(routes),
    runtime: { edgeAgent: agent, edgeHub: hub },
    twins: Object.fromEntries(
      Object.keys(content)
        .filter((name) => !name.startsWith('$'))
        .map((name) => [name, desired(name)]),
    ),
  };
}

/** Two texts of createOptions may mean the same. */
function plainModule(module: JsonObject): JsonObject {
  const settings = asObject(module['settings']);
  const others = Object.entries(settings).filter(([key]) => !/^createOptions\d*$/.test(key));
  let createOptions: unknown;
  try {
    createOptions = parseCreateOptions(joinChunks(settings));
  } catch {
    createOptions = settings['createOptions'];
  }
  return { ...module, settings: { ...Object.fromEntries(others), createOptions } };
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
