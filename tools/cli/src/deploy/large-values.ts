import { codeOf, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import {
  newValues,
  planKeeping,
  readWhole,
  requireTwinSize,
  type KeepPlan,
  type KeptValue,
  type ModulesContent,
} from '@vantage/hub';
import { blobAccount, type BlobOptions } from '../twin/blob-account.ts';
import { keepLargeValues } from '../twin/keep-large.ts';

const WHOLE = 'properties.desired';
/** A layer sets parts of a twin: `properties.desired.volume`. */
const LAYERED = /^properties\.desired\./;

export interface ReadContent {
  readonly content: ModulesContent;
  /** sha256 of the values whose address does not work any more. */
  readonly expired: ReadonlySet<string>;
}

/** A large value of a module's twin. */
export interface DeployedValue extends KeptValue {
  readonly module: string;
}

interface ModulePlan extends KeepPlan {
  readonly module: string;
}

/**
 * A deployment as its author wrote it: with the values that lie in blobs. A value that cannot be read stays an address,
 * with a note on stderr: what takes its place must not fail because of it.
 */
export async function readWholeContent(stored: ModulesContent, options: BlobOptions): Promise<ReadContent> {
  const all = new Set<string>();
  const twins = new Map<string, TwinObject>();
  for (const [module, twin] of twinsOf(stored)) {
    try {
      const { desired, expired } = await readWhole(twin, blobAccount(options));
      twins.set(module, desired);
      for (const sha256 of expired) all.add(sha256);
    } catch (error) {
      if (codeOf(error)?.startsWith('TWIN_BLOB_') !== true) throw error;
      process.stderr.write(`note: ${module}: ${messageOf(error)}\n`);
    }
  }
  return { content: withTwins(stored, twins), expired: all };
}

/** @param stored what is deployed now, as the hub has it */
export function planLarge(wanted: ModulesContent, stored: ModulesContent, expired: ReadonlySet<string>): ModulePlan[] {
  const before = new Map(twinsOf(stored));
  return twinsOf(wanted).map(([module, twin]) => ({
    module,
    ...planKeeping(twin, before.get(module) ?? {}, expired),
  }));
}

export function newLargeValues(plans: readonly ModulePlan[]): DeployedValue[] {
  return plans.flatMap((plan) => newValues(plan).map((value) => ({ module: plan.module, ...value })));
}

/**
 * A deployment that a hub takes: the large values of its twins lie in blob storage.
 *
 * @throws VantageError TWIN_TOO_LARGE and what `keepLarge` throws
 */
export async function withLargeKept(
  wanted: ModulesContent,
  plans: readonly ModulePlan[],
  options: BlobOptions,
): Promise<ModulesContent> {
  const small = await keepLargeValues(plans, options);
  const twins = new Map(plans.map(({ module }, at) => [module, small[at] ?? {}]));
  for (const [module, twin] of twins) requireTwinSize(module, twin);
  return withTwins(wanted, twins);
}

/** Of modules, not of the runtime: it reads no blobs. */
function twinsOf(content: ModulesContent): [module: string, twin: TwinObject][] {
  return Object.entries(content).flatMap(([module, entry]): [string, TwinObject][] => {
    if (module.startsWith('$')) return [];
    const whole = entry[WHOLE];
    if (isTwinObject(whole)) return [[module, whole]];
    const layers = Object.entries(entry).filter(([key]) => LAYERED.test(key));
    return layers.length === 0 ? [] : [[module, Object.fromEntries(layers)]];
  });
}

function withTwins(content: ModulesContent, twins: ReadonlyMap<string, TwinObject>): ModulesContent {
  return Object.fromEntries(
    Object.entries(content).map(([module, entry]) => {
      const twin = twins.get(module);
      if (twin === undefined) return [module, entry];
      return [module, { ...entry, ...(isTwinObject(entry[WHOLE]) ? { [WHOLE]: twin } : twin) }];
    }),
  );
}
