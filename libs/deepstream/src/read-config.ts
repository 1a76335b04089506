import { readAnalytics } from './analytics/analytics.ts';
import type { AnalyticsConfig } from './analytics/spec.ts';
import { readDewarper, type DewarperConfig } from './dewarper/dewarper.ts';
import { kindOf } from './kind.ts';
import { readInfer } from './nvinfer/infer-config.ts';
import type { InferConfig } from './nvinfer/spec.ts';
import { parseInferServerConfig } from './nvinferserver/infer-server.ts';
import type { InferServerConfig } from './nvinferserver/spec.ts';
import { readOther, type OtherConfig } from './other.ts';
import { flattenProtobuf, readProtobufText } from './text/protobuf-text.ts';
import type { LowLevelTrackerConfig } from './tracker/low-level-spec.ts';
import { readLowLevelTracker } from './tracker/low-level-tracker.ts';
import { readTracker, type TrackerConfig } from './tracker/tracker.ts';

/** Any file of a DeepStream folder, read; `kind` tells which spec it holds. */
export type AnyConfig =
  | InferConfig
  | InferServerConfig
  | TrackerConfig
  | LowLevelTrackerConfig
  | DewarperConfig
  | AnalyticsConfig
  | OtherConfig;

/**
 * Reads any file of a DeepStream folder: what it is, its typed spec, and what became of each of its properties.
 *
 * Never throws, whatever the text is: what is wrong is in `problems`, each with file and line.
 *
 * @param fileName for messages only
 */
export function readConfig(text: string, fileName: string): AnyConfig {
  const found = kindOf(text, fileName);
  switch (found.kind) {
    case 'nvinfer-ini':
    case 'nvinfer-yaml':
      return readInfer(found.text, found.format, fileName);
    case 'nvinferserver':
      return parseInferServerConfig(text, fileName);
    case 'tracker':
      return readTracker(found.text, found.format, fileName);
    case 'low-level-tracker':
      return readLowLevelTracker(found.text, found.format, fileName);
    case 'dewarper':
      return readDewarper(found.text, found.format, fileName);
    case 'nvdsanalytics':
      return readAnalytics(found.text, found.format, fileName);
    case 'triton-model': {
      const { root, problems } = readProtobufText(text, fileName);
      return readOther(found.kind, { entries: flattenProtobuf(root), groups: [], problems }, found.format, fileName);
    }
    case 'nvdspreprocess':
    case 'metamux':
    case 'deepstream-app':
    case 'msgconv':
    case 'message-broker':
    case 'labels':
    case 'empty':
    case 'binary':
    case 'unknown':
      return readOther(found.kind, found.text, found.format, fileName);
  }
}

/**
 * Reads the file that `trackerConfigPath` names: `[tracker]`, also out of the file of a whole deepstream-app as Azure
 * DeepStream Accelerator does, or the settings of the low-level tracker themselves. Everything else comes back as what
 * it is.
 */
export function parseTrackerConfig(text: string, fileName: string): AnyConfig {
  const found = kindOf(text, fileName);
  return found.kind === 'deepstream-app' && found.text.groups.some(({ name }) => name === 'tracker')
    ? readTracker(found.text, found.format, fileName)
    : readConfig(text, fileName);
}
