import { VantageError, diffTwin, isTwinObject, mergeTwin, type TwinObject } from '@vantage/contracts';
import { changeText, diffValues } from '../deploy/diff.ts';
import {
  desiredOf,
  findHub,
  newValues,
  planKeeping,
  readWhole,
  requireTwinSize,
  twinHistory,
  type Hub,
  type KeptValue,
} from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { blobAccount, type BlobOptions } from './blob-account.ts';
import { keepLargeValues, keptLine } from './keep-large.ts';
import { showHistory } from '../hub/show-history.ts';
import { table } from '../table.ts';
import { planTwin, type TwinPlan } from '@vantage/skill';
import { renderPlan } from './render-plan.ts';

export interface ChangeOptions extends BlobOptions {
  /** Condition of a hub query: every module of that name on the devices that fit. */
  readonly where?: string;
  readonly dryRun?: boolean;
  /** Also what its module would refuse. */
  readonly force?: boolean;
  readonly json?: boolean;
  /** Folder of clips that have to do what they should with it. */
  readonly verify?: string;
  /** Paths that somebody typed: one that the module does not know is refused there. */
  readonly typed?: readonly string[];
}

/** What a device's twin becomes: from its desired properties the wanted ones. */
export type Wish = (desired: TwinObject) => TwinObject | Promise<TwinObject>;

interface Changed {
  readonly device: string;
  readonly state: 'changed' | 'unchanged' | 'planned' | 'refused';
  readonly version?: number;
  readonly plan: TwinPlan;
  /** Values that are too large for a hub, and new in blob storage. */
  readonly spilled?: readonly KeptValue[];
  readonly error?: string;
}

/**
 * Reads a twin, says what the change does, keeps what was, and applies it if nobody else changed it meanwhile.
 *
 * @returns exit status: 0 done (or planned), 1 at least one device refused
 */
export async function changeTwins(module: string, wish: Wish, options: ChangeOptions): Promise<number> {
  const hub = await findHub(options);
  const devices = options.where === undefined ? [hub.device] : await devicesWith(hub, module, options.where);
  const results: Changed[] = [];
  for (const device of devices) {
    const one = changeOne(hub, device, module, wish, options);
    // One device that fails stops no other; alone it is an error like any.
    results.push(await (options.where === undefined ? one : one.catch((error: unknown) => failed(device, error))));
  }
  print(results, options);
  return results.some(({ state }) => state === 'refused') ? 1 : 0;
}

async function changeOne(
  hub: Hub,
  device: string,
  module: string,
  wish: Wish,
  options: ChangeOptions,
): Promise<Changed> {
  const twin = await hub.moduleTwin(module, device);
  const stored = desiredOf(twin);
  const { desired, expired } = await readWhole(stored, blobAccount(options));
  const wanted = await wish(desired);
  const patch = diffTwin(desired, wanted);
  const plan = planTwin(module, desired, patch);
  // A value that nobody can read any more is set again by saying what the twin says already.
  if (Object.keys(patch).length === 0 && expired.size === 0) return { device, state: 'unchanged', plan };
  if ((isWrong(plan) || isMistyped(plan, options.typed)) && options.force !== true)
    return { device, state: 'refused', plan };
  if (options.verify !== undefined) {
    const { verifiesWith } = await import('../verify/before-change.ts');
    const isGreen = await verifiesWith(hub, device, { module, wanted, folder: options.verify }, options);
    if (!isGreen && options.force !== true) {
      return { device, state: 'refused', plan, error: 'clips do not do what they should' };
    }
  }
  const keeping = planKeeping(mergeTwin(desired, patch), stored, expired);
  const spilled = newValues(keeping);
  const result = { device, plan, ...(spilled.length === 0 ? {} : { spilled }) };
  if (options.dryRun) return { ...result, state: 'planned' };
  const [small = {}] = await keepLargeValues([keeping], options);
  requireTwinSize(module, small);
  const difference = diffTwin(stored, small);
  // An address that works again is no other twin.
  if (Object.keys(difference).length === 0) return { ...result, state: 'unchanged' };
  if (Object.keys(patch).length > 0) await twinHistory(hub, module).add(desired);
  const { properties } = await hub.patchModuleTwin(module, difference, twin.etag, device);
  const version = properties.desired.$version;
  return { ...result, state: 'changed', ...(version === undefined ? {} : { version }) };
}

/** Whether a module would refuse a twin, or leave out something of it. */
export function isWrong({ refused, issues }: TwinPlan): boolean {
  return refused || issues.some(({ severity }) => severity === 'error');
}

/** A key that nobody knows is a warning in a twin of somebody else, and a mistake where it was typed a moment ago. */
export function isMistyped({ issues }: TwinPlan, typed: readonly string[] = []): boolean {
  const unknown = issues.filter(({ message }) => message.startsWith('unknown key'));
  return unknown.some(({ path }) => typed.some((one) => one === path || one.endsWith(`.${path}`)));
}

/** Puts a twin back to what it was before; what it was is forgotten once it is applied. */
export async function rollBackTwin(module: string, steps: number, options: ChangeOptions): Promise<number> {
  const hub = await findHub(options);
  const history = twinHistory(hub, module);
  const { value, past } = await history.read<TwinObject>(steps);
  const status = await changeTwins(module, () => value, options);
  if (status === 0 && !options.dryRun) await history.forget(past);
  return status;
}

/** Prints what a twin was before. */
export async function printTwinHistory(module: string, options: HubOptions & { json?: boolean }): Promise<void> {
  const hub = await findHub(options);
  const now = await hub
    .moduleTwin(module)
    .then((twin) => readWhole(desiredOf(twin), blobAccount(options)))
    // What is kept is kept here, also while the hub is away.
    .catch(() => undefined);
  await showHistory<TwinObject>(twinHistory(hub, module), options.json === true, now?.desired, (before, after) =>
    diffValues(before, after).map(changeText),
  );
}

async function devicesWith(hub: Hub, module: string, where: string): Promise<string[]> {
  const name = module.replaceAll("'", "''");
  const rows = await hub.query(`SELECT deviceId FROM devices.modules WHERE moduleId = '${name}' AND (${where})`);
  const devices = rows.flatMap((row) =>
    isTwinObject(row) && typeof row['deviceId'] === 'string' ? [row['deviceId']] : [],
  );
  if (devices.length === 0)
    throw new VantageError('DEVICE_UNKNOWN', `no device of ${hub.name} with a ${module} fits: ${where}`);
  return devices;
}

function failed(device: string, error: unknown): Changed {
  const message = error instanceof Error ? error.message : String(error);
  return { device, state: 'refused', plan: { effects: [], issues: [], refused: true }, error: message };
}

function print(results: readonly Changed[], { json, where }: ChangeOptions): void {
  if (json)
    return void process.stdout.write(`${JSON.stringify(where === undefined ? results[0] : results, null, 2)}\n`);
  const [first] = results;
  // What it does is the same everywhere, as far as the twins are.
  if (first) process.stdout.write(`${[...renderPlan(first.plan), ...keptLines(first)].join('\n')}\n`);
  if (where === undefined) return void process.stdout.write(`${first ? outcome(first) : ''}\n`);
  const rows = results.map((one) => [
    one.device,
    one.state,
    one.error ?? (one.version === undefined ? '' : `version ${one.version}`),
  ]);
  process.stdout.write(`${table(['device', 'twin', ''], rows).join('\n')}\n`);
}

function keptLines({ state, spilled = [] }: Changed): string[] {
  return spilled.map((value) => keptLine(value, state === 'planned' ? 'goes into' : 'is kept in'));
}

function outcome({ state, version }: Changed): string {
  switch (state) {
    case 'changed':
      return `applied${version === undefined ? '' : ` as version ${version}`}; "vantage twin rollback" takes it back`;
    case 'unchanged':
      return 'the twin says that already';
    case 'planned':
      return 'not applied (--dry-run)';
    case 'refused':
      return 'not applied: correct what is wrong, or --force it';
  }
}
