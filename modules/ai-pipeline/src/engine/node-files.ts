import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import {
  parseTrackerConfig,
  readConfig,
  type AnalyticsSpec,
  type AnyConfig,
  type TrackerLibrary,
} from '@vantage/deepstream';
import { planDewarp, type Dewarp } from '@vantage/media';
import type { AnalyticsNode, ModelPackage, SourceNode, TrackerNode } from '@vantage/skill';
import type { TrackerName } from '@vantage/vision';
import type { TrackerSetup } from '../camera/protocol.ts';
import { fileInvalid, fileMissing, type NamedFile } from '../errors.ts';

/** Where a file lies that a twin names: fetches its package, if it has one. Absolute. */
export type Locate = (
  named: { readonly package?: ModelPackage; readonly file: string },
  signal: AbortSignal,
) => Promise<string>;

/** Paths are on this machine, relative to the working folder; packages are not fetched. */
export const locateHere: Locate = ({ file }) => Promise.resolve(path.resolve(file));

export interface Resolved<T> {
  readonly value: T;
  /** What the file asks for and is done otherwise: sentences for people. */
  readonly notes: readonly string[];
}

const MAX_BYTES = 1024 * 1024;

/** What NVIDIA's older libraries, which have no settings of their own, run as. */
const BY_LIBRARY: Readonly<Record<TrackerLibrary, TrackerName>> = {
  iou: 'iou',
  klt: 'light-tracker',
  nvdcf: 'nvdcf',
  'multi-object': 'light-tracker',
  other: 'light-tracker',
};

/** The tracker that a node names. @throws VantageError TRACKER_CONFIG_MISSING, TRACKER_CONFIG_INVALID */
export async function resolveTracker(
  node: TrackerNode | undefined,
  locate: Locate,
  signal: AbortSignal,
): Promise<Resolved<TrackerSetup | undefined>> {
  if (!node) return { value: undefined, notes: [] };
  if (node.algorithm === 'light' || node.configFile === undefined) {
    return { value: { runsAs: 'light-tracker', classIds: [] }, notes: [] };
  }
  const named = { ...(node.package ? { package: node.package } : {}), file: node.configFile };
  const file = await locate(named, signal);
  const config = parseTrackerConfig(await readText(file, 'tracker'), path.basename(file));
  refuseBroken(config, 'tracker');
  if (config.kind === 'low-level-tracker') return lowLevel(config, []);
  if (config.kind !== 'tracker') {
    const sentence = `${config.fileName} is no tracker file (${config.kind}); name one with [tracker] or "light-tracker"`;
    throw fileInvalid('tracker', sentence);
  }
  const { settingsFile, library = 'other', operateOnClassIds: classIds } = config.spec;
  const runsAs = BY_LIBRARY[library];
  const byLibrary: TrackerSetup = { runsAs, classIds };
  if (settingsFile === undefined) return { value: byLibrary, notes: [] };
  const settings = path.resolve(path.dirname(file), settingsFile);
  const text = await readFile(settings, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const note = `${config.fileName} names ${settingsFile}, which does not exist here; ${runsAs} runs with its own settings`;
    return { value: byLibrary, notes: [note] };
  }
  const low = readConfig(text, path.basename(settings));
  refuseBroken(low, 'tracker');
  if (low.kind === 'low-level-tracker') return lowLevel(low, classIds);
  const note = `${path.basename(settings)} holds no settings of a tracker; ${runsAs} runs with its own`;
  return { value: byLibrary, notes: [note] };
}

function lowLevel(
  { spec }: Extract<AnyConfig, { kind: 'low-level-tracker' }>,
  classIds: readonly number[],
): Resolved<TrackerSetup> {
  const { runsAs, tuning, fileName, runsAsReason } = spec;
  return { value: { runsAs: { runsAs, tuning }, classIds }, notes: [`${fileName}: ${runsAsReason}`] };
}

/** How a source's picture is straightened. @throws VantageError DEWARP_CONFIG_MISSING, DEWARP_CONFIG_INVALID */
export async function resolveDewarp(
  { dewarp, sensor }: SourceNode,
  locate: Locate,
  signal: AbortSignal,
): Promise<Resolved<Dewarp | undefined>> {
  if (!dewarp) return { value: undefined, notes: [] };
  const named = { ...(dewarp.package ? { package: dewarp.package } : {}), file: dewarp.configFile };
  const file = await locate(named, signal);
  const config = readConfig(await readText(file, 'dewarper'), path.basename(file));
  refuseBroken(config, 'dewarper');
  if (config.kind !== 'dewarper') {
    const sentence = `${config.fileName} is no dewarper file (${config.kind}): it needs [property] and [surface0]`;
    throw fileInvalid('dewarper', sentence);
  }
  const { dewarp: value, notes } = planDewarp(config.spec);
  return { value, notes: notes.map((note) => `camera ${sensor}: ${note}`) };
}

/** The rules that a node names. @throws VantageError ANALYTICS_CONFIG_MISSING, ANALYTICS_CONFIG_INVALID */
export async function resolveAnalytics(
  node: AnalyticsNode | undefined,
  locate: Locate,
  signal: AbortSignal,
): Promise<AnalyticsSpec | undefined> {
  if (!node) return undefined;
  const named = { ...(node.package ? { package: node.package } : {}), file: node.configFile };
  const file = await locate(named, signal);
  const config = readConfig(await readText(file, 'analytics'), path.basename(file));
  refuseBroken(config, 'analytics');
  if (config.kind === 'nvdsanalytics') return config.spec;
  throw fileInvalid('analytics', `${config.fileName} is no file of nvdsanalytics (${config.kind})`);
}

async function readText(file: string, what: NamedFile): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_BYTES) throw fileMissing(what, file, `has ${bytes.length} bytes: that is none`);
    return bytes.toString('utf8');
  } catch (error) {
    if (VantageError.is(error)) throw error;
    throw fileMissing(what, file, codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error), error);
  }
}

function refuseBroken({ problems, fileName }: AnyConfig, what: NamedFile): void {
  const errors = problems.filter(({ severity }) => severity === 'error').slice(0, 5);
  if (errors.length === 0) return;
  const text = errors.map(({ line, message }) => (line > 0 ? `line ${line}: ${message}` : message)).join('; ');
  throw fileInvalid(what, `${fileName} cannot be used: ${text}`);
}
