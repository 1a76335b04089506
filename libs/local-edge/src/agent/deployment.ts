import { isTwinObject, mergeTwin, messageOf, type TwinObject } from '@vantage/contracts';
import { parseEdgeHubConfig } from '@vantage/routing';
import { deploymentInvalid } from '../errors.ts';
import { validateTwinPatch } from '../twin/validation.ts';
import { parseAgentConfig } from './config.ts';

const DESIRED = 'properties.desired';

/**
 * Reads the `modulesContent` of a deployment into desired properties by module. Keys such as
 * `properties.desired.routes.r` lay themselves over the base, in the order they stand.
 *
 * Everything is checked before anything is applied, also what a real device would report only later: `$edgeAgent`,
 * `$edgeHub` and the twin limits.
 * @throws VantageError EDGE_DEPLOYMENT_INVALID
 */
export function parseModulesContent(content: unknown): Map<string, TwinObject> {
  if (!isTwinObject(content)) throw deploymentInvalid('modulesContent: an object expected');
  const desiredByModule = new Map<string, TwinObject>();
  for (const [moduleId, value] of Object.entries(content)) {
    if (!isTwinObject(value)) throw deploymentInvalid(`modulesContent.${moduleId}: an object expected`);
    let desired: TwinObject = {};
    for (const [key, part] of Object.entries(value)) {
      if (key !== DESIRED && !key.startsWith(`${DESIRED}.`)) {
        throw deploymentInvalid(`modulesContent.${moduleId}: only "${DESIRED}" is known here, not "${key}"`);
      }
      desired = mergeTwin(desired, wrap(key.slice(DESIRED.length + 1), part, `${moduleId}.${key}`));
    }
    try {
      validateTwinPatch(desired);
    } catch (error) {
      throw deploymentInvalid(`${moduleId}: ${messageOf(error)}`);
    }
    desiredByModule.set(moduleId, desired);
  }
  if (!desiredByModule.has('$edgeAgent')) throw deploymentInvalid('modulesContent has no $edgeAgent');
  parseAgentConfig(desiredByModule.get('$edgeAgent'));
  const hub = desiredByModule.get('$edgeHub');
  if (hub !== undefined) {
    try {
      parseEdgeHubConfig(hub);
    } catch (error) {
      throw deploymentInvalid(`$edgeHub: ${messageOf(error)}`);
    }
  }
  return desiredByModule;
}

/** `a.b` and 1 become { a: { b: 1 } }; an empty path is the whole. */
function wrap(path: string, value: unknown, where: string): TwinObject {
  if (path !== '') return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as TwinObject;
  if (!isTwinObject(value)) throw deploymentInvalid(`modulesContent.${where}: an object expected`);
  return value;
}
