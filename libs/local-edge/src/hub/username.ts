import { mqttProtocolError } from '../errors.ts';

/** Who an MQTT client says it is. */
export interface MqttUsername {
  readonly hostName: string;
  readonly deviceId: string;
  /** Empty for a device. */
  readonly moduleId: string;
  readonly deviceClientType: string;
  readonly modelId: string | null;
}

/**
 * Reads a CONNECT user name as edgeHub does (contract iot-edge-runtime A.1):
 * `<host>/<device>[/<module>]/[?]api-version=…[&DeviceClientType=…][&model-id=…]`. Unknown keys are passed over, of a
 * key given twice the first counts. Throws EDGE_MQTT_PROTOCOL.
 */
export function parseMqttUsername(username: string): MqttUsername {
  const segments = username.split('/');
  const query = segments.length === 3 || segments.length === 4 ? segments.at(-1) : undefined;
  const [hostName, deviceId, moduleId] = segments;
  if (query === undefined || hostName === undefined || deviceId === undefined) {
    throw mqttProtocolError('the user name is not <host>/<device>[/<module>]/?api-version=<version>');
  }
  const module = segments.length === 4 ? moduleId : '';
  if (hostName === '' || deviceId === '' || (segments.length === 4 && module === '')) {
    throw mqttProtocolError('the user name has an empty host, device or module');
  }
  const fields = new Map<string, string>();
  for (const part of query.replace(/^\?/, '').split('&')) {
    const at = part.indexOf('=');
    if (at <= 0) continue;
    const key = part.slice(0, at);
    if (!fields.has(key)) fields.set(key, decode(part.slice(at + 1)));
  }
  if ((fields.get('api-version') ?? '') === '') throw mqttProtocolError('the user name has no api-version');
  return {
    hostName,
    deviceId,
    moduleId: module ?? '',
    deviceClientType: fields.get('DeviceClientType') ?? '',
    modelId: fields.get('model-id') ?? null,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
