import { isTwinObject, twinEquals } from '@vantage/contracts';
import { parseModulesContent } from '../../agent/deployment.ts';
import { identityName, type IdentityStore } from '../../state/identities.ts';
import type { TwinStore } from '../../twin/store.ts';

const SYSTEM = ['$edgeAgent', '$edgeHub'];

export interface ApplyParts {
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  removeIdentity(deviceId: string, moduleId: string): Promise<void>;
}

/**
 * Gives an edge device that is not this runtime's own its modules, as IoT Hub does: identities for all modules of
 * `$edgeAgent`, the desired properties of each module that is named, and the end of modules that came with an earlier
 * deployment and are not in this one.
 * @throws VantageError EDGE_DEPLOYMENT_INVALID, before anything is changed
 */
export async function applyModules(parts: ApplyParts, deviceId: string, modulesContent: unknown): Promise<void> {
  const { identities, twins } = parts;
  const wanted = parseModulesContent(modulesContent);
  const listed = wanted.get('$edgeAgent')?.['modules'];
  const modules = new Set([...SYSTEM, ...wanted.keys(), ...Object.keys(isTwinObject(listed) ? listed : {})]);
  for (const moduleId of modules) {
    if (identities.get(deviceId, moduleId) === undefined) {
      await identities.create({ deviceId, moduleId, managedBy: 'IotEdge' });
    }
  }
  // The agent comes last: a device that hears of a module finds its twin in place.
  const order = [...wanted.keys()].filter((moduleId) => !SYSTEM.includes(moduleId)).concat('$edgeHub', '$edgeAgent');
  for (const moduleId of order) {
    const desired = wanted.get(moduleId);
    const name = identityName(deviceId, moduleId);
    if (desired !== undefined && !twinEquals(twins.get(name).desired, desired))
      await twins.replaceDesired(name, desired);
  }
  for (const { moduleId, managedBy } of identities.modules(deviceId)) {
    if (managedBy === 'IotEdge' && !modules.has(moduleId)) await parts.removeIdentity(deviceId, moduleId);
  }
}
