import { isObject } from '@vantage/contracts';
import { desiredOf, type Hub, type ModulesContent } from '@vantage/hub';

/**
 * What a device is told to run now: the desired properties of `$edgeAgent`, `$edgeHub` and of every module that is
 * deployed. Empty on a device that was never told anything.
 */
export async function takeSnapshot(hub: Hub): Promise<ModulesContent> {
  const agent = desiredOf(await hub.moduleTwin('$edgeAgent'));
  const modules = isObject(agent['modules']) ? Object.keys(agent['modules']) : [];
  if (Object.keys(agent).length === 0) return {};
  const others = await Promise.all(
    ['$edgeHub', ...modules].map(async (name) => [name, desiredOf(await hub.moduleTwin(name))] as const),
  );
  const twins = [['$edgeAgent', agent] as const, ...others].filter(
    // A module that was never given a twin has none in a deployment either.
    ([name, desired]) => name.startsWith('$') || Object.keys(desired).length > 0,
  );
  return Object.fromEntries(twins.map(([name, desired]) => [name, { 'properties.desired': desired }]));
}
