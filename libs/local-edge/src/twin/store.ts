import { EventEmitter } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diffTwin, isTwinObject, mergeTwin, type TwinObject } from '@vantage/contracts';
import { etagMismatch } from '../errors.ts';
import type { Logger } from '@vantage/observability';
import { JsonFile, readState } from '../state/files.ts';
import { validateTwinPatch } from './validation.ts';

/** A twin as it stands. Versions count up with every change and never go back, not even when a module is deleted. */
export interface Twin {
  readonly desired: TwinObject;
  readonly desiredVersion: number;
  readonly desiredUpdatedUtc: string;
  readonly reported: TwinObject;
  readonly reportedVersion: number;
  readonly reportedUpdatedUtc: string;
  readonly tags: TwinObject;
  /** Counts changes of desired properties and tags: the ETag. */
  readonly revision: number;
  /** Its device or module is gone; what is left are the versions. */
  readonly deleted: boolean;
}

/** What changed in a twin. `patch` turns the old part into the new one and does not hold `$version`. */
export interface TwinChange {
  /** `D` or `D/M`. */
  readonly name: string;
  readonly part: 'desired' | 'reported';
  readonly patch: TwinObject;
  readonly version: number;
}

/** The parts of a twin a service may change. */
export interface TwinUpdate {
  readonly desired?: TwinObject;
  readonly tags?: TwinObject;
}

interface Entry {
  twin: Twin;
  readonly file: JsonFile;
}

/** The ETag of a twin, without quotes: eight bytes of its revision, as IoT Hub writes it. */
export function twinEtag(twin: Twin): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(twin.revision));
  return bytes.toString('base64');
}

/**
 * All twins, a file each. A change is on disk before its promise resolves and before the `change` event.
 *
 * Events: `change` (TwinChange).
 */
export class TwinStore extends EventEmitter<{ change: [TwinChange] }> {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();

  constructor(stateDir: string, logger: Logger) {
    super();
    this.#folder = join(stateDir, 'twins');
    this.#logger = logger;
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const file of await readdir(this.#folder)) {
      if (!file.endsWith('.json')) continue;
      const name = decodeURIComponent(file.slice(0, -'.json'.length));
      const twin = await readState(join(this.#folder, file), isTwin, this.#logger);
      const entry = this.#entry(name);
      // What the versions of a damaged twin were is not known; the time is past any count they can have reached.
      const version = Math.floor(Date.now() / 1000);
      entry.twin = twin ?? { ...entry.twin, desiredVersion: version, reportedVersion: version, revision: version };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.file.idle()));
  }

  /** The twin of a device or module; an empty one when nothing was ever set. */
  get(name: string): Twin {
    return this.#entry(name).twin;
  }

  /** Merges into desired properties and tags. `etag`: refuse (EDGE_ETAG_MISMATCH) unless the twin still has it. */
  async patch(name: string, update: TwinUpdate, etag?: string): Promise<Twin> {
    if (update.desired !== undefined) validateTwinPatch(update.desired);
    if (update.tags !== undefined) validateTwinPatch(update.tags);
    const { twin } = this.#entry(name);
    this.#checkEtag(name, twin, etag);
    return this.#change(
      name,
      {
        ...(update.desired === undefined ? {} : { desired: mergeTwin(twin.desired, update.desired) }),
        ...(update.tags === undefined ? {} : { tags: mergeTwin(twin.tags, update.tags) }),
      },
      update.desired,
    );
  }

  /** Puts desired properties in place of the old ones. Clients get the difference. */
  async replaceDesired(name: string, desired: TwinObject): Promise<Twin> {
    validateTwinPatch(desired);
    return this.#change(name, { desired: mergeTwin({}, desired, { newObjectNulls: 'drop' }) });
  }

  /** Puts desired properties or tags in place of the old ones (the hub's PUT). */
  async replace(name: string, update: TwinUpdate, etag?: string): Promise<Twin> {
    if (update.desired !== undefined) validateTwinPatch(update.desired);
    if (update.tags !== undefined) validateTwinPatch(update.tags);
    this.#checkEtag(name, this.#entry(name).twin, etag);
    return this.#change(name, update);
  }

  /** Merges a client's reported properties; throws EDGE_TWIN_PATCH_INVALID. Yields the new version. */
  async patchReported(name: string, patch: TwinObject): Promise<number> {
    validateTwinPatch(patch);
    return this.#report(name, mergeTwin(this.#entry(name).twin.reported, patch), patch);
  }

  /** The runtime's own modules report their whole state; nothing is validated and nothing changes without a cause. */
  async replaceReported(name: string, reported: TwinObject): Promise<void> {
    const patch = diffTwin(this.#entry(name).twin.reported, reported);
    if (Object.keys(patch).length > 0) await this.#report(name, reported, patch);
  }

  /** Forgets content, keeps versions: a module made again under this name goes on counting. */
  async remove(name: string): Promise<void> {
    const entry = this.#entry(name);
    entry.twin = {
      ...entry.twin,
      desired: {},
      reported: {},
      tags: {},
      revision: entry.twin.revision + 1,
      deleted: true,
    };
    await entry.file.save();
  }

  async #change(name: string, update: TwinUpdate, patch?: TwinObject): Promise<Twin> {
    const entry = this.#entry(name);
    const before = entry.twin;
    const twin: Twin = {
      ...before,
      ...update,
      deleted: false,
      revision: before.revision + 1,
      ...(update.desired === undefined
        ? {}
        : { desiredVersion: before.desiredVersion + 1, desiredUpdatedUtc: new Date().toISOString() }),
    };
    entry.twin = twin;
    await entry.file.save();
    if (update.desired !== undefined) {
      this.emit('change', {
        name,
        part: 'desired',
        patch: patch ?? diffTwin(before.desired, update.desired),
        version: twin.desiredVersion,
      });
    }
    return twin;
  }

  async #report(name: string, reported: TwinObject, patch: TwinObject): Promise<number> {
    const entry = this.#entry(name);
    const version = entry.twin.reportedVersion + 1;
    entry.twin = {
      ...entry.twin,
      reported,
      reportedVersion: version,
      reportedUpdatedUtc: new Date().toISOString(),
      deleted: false,
    };
    await entry.file.save();
    this.emit('change', { name, part: 'reported', patch, version });
    return version;
  }

  #checkEtag(name: string, twin: Twin, etag: string | undefined): void {
    if (etag !== undefined && etag !== '*' && etag !== twinEtag(twin)) throw etagMismatch(name);
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const now = new Date().toISOString();
    const entry: Entry = {
      twin: {
        desired: {},
        desiredVersion: 1,
        desiredUpdatedUtc: now,
        reported: {},
        reportedVersion: 1,
        reportedUpdatedUtc: now,
        tags: {},
        revision: 1,
        deleted: false,
      },
      file: new JsonFile(join(this.#folder, `${encodeURIComponent(name)}.json`), () => entry.twin),
    };
    this.#entries.set(name, entry);
    return entry;
  }
}

function isTwin(value: unknown): value is Twin {
  return (
    isTwinObject(value) &&
    isTwinObject(value['desired']) &&
    isTwinObject(value['reported']) &&
    isTwinObject(value['tags']) &&
    Number.isSafeInteger(value['desiredVersion']) &&
    Number.isSafeInteger(value['reportedVersion']) &&
    Number.isSafeInteger(value['revision']) &&
    typeof value['deleted'] === 'boolean'
  );
}
