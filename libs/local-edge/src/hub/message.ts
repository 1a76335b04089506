import { formatPropertyBag, type PropertyBag } from './topics.ts';

/** The largest message: body plus keys plus values of its properties, in bytes (contract B.4). */
export const MAX_MESSAGE_BYTES = 262_144;

/** A message on its way through the hub. */
export interface HubMessage extends PropertyBag {
  /** Given by the hub when the message came in. */
  readonly id: string;
  /** Who sent it. `moduleId` is empty for a device. */
  readonly deviceId: string;
  readonly moduleId: string;
  /** The output it was sent to; empty when it was sent to none. */
  readonly output: string;
  /** When the hub took it, on its own clock. */
  readonly enqueuedTimeUtc: string;
  /** `internal`: a module of the edge device sent it; `downstream`: somebody behind it. */
  readonly origin: 'internal' | 'downstream';
  readonly body: Buffer;
  /** A change of reported properties, which routes see as `/twinChangeNotifications`. */
  readonly twinChange: boolean;
}

/** A message as it left for the cloud: what `az iot hub monitor-events` would show. */
export interface UpstreamMessage {
  /** Counts up by one, also across restarts. */
  readonly sequence: number;
  readonly id: string;
  /** When it arrived in the cloud. */
  readonly enqueuedTimeUtc: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly output: string;
  readonly properties: Readonly<Record<string, string>>;
  /** By their SDK names: messageId, correlationId, contentType, contentEncoding and so on. */
  readonly systemProperties: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Type and schema of the message that tells of changed reported properties. */
export const TWIN_CHANGE = 'twinChangeNotification';

/** Names on the wire (without `$.`) and the names that route conditions and the SDK use. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  mid: 'messageId',
  cid: 'cid',
  uid: 'userId',
  to: 'to',
  ct: 'contentType',
  ce: 'contentEncoding',
  on: 'outputName',
  cdid: 'connectionDeviceId',
  cmid: 'connectionModuleId',
  exp: 'expiryTimeUtc',
  ifid: 'interfaceId',
  schema: 'messageSchema',
  ctime: 'creationTimeUtc',
  sub: 'dt-subject',
};

/** System properties under the names conditions use, with the stamps the hub adds (contract B.4). */
export function systemProperties(message: HubMessage): Record<string, string> {
  const named = Object.entries(message.system).map(([key, value]): [string, string] => [
    Object.hasOwn(SYSTEM_NAMES, key) ? (SYSTEM_NAMES[key] ?? key) : key,
    value,
  ]);
  return {
    ...Object.fromEntries(named),
    connectionDeviceId: message.deviceId,
    ...(message.moduleId === '' ? {} : { connectionModuleId: message.moduleId }),
    edgeMessageId: message.id,
    edgeHubOriginInterface: message.origin,
    ...(message.twinChange ? { messageType: TWIN_CHANGE, enqueuedTime: message.enqueuedTimeUtc } : {}),
  };
}

/** Body plus keys plus values, in bytes: what the limit counts. */
export function messageSize(body: Buffer, bag: PropertyBag): number {
  let size = body.length;
  for (const record of [bag.properties, bag.system]) {
    for (const [key, value] of Object.entries(record)) size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return size;
}

/** The output's name stays here, and who sent a message is the hub's to say, whatever the sender wrote. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['on', 'cdid', 'cmid']);

/** What was made of the properties of a sender that sends the same again and again, by them. */
const deliveryBags = new WeakMap<
  HubMessage['system'],
  Pick<HubMessage, 'deviceId' | 'moduleId' | 'properties'> & { readonly bag: string }
>();

/** What travels with a message to an input, as it stands in the topic: all but the output's name, and who sent it. */
export function deliveryBag(message: HubMessage): string {
  const { deviceId, moduleId, properties, system } = message;
  const known = deliveryBags.get(system);
  if (known?.properties === properties && known.deviceId === deviceId && known.moduleId === moduleId) return known.bag;
  const forwarded = Object.fromEntries(Object.entries(system).filter(([key]) => !NOT_FORWARDED.has(key)));
  const sender = { cdid: deviceId, ...(moduleId === '' ? {} : { cmid: moduleId }) };
  const bag = formatPropertyBag({ properties, system: { ...forwarded, ...sender } });
  deliveryBags.set(system, { deviceId, moduleId, properties, bag });
  return bag;
}
