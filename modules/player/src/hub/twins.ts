import {
  codeOf,
  diffTwin,
  isTwinObject,
  mergeTwin,
  readTwinBlob,
  validateConfiguration,
  type ConfigIssue,
  type TwinBlob,
  type TwinObject,
} from '@vantage/contracts';
import {
  desiredOf,
  keepLarge,
  newValues,
  planKeeping,
  readWhole,
  requireTwinSize,
  storeUnknown,
  twinChanged,
  twinHistory,
  type Hub,
  type KeptValue,
  type Twin,
  type WholeTwin,
} from '@vantage/hub';
import { redact, type Logger } from '@vantage/observability';
import { planTwin } from '@vantage/skill';
import { PARSER_NAMES } from '@vantage/vision';
import type { ApiLargeValue, ApiTwin, ApiTwinChange, ApiTwinChanged, ApiTwinPast, ApiTwinPlan } from '../api.ts';
import { regionInvalid, requestInvalid, twinRefused } from '../errors.ts';
import type { HubLink } from './hub-link.ts';
import { maskObject, maskSecrets } from './masking.ts';
import { withRegions, regionIssues } from './region-change.ts';
import { restorePatched, restoreSecrets } from './restoring.ts';
import { twinSchema } from './twin-schemas.ts';
import { valueAccount } from './value-account.ts';

const CONTROLLER = 'controllermodule';
/** A page that asks each second must not cost a hub's quota each second. */
const FRESH_MS = { local: 500, remote: 5000 } as const;

interface Current extends WholeTwin {
  readonly twin: Twin;
  /** Desired properties as the hub has them. */
  readonly stored: TwinObject;
}

export interface TwinsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Connection string of the account for large values. */
  readonly storage: string | undefined;
}

/**
 * Twins of the device's modules, as a browser may see and change them: whole, also where values of them lie in blobs
 * because a hub takes 32 KB.
 */
export class Twins {
  readonly #link: HubLink;
  readonly #options: TwinsOptions;
  readonly #recent = new Map<string, { readonly twin: Promise<Twin>; readonly untilMs: number }>();
  /** Of the blobs that each module's twin named when it was read last, by sha256. */
  readonly #values = new Map<string, ReadonlyMap<string, unknown>>();

  constructor(link: HubLink, options: TwinsOptions) {
    this.#link = link;
    this.#options = options;
  }

  /** With all secrets: for the server itself. At most a few seconds old. */
  recent(module: string): Promise<Twin> {
    const known = this.#recent.get(module);
    if (known && known.untilMs > performance.now()) return known.twin;
    let keepMs: number = FRESH_MS.remote;
    const twin = this.#link.use((hub) => {
      if (hub.name === 'local') keepMs = FRESH_MS.local;
      return this.#recentOf(hub, module);
    });
    const entry = { twin, untilMs: performance.now() + keepMs };
    // Names come from people: only what exists is remembered.
    twin.then(
      () => this.#recent.set(module, { twin, untilMs: performance.now() + keepMs }),
      () => this.#recent.delete(module),
    );
    this.#recent.set(module, entry);
    return twin;
  }

  async get(module: string): Promise<ApiTwin> {
    const { twin, desired } = await this.#link.use((hub) => this.#current(hub, module));
    return {
      etag: twin.etag,
      version: versionOf(twin),
      desired: maskObject(desired),
      reported: maskObject(withoutMetadata(twin.properties.reported)),
      schema: twinSchema(module),
    };
  }

  async plan(module: string, change: ApiTwinChange): Promise<ApiTwinPlan> {
    return this.#link.use(async (hub) => {
      const { twin, stored, desired, expired } = await this.#current(hub, module);
      const patch = patchOf(desired, change);
      const plan = planTwin(module, desired, patch);
      const values = newValues(planKeeping(mergeTwin(desired, patch), stored, expired));
      const { isThere, way } = valueAccount(this.#options.storage, hub);
      const problem = isThere ? {} : { problem: storeUnknown(way).message };
      return {
        ...(maskSecrets(plan) as typeof plan),
        patch: maskObject(patch),
        etag: twin.etag,
        ...(values.length === 0 ? {} : { large: { values: values.map(large), ...problem } }),
      };
    });
  }

  /** @throws VantageError TWIN_CHANGED, TWIN_REFUSED, TWIN_TOO_LARGE, SECRET_UNKNOWN, BLOB_STORE_UNKNOWN, BLOB_STORE_FAILED */
  change(module: string, change: ApiTwinChange): Promise<ApiTwinChanged> {
    return this.#write(module, requireEtag(change.etag), (desired) => {
      const patch = patchOf(desired, change);
      const plan = planTwin(module, desired, patch);
      const isWrong = plan.issues.some(({ severity }) => severity === 'error') && change.force !== true;
      if (plan.refused || isWrong) throw twinRefused(module, maskSecrets(plan.issues) as unknown[]);
      return patch;
    });
  }

  /** What the server itself wants: refused like a change of a person. @throws VantageError TWIN_CHANGED, TWIN_REFUSED */
  set(module: string, etag: string, wish: (desired: TwinObject) => TwinObject): Promise<ApiTwinChanged> {
    return this.#write(module, etag, (desired) => {
      const patch = diffTwin(desired, wish(desired));
      const plan = planTwin(module, desired, patch);
      if (plan.refused) throw twinRefused(module, maskSecrets(plan.issues) as unknown[]);
      return patch;
    });
  }

  /** The regions of one sensor; nothing else changes. @throws VantageError SENSOR_UNKNOWN, REGION_INVALID */
  setRegions(sensor: string, regions: unknown, etag: unknown): Promise<ApiTwinChanged> {
    return this.#write(CONTROLLER, requireEtag(etag), (desired) => {
      const wanted = withRegions(desired, sensor, regions);
      const { errors, warnings } = validateConfiguration(wanted, { parsers: PARSER_NAMES });
      const issues: readonly ConfigIssue[] = regionIssues(wanted, sensor, [...errors, ...warnings]);
      if (issues.some(({ severity }) => severity === 'error')) throw regionInvalid(issues);
      return diffTwin(desired, wanted);
    });
  }

  async history(module: string): Promise<ApiTwinPast[]> {
    return this.#link.use(async (hub) => {
      const history = twinHistory(hub, module, this.#options.env);
      const all = await history.list();
      return Promise.all(
        all.map(async ({ replacedAt }, at) => {
          const { value } = await history.read<TwinObject>(at + 1);
          return { steps: at + 1, replacedAt, desired: maskObject(value) };
        }),
      );
    });
  }

  /** Puts back what was `steps` changes ago. @throws VantageError HISTORY_EMPTY, TWIN_CHANGED */
  async rollBack(module: string, steps: number, etag: unknown): Promise<ApiTwinChanged> {
    const { value, past, history } = await this.#link.use(async (hub) => {
      const kept = twinHistory(hub, module, this.#options.env);
      return { ...(await kept.read<TwinObject>(steps)), history: kept };
    });
    const changed = await this.#write(module, requireEtag(etag), (desired) => diffTwin(desired, value));
    await history.forget(past);
    return changed;
  }

  async #write(module: string, etag: string, patchFor: (desired: TwinObject) => TwinObject): Promise<ApiTwinChanged> {
    return this.#link.use(async (hub) => {
      const { twin, stored, desired, expired } = await this.#current(hub, module);
      if (twin.etag !== etag) throw twinChanged(`the twin of ${module}`);
      const patch = patchFor(desired);
      if (Object.keys(patch).length === 0) return { etag, version: versionOf(twin) };
      const keeping = planKeeping(mergeTwin(desired, patch), stored, expired);
      const [small = {}] = await keepLarge([keeping], valueAccount(this.#options.storage, hub), (text) =>
        this.#options.logger.warn(redact(text)),
      );
      requireTwinSize(module, small);
      await twinHistory(hub, module, this.#options.env).add(desired);
      const after = await hub.patchModuleTwin(module, diffTwin(stored, small), etag);
      this.#recent.delete(module);
      const values = newValues(keeping).map(large);
      return { etag: after.etag, version: versionOf(after), ...(values.length === 0 ? {} : { large: values }) };
    });
  }

  async #current(hub: Hub, module: string): Promise<Current> {
    const twin = await hub.moduleTwin(module);
    const stored = desiredOf(twin);
    return { twin, stored, ...(await this.#whole(hub, module, stored)) };
  }

  async #whole(hub: Hub, module: string, stored: TwinObject): Promise<WholeTwin> {
    const known = this.#values.get(module);
    const read = new Map<string, unknown>();
    const value = async (blob: TwinBlob): Promise<unknown> => {
      // Its name says its content; pages ask for a twin each second.
      const found = known?.has(blob.sha256) === true ? known.get(blob.sha256) : await readTwinBlob(blob);
      read.set(blob.sha256, found);
      return found;
    };
    const whole = await readWhole(stored, valueAccount(this.#options.storage, hub), value);
    if (read.size === 0) this.#values.delete(module);
    else this.#values.set(module, read);
    return whole;
  }

  /** A value that cannot be read now stays an address: what runs is shown nevertheless. */
  async #recentOf(hub: Hub, module: string): Promise<Twin> {
    const twin = await hub.moduleTwin(module);
    const stored = desiredOf(twin);
    const { desired } = await this.#whole(hub, module, stored).catch((error: unknown) => {
      if (codeOf(error)?.startsWith('TWIN_BLOB_') !== true) throw error;
      return { desired: stored };
    });
    const { $version } = twin.properties.desired;
    const version = $version === undefined ? {} : { $version };
    return { ...twin, properties: { ...twin.properties, desired: { ...desired, ...version } } };
  }
}

function large({ path, bytes }: KeptValue): ApiLargeValue {
  return { path, bytes };
}

function patchOf(desired: TwinObject, { desired: whole, patch }: ApiTwinChange): TwinObject {
  if ((whole === undefined) === (patch === undefined)) throw requestInvalid('one of "desired" and "patch" expected');
  return diffTwin(
    desired,
    whole === undefined ? restorePatched(patch as TwinObject, desired) : restoreSecrets(whole, desired),
  );
}

function requireEtag(etag: unknown): string {
  // "*" would overwrite whatever somebody else has done meanwhile.
  if (typeof etag === 'string' && etag !== '' && etag !== '*') return etag;
  throw requestInvalid('"etag" of the twin that was looked at expected', 'etag');
}

function versionOf({ properties }: Twin): number | null {
  return properties.desired.$version ?? null;
}

function withoutMetadata(properties: Readonly<Record<string, unknown>>): TwinObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith('$')));
}

/** A JSON object of a request's body. @throws VantageError REQUEST_INVALID */
export function readChange(body: unknown): ApiTwinChange {
  if (!isTwinObject(body)) throw requestInvalid('a JSON object expected');
  for (const key of ['desired', 'patch'] as const) {
    if (body[key] !== undefined && !isTwinObject(body[key])) throw requestInvalid('a JSON object expected', key);
  }
  return body;
}
