import { EventEmitter } from 'node:events';
import { diffTwin, isTwinObject, mergeTwin, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { etagMismatch } from '../errors.ts';
import type { StateDatabase } from '../state/database.ts';
import { stampMetadata } from './metadata.ts';
import { validateTwinPatch, validateTwinSection } from './validation.ts';

/** A twin as it stands. Versions count up with every change and never go back, not even when a module is deleted. */
export interface Twin {
  readonly desired: TwinObject;
  readonly desiredVersion: number;
  readonly desiredUpdatedUtc: string;
  /** IoT Hub's `$metadata`: the same tree as `desired`, with `$lastUpdated` and `$lastUpdatedVersion` everywhere. */
  readonly desiredMetadata: TwinObject;
  readonly reported: TwinObject;
  readonly reportedVersion: number;
  readonly reportedUpdatedUtc: string;
  readonly reportedMetadata: TwinObject;
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

/** Runs in the transaction of a desired change: what it writes is kept together with the change, or not at all. */
export type DesiredHook = (change: TwinChange, desiredBefore: TwinObject) => void;

interface Written {
  readonly twin: Twin;
  readonly change?: TwinChange;
}

/** The ETag of a twin, without quotes: eight bytes of its revision, as IoT Hub writes it. */
export function twinEtag(twin: Twin): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(twin.revision));
  return bytes.toString('base64');
}

/**
 * All twins. A change is kept before its promise resolves and before the `change` event; one that is refused, by a
 * limit, an ETag or a full disk, changes nothing.
 *
 * Events: `change` (TwinChange).
 */
export class TwinStore extends EventEmitter<{ change: [TwinChange] }> {
  readonly #database: StateDatabase;
  readonly #logger: Logger;
  readonly #twins = new Map<string, Twin>();
  /** The version before a twin's first change; high when an earlier database, whose versions are lost, was damaged. */
  #firstVersion = 1;
  #desiredHook: DesiredHook = () => undefined;

  constructor(database: StateDatabase, logger: Logger) {
    super();
    this.#database = database;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    this.#database.define(`
      CREATE TABLE IF NOT EXISTS twins (name TEXT PRIMARY KEY, document TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS twin_first_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)`);
    this.#firstVersion = await this.#keepFirstVersion();
    const damaged: string[] = [];
    for (const { name, document } of this.#database.prepare('SELECT name, document FROM twins').iterate()) {
      const twin = parseTwin(document);
      if (twin === undefined) damaged.push(String(name));
      else this.#twins.set(String(name), twin);
    }
    for (const name of damaged) {
      this.#logger.warn('a stored twin cannot be read; it starts empty, with higher versions', { name });
      await this.#write(name, () => ({ twin: emptyTwin(pastAnyVersion()) }));
    }
  }

  async close(): Promise<void> {
    await this.#database.write(() => undefined);
  }

  /** Has `hook` called in the transaction of every desired change. */
  withDesiredChanges(hook: DesiredHook): void {
    this.#desiredHook = hook;
  }

  /** The twin of a device or module; an empty one when nothing was ever set. */
  get(name: string): Twin {
    return this.#twins.get(name) ?? emptyTwin(this.#firstVersion);
  }

  /** Merges into desired properties and tags. `etag`: refuse (EDGE_ETAG_MISMATCH) unless the twin still has it. */
  async patch(name: string, update: TwinUpdate, etag?: string): Promise<Twin> {
    validate(update);
    return this.#change(name, update, etag, 'merge');
  }

  /** Puts desired properties in place of the old ones. Clients get the difference. */
  async replaceDesired(name: string, desired: TwinObject): Promise<Twin> {
    return this.replace(name, { desired });
  }

  /** Puts desired properties and tags in place of the old ones. `etag` as in `patch`. */
  async replace(name: string, update: TwinUpdate, etag?: string): Promise<Twin> {
    validate(update);
    return this.#change(name, update, etag, 'replace');
  }

  /** Merges a client's reported properties; throws EDGE_TWIN_PATCH_INVALID. Yields the new version. */
  async patchReported(name: string, patch: TwinObject): Promise<number> {
    validateTwinPatch(patch);
    const twin = await this.#write(name, (before) => {
      const reported = mergeTwin(before.reported, patch);
      validateTwinSection('reported', reported);
      return report(name, before, reported, patch);
    });
    return twin.reportedVersion;
  }

  /** The runtime's own modules report their whole state; nothing is validated and nothing changes without a cause. */
  async replaceReported(name: string, reported: TwinObject): Promise<void> {
    if (isEmpty(diffTwin(this.get(name).reported, reported))) return;
    await this.#write(name, (before) => {
      const patch = diffTwin(before.reported, reported);
      return isEmpty(patch) ? undefined : report(name, before, reported, patch);
    });
  }

  /** Forgets content, keeps versions: a module made again under this name goes on counting. */
  async remove(name: string): Promise<void> {
    await this.#write(name, (before) => ({
      twin: {
        ...before,
        desired: {},
        desiredMetadata: {},
        reported: {},
        reportedMetadata: {},
        tags: {},
        revision: before.revision + 1,
        deleted: true,
      },
    }));
  }

  #change(name: string, update: TwinUpdate, etag: string | undefined, how: 'merge' | 'replace'): Promise<Twin> {
    const apply = (old: TwinObject, given: TwinObject): TwinObject =>
      how === 'merge' ? mergeTwin(old, given) : mergeTwin({}, given, { newObjectNulls: 'drop' });
    return this.#write(name, (before) => {
      if (etag !== undefined && etag !== '*' && etag !== twinEtag(before)) throw etagMismatch(name);
      const tags = update.tags === undefined ? before.tags : apply(before.tags, update.tags);
      validateTwinSection('tags', tags);
      const twin: Twin = { ...before, tags, deleted: false, revision: before.revision + 1 };
      if (update.desired === undefined) return { twin };

      const desired = apply(before.desired, update.desired);
      validateTwinSection('desired', desired);
      // A merged patch reaches the client as it was sent, whatever of it is new.
      const patch = how === 'merge' ? update.desired : diffTwin(before.desired, desired);
      const version = before.desiredVersion + 1;
      const utc = new Date().toISOString();
      const change: TwinChange = { name, part: 'desired', patch, version };
      this.#desiredHook(change, before.desired);
      return {
        change,
        twin: {
          ...twin,
          desired,
          desiredVersion: version,
          desiredUpdatedUtc: utc,
          desiredMetadata: stampMetadata(before.desiredMetadata, patch, { utc, version }),
        },
      };
    });
  }

  /**
   * Changes a twin. `change` gets it as the transaction sees it, so that changes of one twin that are asked for at once
   * build on each other, and may run twice when another change of the same transaction is refused.
   */
  async #write(name: string, change: (before: Twin) => Written | undefined): Promise<Twin> {
    let written: Written | undefined;
    await this.#database.write(() => {
      const row = this.#database.prepare('SELECT document FROM twins WHERE name = ?').get(name);
      written = change((row === undefined ? undefined : parseTwin(row['document'])) ?? emptyTwin(this.#firstVersion));
      if (written === undefined) return;
      this.#database
        .prepare('INSERT INTO twins VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document')
        .run(name, JSON.stringify(written.twin));
    });
    if (written === undefined) return this.get(name);
    this.#twins.set(name, written.twin);
    if (written.change !== undefined) this.emit('change', written.change);
    return written.twin;
  }

  async #keepFirstVersion(): Promise<number> {
    const stored = this.#database.prepare('SELECT version FROM twin_first_version').get()?.['version'];
    if (typeof stored === 'number') return stored;
    const version = this.#database.isReplacement ? pastAnyVersion() : 1;
    await this.#database.write(() => {
      this.#database.prepare('INSERT INTO twin_first_version VALUES (1, ?)').run(version);
    });
    return version;
  }
}

function report(name: string, before: Twin, reported: TwinObject, patch: TwinObject): Written {
  const utc = new Date().toISOString();
  const version = before.reportedVersion + 1;
  return {
    change: { name, part: 'reported', patch, version },
    twin: {
      ...before,
      reported,
      reportedVersion: version,
      reportedUpdatedUtc: utc,
      reportedMetadata: stampMetadata(before.reportedMetadata, patch, { utc }),
      deleted: false,
    },
  };
}

function validate({ desired, tags }: TwinUpdate): void {
  if (desired !== undefined) validateTwinPatch(desired);
  if (tags !== undefined) validateTwinPatch(tags);
}

const isEmpty = (patch: TwinObject): boolean => Object.keys(patch).length === 0;

/** Seconds since 1970: no count of changes ever gets there, and a later call gives no less. */
const pastAnyVersion = (): number => Math.floor(Date.now() / 1000);

function emptyTwin(version: number): Twin {
  const now = new Date().toISOString();
  return {
    desired: {},
    desiredVersion: version,
    desiredUpdatedUtc: now,
    desiredMetadata: {},
    reported: {},
    reportedVersion: version,
    reportedUpdatedUtc: now,
    reportedMetadata: {},
    tags: {},
    revision: version,
    deleted: false,
  };
}

function parseTwin(document: unknown): Twin | undefined {
  try {
    const twin: unknown = JSON.parse(String(document));
    return isTwin(twin) ? twin : undefined;
  } catch {
    return undefined;
  }
}

function isTwin(value: unknown): value is Twin {
  return (
    isTwinObject(value) &&
    ['desired', 'desiredMetadata', 'reported', 'reportedMetadata', 'tags'].every((key) => isTwinObject(value[key])) &&
    ['desiredVersion', 'reportedVersion', 'revision'].every((key) => Number.isSafeInteger(value[key])) &&
    typeof value['deleted'] === 'boolean'
  );
}
