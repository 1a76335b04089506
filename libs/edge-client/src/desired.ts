import { codeOf, mergeTwin, messageOf, twinBlobsOf, twinEquals, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { DesiredBlobs } from './desired-blobs.ts';
import type { DesiredChange, DesiredHandler, Unsubscribe } from './edge-module-api.ts';

interface Listener {
  readonly handler: DesiredHandler;
  next: DesiredChange | undefined;
  busy: boolean;
}

/**
 * The desired properties as they really are: full twins replace, patches merge as in the hub (arrays replace, null
 * deletes; the SDK's cache does neither, contract iot-edge-runtime 0.3), versions show what was missed.
 */
export class Desired {
  readonly #logger: Logger;
  readonly #blobs: DesiredBlobs | undefined;
  readonly #listeners = new Set<Listener>();
  /** The state that handlers get, made of the newest one once for all of them. */
  #resolved:
    { readonly of: Readonly<TwinObject>; readonly value: Promise<Readonly<TwinObject> | undefined> } | undefined;
  #superseded = new AbortController();
  #value: Readonly<TwinObject> = Object.freeze({});
  #version: number | undefined;
  #known = false;
  /** Patches that came while a full twin is under way. */
  #early: TwinObject[] | undefined = [];

  /** @param blobs reads values that the twin keeps in blobs; absent: they are left as they are */
  constructor(logger: Logger, blobs?: DesiredBlobs) {
    this.#logger = logger;
    this.#blobs = blobs;
  }

  /** Ends attempts to read what cannot be read. */
  close(): void {
    this.#superseded.abort();
  }

  get value(): Readonly<TwinObject> {
    return this.#value;
  }

  get version(): number | undefined {
    return this.#version;
  }

  /** From now on patches wait for the next {@link full}. */
  expectFull(): void {
    this.#early ??= [];
  }

  /** Takes a full twin, whatever its version: a module created anew starts at 1 again (contract B.5). */
  full(desired: TwinObject): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    const version = versionOf(desired);
    this.#set(mergeTwin({}, content(desired), { newObjectNulls: 'drop' }), version, undefined);
    for (const patch of early) if ((versionOf(patch) ?? Infinity) > (version ?? -1)) this.patch(patch);
  }

  /** Applies a patch. False when the twin must be fetched again: one was missed, or versions started over. */
  patch(patch: TwinObject): boolean {
    if (this.#early !== undefined) {
      this.#early.push(patch);
      return true;
    }
    const version = versionOf(patch);
    if (version !== undefined && this.#version !== undefined) {
      if (version === this.#version) return true;
      if (version !== this.#version + 1) return false;
    }
    const changes = content(patch);
    this.#set(mergeTwin(this.#value, changes, { newObjectNulls: 'drop' }), version ?? this.#version, changes);
    return true;
  }

  on(handler: DesiredHandler): Unsubscribe {
    const listener: Listener = { handler, next: this.#known ? { version: this.#version } : undefined, busy: false };
    this.#listeners.add(listener);
    this.#notify(listener);
    return () => void this.#listeners.delete(listener);
  }

  #set(value: TwinObject, version: number | undefined, patch: TwinObject | undefined): void {
    const same = this.#known && version === this.#version && twinEquals(value, this.#value);
    this.#value = deepFreeze(value);
    this.#version = version;
    this.#known = true;
    if (same) return;
    this.#superseded.abort();
    this.#superseded = new AbortController();
    for (const listener of this.#listeners) {
      const merged = listener.next !== undefined;
      listener.next = { version, ...(patch === undefined || merged ? {} : { patch }) };
      this.#notify(listener);
    }
  }

  #notify(listener: Listener): void {
    if (listener.busy || listener.next === undefined) return;
    listener.busy = true;
    void this.#work(listener);
  }

  async #work(listener: Listener): Promise<void> {
    // Not in the caller's turn: who registers a handler has finished its own set-up first.
    await Promise.resolve();
    for (
      let change = takeNext(listener);
      change !== undefined && this.#listeners.has(listener);
      change = takeNext(listener)
    ) {
      try {
        const raw = this.#value;
        const value = await this.#whole(raw);
        // A newer one is there, and comes next.
        if (value === undefined) continue;
        await listener.handler(value, value === raw ? change : { version: change.version });
      } catch (error) {
        this.#logger.error(`applying desired properties failed: ${messageOf(error)}`, {
          version: change.version,
          code: codeOf(error),
          error,
        });
      }
    }
    listener.busy = false;
  }

  async #whole(raw: Readonly<TwinObject>): Promise<Readonly<TwinObject> | undefined> {
    if (!this.#blobs || (twinBlobsOf(raw).length === 0 && this.#resolved === undefined)) return raw;
    if (this.#resolved?.of !== raw) {
      const value = this.#blobs.resolve(raw, this.#superseded.signal).then((one) => one && deepFreeze(one));
      this.#resolved = { of: raw, value };
    }
    return this.#resolved.value;
  }
}

function takeNext(listener: Listener): DesiredChange | undefined {
  const change = listener.next;
  listener.next = undefined;
  return change;
}

export function versionOf(properties: TwinObject): number | undefined {
  const version = properties['$version'];
  return typeof version === 'number' ? version : undefined;
}

/** The properties without the hub's own `$version` and `$metadata`. */
export function content(properties: TwinObject): TwinObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== '$version' && key !== '$metadata'));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
