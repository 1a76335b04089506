import { type BodyPath, type BodyValue, readBodyPath } from './body.ts';

/**
 * A message as the router sees it.
 *
 * System property names are edgeHub's own (`contentType`, `contentEncoding`, `messageId`, `cid`, ...), not those of the
 * wire. `connectionDeviceId` and `connectionModuleId` need not be set: they are taken from `deviceId` and `moduleId`.
 * Treat a message as frozen once it was routed: its body is parsed at most once.
 */
export interface RoutedMessage {
  readonly source: 'telemetry' | 'twinChange';
  /** The device that sent it, or that the module which sent it runs on. Empty when it is not known. */
  readonly deviceId: string;
  /** Absent for a message of a device itself. */
  readonly moduleId?: string | undefined;
  /** The output of the module that it left by; absent for a message without output. */
  readonly output?: string | undefined;
  readonly properties: Readonly<Record<string, string | null>>;
  readonly systemProperties: Readonly<Record<string, string | null>>;
  /** Text, or bytes in the encoding that `contentEncoding` names. */
  readonly body: string | Uint8Array;
}

/** The source path that FROM is matched against. */
export function messageSourceOf(message: Pick<RoutedMessage, 'source' | 'moduleId' | 'output'>): string {
  if (message.source === 'twinChange') return '/twinChangeNotifications/';
  if (message.moduleId === undefined) return '/messages/';
  return message.output === undefined
    ? `/messages/modules/${message.moduleId}/`
    : `/messages/modules/${message.moduleId}/outputs/${message.output}/`;
}

const TWIN_CHANGE = 'twinChangeNotification';

/**
 * What conditions read of one message. Everything that costs something (the case-insensitive look-ups, the parsed
 * body) is made on first use and kept, so that many routes share it.
 */
export class MessageView {
  readonly #message: RoutedMessage;
  readonly #edgeDeviceId: string;
  #properties: Map<string, string | null> | undefined;
  #system: Map<string, string | null> | undefined;
  /** Undefined until first use; null when the body is no JSON object. */
  #body: Readonly<Record<string, unknown>> | null | undefined;

  constructor(message: RoutedMessage, edgeDeviceId = '') {
    this.#message = message;
    this.#edgeDeviceId = edgeDeviceId;
  }

  /** An application property, by its name in lower case; undefined when there is none. */
  property(lowerName: string): string | null | undefined {
    this.#properties ??= byLowerCase(this.#message.properties);
    return this.#properties.get(lowerName);
  }

  /** A system property, by its name in lower case; undefined when there is none. */
  systemProperty(lowerName: string): string | null | undefined {
    this.#system ??= this.#systemProperties();
    return this.#system.get(lowerName);
  }

  /** The value at a path of the body; undefined when the body is no JSON object or the path ends in an object. */
  bodyValue(path: BodyPath): BodyValue {
    if (this.#body === undefined) this.#body = this.#parseBody();
    return this.#body === null ? undefined : readBodyPath(this.#body, path);
  }

  #systemProperties(): Map<string, string | null> {
    const { source, deviceId, moduleId, systemProperties } = this.#message;
    const names = byLowerCase(systemProperties);
    if (source === 'twinChange') {
      // edgeHub routes a twin change as if $edgeHub itself had sent it; the reporter is named on the wire only.
      names.set('connectiondeviceid', this.#edgeDeviceId);
      names.set('connectionmoduleid', '$edgeHub');
      names.set('messagetype', TWIN_CHANGE);
      names.set('messageschema', TWIN_CHANGE);
      return names;
    }
    if (deviceId !== '' && !names.has('connectiondeviceid')) names.set('connectiondeviceid', deviceId);
    if (moduleId !== undefined && !names.has('connectionmoduleid')) names.set('connectionmoduleid', moduleId);
    return names;
  }

  #parseBody(): Readonly<Record<string, unknown>> | null {
    if (this.systemProperty('contenttype')?.toLowerCase() !== 'application/json') return null;
    const encoding = this.systemProperty('contentencoding')?.toLowerCase();
    if (encoding !== 'utf-8' && encoding !== 'utf-16' && encoding !== 'utf-32') return null;
    try {
      const { body } = this.#message;
      const parsed: unknown = JSON.parse(typeof body === 'string' ? body : decode(body, encoding));
      return isObject(parsed) ? parsed : null;
    } catch {
      // Not JSON, or not in that encoding: conditions see "undefined", as in edgeHub.
      return null;
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byLowerCase(record: Readonly<Record<string, string | null>>): Map<string, string | null> {
  const map = new Map<string, string | null>();
  for (const key of Object.keys(record)) {
    const lower = key.toLowerCase();
    if (!map.has(lower)) map.set(lower, record[key] ?? null);
  }
  return map;
}

/** What .NET puts for bytes that are no character. */
const REPLACEMENT = '\ufffd';

/** The encodings are those of .NET's `Encoding.UTF8`, `Unicode` and `UTF32`: little endian, a byte order mark is kept. */
function decode(bytes: Uint8Array, encoding: 'utf-8' | 'utf-16' | 'utf-32'): string {
  if (encoding !== 'utf-32') {
    return new TextDecoder(encoding === 'utf-8' ? 'utf-8' : 'utf-16le', { ignoreBOM: true }).decode(bytes);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) {
    const point = view.getUint32(at, true);
    const isCharacter = point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff);
    text += isCharacter ? String.fromCodePoint(point) : REPLACEMENT;
  }
  return bytes.byteLength % 4 === 0 ? text : text + REPLACEMENT;
}
