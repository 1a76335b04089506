import type { JsonObject } from '../json.ts';
import type { RegionOfInterest } from '../messages/inference.ts';
import type { LOG_LEVELS } from '../twins/controller-twin.ts';

/** Something in a configuration that is wrong, and what to do about it. Never quotes a credential. */
export interface ConfigIssue {
  /** Where, for example `components.deepStream.streams[1].configId`; empty for the whole document. */
  readonly path: string;
  /** What is wrong, where, what to do. One sentence or two, at most 400 characters. */
  readonly message: string;
  /** `error`: the item is left out, the rest runs. `warning`: it runs, but perhaps not as meant. */
  readonly severity: 'error' | 'warning';
}

/** Log levels of the twin; the loggers of the house know the same names. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where a sensor's pictures come from. `none`: only a passthrough pipeline can use it. */
export type SourceKind = 'rtsp' | 'http' | 'file' | 'usb' | 'other' | 'none';

export interface Sensor {
  readonly name: string;
  /** As the user wrote it; for people only. */
  readonly type: string;
  readonly subtype: string;
  readonly sourceKind: SourceKind;
  /** As the user wrote it: it may hold a credential, so redact it before it is logged. */
  readonly endpoint: string;
  /** Each with at least three corners, coordinates 0..1, and `sensor` = this sensor. */
  readonly regionsOfInterest: readonly RegionOfInterest[];
  /** For files. */
  readonly playback: { readonly loop: boolean; readonly paced: boolean };
}

export interface PrimaryModel {
  readonly configFile: string;
  /** At most one of these three is set. */
  readonly pyFile?: string;
  readonly jsFile?: string;
  /** Lower case, `_` for `-`. */
  readonly parser?: string;
}

export interface SecondaryModel {
  readonly configFile: string;
  readonly pyFile?: string;
  readonly jsFile?: string;
}

/** `light`: the built-in one. `file`: a DeepStream tracker configuration. */
export type TrackerChoice =
  { readonly kind: 'none' } | { readonly kind: 'light' } | { readonly kind: 'file'; readonly path: string };

/** Source pixels; left and top inclusive, `width` = x1 - x0 + 1. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** False: off. Else what is not as by default; seconds, 0 = this fault is not looked for. */
export type CameraHealthConfig =
  | false
  | {
      readonly blackSeconds?: number;
      readonly coveredSeconds?: number;
      readonly blurredSeconds?: number;
      readonly frozenSeconds?: number;
      readonly movedSeconds?: number;
      readonly sensitivity?: number;
    };

export interface PipelineConfig {
  readonly id: string;
  /** Absent: paths are local. The URL may hold a credential. */
  readonly zip?: { readonly url: string; readonly sha256?: string };
  /** Absent: decode, crop and record only. */
  readonly primary?: PrimaryModel;
  /** In cascade order. */
  readonly secondaries: readonly SecondaryModel[];
  readonly tracker: TrackerChoice;
  /** gst-launch text that replaces the pipeline. */
  readonly passthrough?: string;
  /** Absent: off. Comes before the crop. */
  readonly dewarp?: { readonly configFile: string };
  /** Absent: off. */
  readonly crop?: Crop;
  /** Absent: off. A file of nvdsanalytics. */
  readonly analytics?: { readonly configFile: string };
  /** Absent: on, as by default. */
  readonly cameraHealth?: CameraHealthConfig;
  /** Burn overlays into clips and live video. */
  readonly osd: boolean;
}

/** A sensor connected with a pipeline; both exist. */
export interface Stream {
  readonly name: string;
  readonly sensor: Sensor;
  readonly configId: string;
  /** Secret. Absent when the twin has none. Use `streamUri` to get the endpoint with them. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** A model that nodes of skills name. */
export interface SkillModelConfig {
  readonly name: string;
  readonly zip?: { readonly url: string; readonly sha256?: string };
  readonly configFile: string;
  /** At most one of these three is set. */
  readonly pyFile?: string;
  readonly jsFile?: string;
  readonly parser?: string;
  readonly type: 'detection' | 'classification';
}

/** A camera of a skill's instance. */
export interface SkillSensor {
  readonly sensor: Sensor;
  /** Secret. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** For this camera only. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface SkillInstanceConfig {
  readonly id: string;
  readonly displayName?: string;
  /** At least one. */
  readonly sensors: readonly SkillSensor[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** A skill whose surroundings are right; what is inside of its document is for `@vantage/skill` to say. */
export interface SkillConfig {
  readonly id: string;
  /** An object in the bare form, or the text of a skill. */
  readonly document: unknown;
  /** Where the document is: `components.skills[0]`, or `.document` of it. */
  readonly path: string;
  readonly instances: readonly SkillInstanceConfig[];
}

/**
 * A configuration that can be run as it is: references are resolved, defaults are filled in, what was wrong is left out.
 * Immutable.
 */
export interface Components {
  /** Absent: leave the level as it is. */
  readonly logLevel?: LogLevel;
  /** False: no pipeline runs. */
  readonly enabled: boolean;
  readonly sensors: readonly Sensor[];
  /** Only those with at least one stream, in the order of the twin. */
  readonly pipelines: readonly PipelineConfig[];
  /** In the order of the twin, one per sensor. */
  readonly streams: readonly Stream[];
  readonly models: readonly SkillModelConfig[];
  /** In the order of the twin; those without an instance are looked at and do not run. */
  readonly skills: readonly SkillConfig[];
  readonly businessLogicConfig: JsonObject;
}

/** What `validateConfiguration` found. */
export interface ConfigurationResult {
  /** Undefined: nothing of it can be used, keep what ran before. */
  readonly components: Components | undefined;
  /** The user's own `components`, with what was wrong left out: the body for output `DeepStream`. Undefined with `components`. */
  readonly accepted: JsonObject | undefined;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
}

export interface ValidationOptions {
  /** Names that `parser` may have besides those of the original product. */
  readonly parsers?: readonly string[];
}
