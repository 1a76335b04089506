import { mqttProtocolError } from '../errors.ts';

/** What a client may publish, read from its topic (contract iot-edge-runtime A.2). */
export type PublishTopic =
  | { readonly kind: 'telemetry'; readonly deviceId: string; readonly moduleId: string; readonly bag: PropertyBag }
  | { readonly kind: 'twin-get'; readonly requestId: string }
  | { readonly kind: 'twin-patch'; readonly requestId: string }
  | { readonly kind: 'method-result'; readonly requestId: string; readonly status: number };

/** The property bag of a message as it stands in a topic. Order is kept. */
export interface PropertyBag {
  /** Application properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** System properties under their names on the wire without `$.`: `on`, `mid`, `ct`, `ce`, `cdid` and so on. */
  readonly system: Readonly<Record<string, string>>;
}

const TELEMETRY = /^devices\/([^/]+)\/(?:modules\/([^/]+)\/)?messages\/events(?:\/(.*))?$/s;
const METHOD_RESULT = /^\$iothub\/methods\/res\/(-?\d{1,9})\/\?(.*)$/s;
const TWIN_GET = /^\$iothub\/twin\/GET\/\?(.*)$/s;
const TWIN_PATCH = /^\$iothub\/twin\/PATCH\/properties\/reported\/\?(.*)$/s;

/** Most topics that are remembered, and the length of the longest. */
const MAX_TOPICS = 256;
const MAX_TOPIC_LENGTH = 512;

/** Reads topics; a sender whose properties do not change sends to the same one again and again. */
export class PublishTopics {
  readonly #known = new Map<string, PublishTopic>();

  /** As {@link parsePublishTopic}. What it yields is shared: nobody may change it. */
  parse(topic: string): PublishTopic {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const parsed = parsePublishTopic(topic);
    if (parsed.kind === 'telemetry' && topic.length <= MAX_TOPIC_LENGTH) {
      if (this.#known.size >= MAX_TOPICS) this.#known.clear();
      this.#known.set(topic, parsed);
    }
    return parsed;
  }
}

/** Reads the topic of a PUBLISH; one that the dialect does not know throws EDGE_MQTT_PROTOCOL. */
export function parsePublishTopic(topic: string): PublishTopic {
  const telemetry = TELEMETRY.exec(topic);
  if (telemetry !== null) {
    const [, deviceId = '', moduleId = '', bag = ''] = telemetry;
    return { kind: 'telemetry', deviceId: decode(deviceId), moduleId: decode(moduleId), bag: parsePropertyBag(bag) };
  }
  const get = TWIN_GET.exec(topic);
  if (get !== null) return { kind: 'twin-get', requestId: requestIdOf(get[1] ?? '') };
  const patch = TWIN_PATCH.exec(topic);
  if (patch !== null) return { kind: 'twin-patch', requestId: requestIdOf(patch[1] ?? '') };
  const result = METHOD_RESULT.exec(topic);
  if (result !== null) {
    return { kind: 'method-result', requestId: requestIdOf(result[2] ?? ''), status: Number(result[1]) };
  }
  throw mqttProtocolError(`publishing to "${topic}" is not part of the IoT Hub dialect`);
}

/** Reads `a=1&%24.ct=text%2Fplain/`. Of a key given twice the last counts, as in edgeHub's dictionary. */
export function parsePropertyBag(text: string): PropertyBag {
  const bag = text.endsWith('/') ? text.slice(0, -1) : text;
  const properties: [string, string][] = [];
  const system: [string, string][] = [];
  for (const part of bag.split('&')) {
    if (part === '' || part === '?') continue;
    const at = part.indexOf('=');
    const key = decode(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? '' : decode(part.slice(at + 1));
    if (key.startsWith('$.')) system.push([key.slice(2), value]);
    else properties.push([key.replace(/^\?/, ''), value]);
  }
  return { properties: Object.fromEntries(properties), system: Object.fromEntries(system) };
}

/** The topic on which a message reaches an input; the slash after the input is required by the SDK. */
export function inputTopic(deviceId: string, moduleId: string, input: string, bag: string): string {
  return `devices/${deviceId}/modules/${moduleId}/inputs/${input}/${bag}`;
}

/** The other way round. */
export function formatPropertyBag(bag: PropertyBag): string {
  const pairs = [
    ...Object.entries(bag.properties),
    ...Object.entries(bag.system).map(([key, value]): [string, string] => [`$.${key}`, value]),
  ].map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  return pairs.join('&');
}

/** Whether a client may subscribe to a topic filter: only to what the dialect defines for itself. */
export function maySubscribe(filter: string, deviceId: string, moduleId: string): boolean {
  if (filter === METHODS_FILTER || filter === '$iothub/twin/res/#') return true;
  if (filter === DESIRED_FILTER) return true;
  return moduleId === ''
    ? filter === `devices/${deviceId}/messages/devicebound/#`
    : filter === inputsFilter(deviceId, moduleId);
}

export const METHODS_FILTER = '$iothub/methods/POST/#';
export const DESIRED_FILTER = '$iothub/twin/PATCH/properties/desired/#';
export const inputsFilter = (deviceId: string, moduleId: string): string =>
  `devices/${deviceId}/modules/${moduleId}/inputs/#`;

function requestIdOf(query: string): string {
  for (const part of query.split('&')) {
    if (part.startsWith('$rid=') && part.length > 5) return decode(part.slice(5));
  }
  throw mqttProtocolError('the topic has no $rid');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw mqttProtocolError(`"${text}" is not well percent-encoded`);
  }
}
