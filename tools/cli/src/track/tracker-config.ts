import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import { parseTrackerConfig, type AnyConfig, type ConfigProblem } from '@vantage/deepstream';
import type { TrackerSpec } from '@vantage/vision';
import { readText } from './read-text.ts';

export interface ChosenTracker {
  readonly spec: TrackerSpec;
  /** Class ids that are tracked; empty for all. */
  readonly onlyClasses: readonly number[];
  /** Why it is this one. */
  readonly reason: string;
}

/**
 * The tracker that a DeepStream file asks for: a `[tracker]` with the settings it names beside it, or the settings
 * themselves.
 *
 * @throws VantageError `TRACKER_CONFIG_INVALID` with file and line
 */
export async function trackerOfFile(file: string): Promise<ChosenTracker> {
  const config = await read(file);
  if (config.kind === 'low-level-tracker') {
    return { spec: config.spec, onlyClasses: [], reason: config.spec.runsAsReason };
  }
  if (config.kind !== 'tracker') throw invalid(`${file} is no tracker configuration`);
  const { settingsFile, library, operateOnClassIds } = config.spec;
  if (settingsFile === undefined || settingsFile === '') {
    const runsAs = library === 'iou' ? 'iou' : library === 'nvdcf' ? 'nvdcf' : 'light-tracker';
    const reason = `it names no ll-config-file, and its library is ${library ?? 'none'}`;
    return { spec: { runsAs, tuning: {} }, onlyClasses: operateOnClassIds, reason };
  }
  const settings = path.resolve(path.dirname(file), settingsFile);
  const low = await read(settings);
  if (low.kind !== 'low-level-tracker') throw invalid(`${settings} holds no settings of a low-level tracker`);
  return { spec: low.spec, onlyClasses: operateOnClassIds, reason: low.spec.runsAsReason };
}

async function read(file: string): Promise<AnyConfig> {
  const config = parseTrackerConfig(await readText(file), file);
  const error = config.problems.find(({ severity }) => severity === 'error');
  if (error) throw invalid(describe(error));
  return config;
}

function describe({ file, line, message }: ConfigProblem): string {
  return line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`;
}

function invalid(message: string): VantageError {
  return new VantageError('TRACKER_CONFIG_INVALID', message);
}
