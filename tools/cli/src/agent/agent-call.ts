import { VantageError, isObject } from '@vantage/contracts';
import type { Hub } from '@vantage/hub';

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
