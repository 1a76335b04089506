import { isTwinObject, mergeTwin, twinEquals, type TwinObject } from '@vantage/contracts';
import { isSecretKey } from '@vantage/observability';
import { secretUnknown } from '../errors.ts';
import { MASK, maskObject, maskSecrets, maskWhole } from './masking.ts';
import { goesElsewhere, isAddress, type Level } from './secret-addresses.ts';

/** A masked value that cannot become what it was. */
export interface SecretProblem {
  readonly severity: 'error';
  readonly path: string;
  readonly message: string;
}

const NOTHING_THERE = 'a masked value stands where none was: type it anew';
const AMBIGUOUS = 'which of the masked values before it is meant cannot be told: type it anew';
const CHANGED = 'what stands around this mask was changed: type the secret again';
const ELSEWHERE = 'the secret behind this mask belongs to another address or user than stand here now: type it again';

/**
 * What a browser sends back, with the secrets that it was not shown: a masked value becomes what stands at the same
 * place of `actual`. Items of lists are the same when their `name` or `id` is, else when nothing but the mask could
 * differ, else when their place is.
 *
 * A secret is given back only for where it went before: who may edit a twin, but does not know a camera's password, could
 * else point the camera at a machine of his own and be sent it.
 *
 * @throws VantageError SECRET_UNKNOWN with all places where a mask stands and there was nothing, something else around it,
 * or another address beside it
 */
export function restoreSecrets(wanted: TwinObject, actual: TwinObject): TwinObject {
  const restorer = new Restorer(wanted, actual);
  const restored = restorer.object(wanted, actual, '', []);
  if (restorer.problems.length > 0) throw secretUnknown(restorer.problems);
  return restored;
}

/**
 * The same for a patch. Secrets that it does not touch are looked at as well: a new endpoint alone would take the old
 * password along.
 *
 * @throws VantageError SECRET_UNKNOWN
 */
export function restorePatched(patch: TwinObject, actual: TwinObject): TwinObject {
  return restoreSecrets(mergeTwin(maskObject(actual), patch), actual);
}

class Restorer {
  readonly problems: SecretProblem[] = [];
  readonly #wanted: TwinObject;
  readonly #actual: TwinObject;

  constructor(wanted: TwinObject, actual: TwinObject) {
    this.#wanted = wanted;
    this.#actual = actual;
  }

  object(wanted: TwinObject, actual: unknown, path: string, above: readonly Level[], isItem = false): TwinObject {
    const old = isTwinObject(actual) ? actual : {};
    const trail = [...above, { wanted, actual: old, isItem }];
    return Object.fromEntries(
      Object.entries(wanted).map(([key, item]) => {
        const before = Object.hasOwn(old, key) ? old[key] : undefined;
        return [key, this.#value(key, item, before, path === '' ? key : `${path}.${key}`, trail)];
      }),
    );
  }

  #value(key: string, wanted: unknown, actual: unknown, path: string, trail: readonly Level[]): unknown {
    if (typeof wanted === 'string') return this.#text(key, wanted, actual, path, trail);
    if (Array.isArray(wanted)) {
      const old = Array.isArray(actual) ? (actual as unknown[]) : [];
      return wanted.map((item: unknown, at) => {
        const place = `${path}[${at}]`;
        const before = counterpart(item, at, wanted, old);
        if (isTwinObject(item)) return this.object(item, before, place, trail, true);
        if (before === undefined && old.length > 0 && hasMask(item)) return this.#refuse(place, AMBIGUOUS, item);
        return this.#value(key, item, before, place, trail);
      });
    }
    return isTwinObject(wanted) ? this.object(wanted, actual, path, trail) : wanted;
  }

  #text(key: string, wanted: string, actual: unknown, path: string, trail: readonly Level[]): unknown {
    if (!wanted.includes(MASK)) return wanted;
    const shown = isSecretKey(key) ? maskWhole(actual) : maskSecrets(actual);
    if (typeof shown !== 'string' || !shown.includes(MASK)) return this.#refuse(path, NOTHING_THERE, wanted);
    // What is itself an address goes where it says; everything else goes where its surroundings say.
    if (!isSecretKey(key) && isAddress(key, wanted)) {
      return shown === wanted ? actual : (sameAddress(wanted, shown, actual) ?? this.#refuse(path, ELSEWHERE, wanted));
    }
    if (shown !== wanted) return this.#refuse(path, CHANGED, wanted);
    return goesElsewhere(trail, this.#wanted, this.#actual) ? this.#refuse(path, ELSEWHERE, wanted) : actual;
  }

  #refuse(path: string, message: string, value: unknown): unknown {
    this.problems.push({ severity: 'error', path, message });
    return value;
  }
}

/** `rtsp://•••@10.0.0.8:554/two`: scheme, host, port, and the rest. */
const MASKED_URL = /^([a-z][a-z0-9+.-]*:\/\/)•••@([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?((?:[/?#][^•\\]*)?)$/i;

/** A URL whose path was changed, with the user info of before; undefined where scheme, host or port differ. */
function sameAddress(wanted: string, shown: string, actual: unknown): string | undefined {
  const [, scheme = '', host = '', port = '', rest = ''] = MASKED_URL.exec(wanted) ?? [];
  const [, oldScheme = '', oldHost = '', oldPort = '', oldRest = ''] = MASKED_URL.exec(shown) ?? [];
  const old = `${oldScheme}${oldHost}${oldPort}`;
  if (old === '' || `${scheme}${host}${port}`.toLowerCase() !== old.toLowerCase()) return undefined;
  const tail = `@${oldHost}${oldPort}${oldRest}`;
  if (typeof actual !== 'string' || !actual.endsWith(tail)) return undefined;
  return `${scheme}${actual.slice(oldScheme.length, -tail.length)}@${host}${port}${rest}`;
}

function counterpart(item: unknown, at: number, wanted: readonly unknown[], old: readonly unknown[]): unknown {
  const name = nameOf(item);
  if (name === undefined) return unnamed(item, at, wanted, old);
  const same = old.filter((one) => nameOf(one) === name);
  if (same.length === 1) return same[0];
  if (same.length > 1) return wanted.length === old.length && same.includes(old[at]) ? old[at] : undefined;
  // Renamed in place: what stood here is nowhere else now.
  const before = nameOf(old[at]);
  return wanted.length === old.length && !wanted.some((one) => nameOf(one) === before) ? old[at] : undefined;
}

function unnamed(item: unknown, at: number, wanted: readonly unknown[], old: readonly unknown[]): unknown {
  const looksAlike = (one: unknown): boolean => twinEquals(maskSecrets(one), item);
  if (wanted.length === old.length && looksAlike(old[at])) return old[at];
  const [first, ...others] = old.filter(looksAlike);
  if (first !== undefined) return others.every((one) => twinEquals(one, first)) ? first : undefined;
  return wanted.length === old.length ? old[at] : undefined;
}

function nameOf(item: unknown): string | undefined {
  if (!isTwinObject(item)) return undefined;
  const name = item['name'] ?? item['id'];
  return typeof name === 'string' ? name : undefined;
}

function hasMask(value: unknown): boolean {
  return typeof value === 'string' && value.includes(MASK);
}
