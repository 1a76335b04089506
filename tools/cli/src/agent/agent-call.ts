import { VantageError, isObject } from '@vantage/contracts';
import { findHub, type Hub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';

/**
 * Calls a direct method of a device's `$edgeAgent` (contract iot-edge-runtime C.4).
 *
 * @returns its payload
 * @throws VantageError AGENT_REFUSED with what the agent says, MODULE_OFFLINE, METHOD_UNANSWERED
 */
export async function callAgent(hub: Hub, method: string, payload: object): Promise<unknown> {
  const answer = await hub.invokeMethod('$edgeAgent', method, { schemaVersion: '1.0', ...payload });
  if (answer.status < 300) return answer.payload;
  const said = isObject(answer.payload) ? answer.payload['message'] : undefined;
  const why = typeof said === 'string' ? said : `status ${answer.status}`;
  throw new VantageError('AGENT_REFUSED', `the agent of ${hub.device} refuses ${method}: ${why}`);
}

/** @returns the device */
export async function restartModule(module: string, options: HubOptions): Promise<string> {
  const hub = await findHub(options);
  await callAgent(hub, 'RestartModule', { id: module });
  return hub.device;
}

export async function pingAgent(
  options: HubOptions,
): Promise<{ readonly device: string; readonly milliseconds: number }> {
  const hub = await findHub(options);
  const startedMs = performance.now();
  await callAgent(hub, 'ping', {});
  return { device: hub.device, milliseconds: Math.round(performance.now() - startedMs) };
}
