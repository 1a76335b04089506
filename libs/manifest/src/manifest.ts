import { templateError } from './errors.ts';
import { type Json, type JsonObject, isJsonObject } from './json.ts';

/** The part of a manifest that names modules: `modulesContent`, the older `moduleContent`, or that of a layered one. */
export function modulesContentOf(manifest: Json): JsonObject {
  if (!isJsonObject(manifest)) throw templateError('the deployment is not an object');
  const layered = manifest.get('content');
  const content =
    manifest.get('modulesContent') ??
    manifest.get('moduleContent') ??
    (isJsonObject(layered) ? (layered.get('modulesContent') ?? layered.get('moduleContent')) : undefined);
  if (!isJsonObject(content)) throw templateError("the deployment has no 'modulesContent'");
  return content;
}

/** A layered deployment has `content` at its top and may leave out modules and system modules. */
export function isLayered(manifest: Json): boolean {
  return isJsonObject(manifest) && manifest.has('content');
}

/**
 * The user modules or system modules of a manifest, by name. The entries are those of the manifest itself: changing
 * one changes the manifest.
 * @throws VantageError TEMPLATE_INVALID when a deployment that is not layered lacks them
 */
export function agentModules(manifest: Json, kind: 'modules' | 'systemModules'): Map<string, JsonObject> {
  let node: Json | undefined = splitDots(modulesContentOf(manifest));
  for (const key of ['$edgeAgent', 'properties', 'desired', kind])
    node = isJsonObject(node) ? node.get(key) : undefined;
  const modules = new Map<string, JsonObject>();
  if (node === undefined && isLayered(manifest)) return modules;
  if (!isJsonObject(node)) throw templateError(`$edgeAgent has no '${kind}'`);
  for (const [name, module] of node) {
    if (!isJsonObject(module)) throw templateError(`module ${name} is not an object`);
    modules.set(name, module);
  }
  return modules;
}

/** User modules, then system modules. */
export function allModules(manifest: Json): Map<string, JsonObject> {
  return new Map([...agentModules(manifest, 'modules'), ...agentModules(manifest, 'systemModules')]);
}

/** The settings of a module, when it has any. */
export function settingsOf(module: JsonObject): JsonObject | undefined {
  const settings = module.get('settings');
  return isJsonObject(settings) ? settings : undefined;
}

/** Unfolds keys such as `properties.desired.modules.x` into nested objects; values below them stay as they are. */
function splitDots(object: JsonObject): JsonObject {
  const output: JsonObject = new Map();
  for (const [key, value] of object) {
    if (!key.includes('.')) {
      output.set(key, isJsonObject(value) ? splitDots(value) : value);
      continue;
    }
    const path = key.split('.');
    const last = path.pop() ?? '';
    let target = output;
    for (const step of path) {
      const next = target.get(step);
      if (isJsonObject(next)) {
        target = next;
      } else {
        const created: JsonObject = new Map();
        target.set(step, created);
        target = created;
      }
    }
    target.set(last, value);
  }
  return output;
}
