import { messageOf } from '@vantage/contracts';
import { identityName } from '../state/identities.ts';
import type { HubAccess, TokenGrant } from './access.ts';
import { ConnectRefused } from './mqtt-server.ts';
import { maySubscribe } from './topics.ts';
import { parseMqttUsername, type MqttUsername } from './username.ts';

/**
 * Checks who connects (contract iot-edge-runtime A.1).
 * @throws ConnectRefused with the code of the CONNACK, VantageError EDGE_UNAUTHORIZED (code 5)
 */
export function admit(access: HubAccess, clientId: string, username: string, password: string): TokenGrant {
  let user: MqttUsername;
  try {
    user = parseMqttUsername(username);
  } catch (error) {
    throw new ConnectRefused(4, messageOf(error));
  }
  const { deviceId, moduleId } = user;
  if (clientId !== identityName(deviceId, moduleId)) {
    throw new ConnectRefused(2, `the client id "${clientId}" is not the one of the user name`);
  }
  if (password === '') throw new ConnectRefused(4, 'there is no password');
  return access.checkClient(deviceId, moduleId, password);
}

/** Whether a client may subscribe to a filter: only to its own topics. */
export function maySubscribeAs(clientId: string, filter: string): boolean {
  return maySubscribe(filter, ...splitName(clientId));
}

/** Device and module of a client's name, `D` or `D/M`; the module of a device is empty. */
export function splitName(name: string): [deviceId: string, moduleId: string] {
  const [deviceId = '', moduleId = ''] = name.split('/');
  return [deviceId, moduleId];
}
