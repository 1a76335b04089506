import { isTwinObject, twinEquals, type TwinObject } from '@vantage/contracts';
import { isSecretKey } from '@vantage/observability';
import { maskSecrets } from './masking.ts';

/** An object on the way to a secret: as it came from a browser, masked, and as it is, with its secrets. */
export interface Level {
  readonly wanted: TwinObject;
  readonly actual: TwinObject;
  /** It stands in a list. */
  readonly isItem: boolean;
}

/** Words in the name of a field that say more closely where something goes, or as whom. */
const WORDS: ReadonlySet<string> = new Set([
  ...['account', 'domain', 'login', 'namespace', 'port', 'proxy', 'registry', 'tenant', 'uname', 'user', 'username'],
]);
/** Those that say where, also where they are no word of their own (`baseurl`, `hostname`). */
const PLACE =
  /(?:\b(?:addr|ip|origin|destination|target)|address|broker|endpoint|gateway|host|hostname|location|server|uri|url)(?:e?s)?$/i;
const URL_LIKE = /^\s*([a-z][a-z0-9+.-]*):\/\/([^/?#\s]*)/i;
/** What is read from this machine is sent no password. */
const NOWHERE = /^\s*(?:$|file:|\/)/i;

/** Whether a field of this name says where something goes: `endpoint`, `serverUrl`, `mqtt_host`, `port`. */
export function isAddressKey(key: string): boolean {
  if (isSecretKey(key) && !/uname$/i.test(key)) return false;
  return wordsOf(key).some((word) => WORDS.has(word) || PLACE.test(word));
}

function wordsOf(key: string): string[] {
  const spaced = key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.split(/[^a-z0-9]+/);
}

/**
 * Whether a secret would be sent somewhere else, or as somebody else, than before.
 *
 * A camera's user and password go to the endpoint of the sensor that the stream (or the skill's instance) names. Of
 * everything else nobody knows where it goes, so all that looks like an address and is near counts: in the objects around
 * the secret, and anywhere in the item of a list that it belongs to.
 *
 * @param trail from the twin itself to the object that holds the secret
 */
export function goesElsewhere(trail: readonly Level[], wantedTwin: TwinObject, actualTwin: TwinObject): boolean {
  const holder = trail.at(-1);
  if (!holder) return false;
  const wanted = endpointsOf(wantedTwin, holder.wanted);
  const actual = endpointsOf(actualTwin, holder.actual);
  if (wanted.length > 0 || actual.length > 0) {
    const isElsewhere = wanted.some((endpoint) => !NOWHERE.test(endpoint) && !actual.includes(endpoint));
    return isElsewhere || userOf(holder.wanted) !== userOf(maskSecrets(holder.actual));
  }
  return trail.some(isChanged) || isNewNearby(trail);
}

/** Where the camera is that an object names, once for each sensor of that name: of several one counts. */
function endpointsOf(twin: TwinObject, { name }: TwinObject): string[] {
  const configuration = twin['azdaConfiguration'];
  const components = isTwinObject(configuration) ? configuration['components'] : undefined;
  const sensors = isTwinObject(components) ? components['sensors'] : undefined;
  if (!Array.isArray(sensors) || typeof name !== 'string') return [];
  return (sensors as unknown[]).flatMap((sensor) => {
    if (!isTwinObject(sensor) || sensor['name'] !== name) return [];
    const endpoint = sensor['endpoint'];
    return [typeof endpoint === 'string' ? (hostOf(endpoint) ?? endpoint) : ''];
  });
}

function userOf(value: unknown): unknown {
  return isTwinObject(value) ? (value['uname'] ?? '') : '';
}

/** Addresses that stand directly in an object, by their names. */
function isChanged({ wanted, actual }: Level): boolean {
  return !twinEquals(direct(wanted), direct(maskSecrets(actual) as TwinObject));
}

function direct(object: TwinObject): TwinObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => (isAddress(key, value) ? [[key, whereOf(value)]] : [])),
  );
}

/** In the list's item that the secret is in; else in the nearest object that says where anything goes. */
function isNewNearby(trail: readonly Level[]): boolean {
  const item = trail.find(({ isItem }) => isItem);
  for (const { wanted, actual } of item ? [item] : trail.toReversed()) {
    const now = addressesIn(wanted, item !== undefined);
    const before = addressesIn(maskSecrets(actual), item !== undefined);
    if (now.some(({ isPlace }) => isPlace) || before.some(({ isPlace }) => isPlace) || item) {
      return now.some(({ where }) => !before.some((known) => known.where === where));
    }
  }
  return false;
}

interface Address {
  readonly where: unknown;
  /** Not only a port or a user. */
  readonly isPlace: boolean;
}

function addressesIn(value: unknown, intoItems: boolean, key = ''): Address[] {
  if (Array.isArray(value)) {
    const items = (value as unknown[]).filter((item) => intoItems || !isTwinObject(item));
    return items.flatMap((item) => addressesIn(item, intoItems, key));
  }
  if (isTwinObject(value)) {
    return Object.entries(value).flatMap(([name, item]) => addressesIn(item, intoItems, name));
  }
  if (!isAddress(key, value)) return [];
  const isPlace = URL_LIKE.test(String(value)) || wordsOf(key).some((word) => PLACE.test(word));
  return [{ where: whereOf(value), isPlace }];
}

/** Whether a value says where something goes, by its name or by itself. */
export function isAddress(key: string, value: unknown): boolean {
  if (typeof value !== 'string') return typeof value === 'number' && isAddressKey(key);
  return value !== '' && (isAddressKey(key) || URL_LIKE.test(value));
}

/** Paths of cameras are theirs; behind one name of the web live many. */
function whereOf(value: unknown): unknown {
  if (typeof value !== 'string' || /^\s*https?:/i.test(value)) return value;
  return hostOf(value) ?? value;
}

/** `rtsp://10.0.0.7:554` of a URL, undefined of what is none, or hides its host. */
function hostOf(text: string): string | undefined {
  const [, scheme, authority = ''] = URL_LIKE.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (
    scheme === undefined ||
    authority.includes('\\') ||
    !/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)
  )
    return undefined;
  return `${scheme}://${host}`.toLowerCase();
}
