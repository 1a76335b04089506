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

/** An old client that writes a slash before its type; edgeHub takes this one text and no other of six segments. */
const OLD_CLIENT_END = '/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.1-preview-003';

/**
 * Reads a CONNECT user name as edgeHub's MqttUsernameParser does (contract iot-edge-runtime A.1):
 * `<host>/<device>[/<module>]/[?]api-version=…[&DeviceClientType=…][&model-id=…]`. The version is not looked at, unknown
 * keys are passed over, of a key given twice the first counts. Throws EDGE_MQTT_PROTOCOL.
 */
export function parseMqttUsername(username: string): MqttUsername {
  const segments = username.split('/');
  const [hostName = '', device = '', third = ''] = segments;
  if (segments.length === 6 && username.toLowerCase().endsWith(OLD_CLIENT_END.toLowerCase())) {
    const deviceClientType = OLD_CLIENT_END.slice(OLD_CLIENT_END.lastIndexOf('=') + 1);
    return { hostName, ...named(device, third), deviceClientType, modelId: null };
  }
  const query = segments.length === 3 || segments.length === 4 ? segments.at(-1) : undefined;
  if (query === undefined) {
    throw mqttProtocolError('the user name is not <host>/<device>[/<module>]/?api-version=<version>');
  }
  const fields = new Map<string, string>();
  for (const part of query.replace(/^\?/, '').trim().split('&')) {
    const at = part.indexOf('=');
    const key = at < 0 ? part : part.slice(0, at);
    if (!fields.has(key)) fields.set(key, at < 0 ? '' : decode(part.slice(at + 1)));
  }
  if (isBlank(fields.get('api-version'))) throw mqttProtocolError('the user name has no api-version');
  const modelId = fields.get('model-id');
  return {
    hostName,
    ...named(device, segments.length === 4 ? third : ''),
    deviceClientType: fields.get('DeviceClientType') ?? '',
    modelId: modelId === undefined || isBlank(modelId) ? null : modelId,
  };
}

function named(device: string, module: string): Pick<MqttUsername, 'deviceId' | 'moduleId'> {
  if (isBlank(device)) throw mqttProtocolError('the user name has no device');
  return { deviceId: device.trim(), moduleId: module.trim() };
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}

/** Percent-decoding that leaves what is malformed as it is, like .NET's Uri.UnescapeDataString. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
