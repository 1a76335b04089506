import type { Json } from '@vantage/contracts';
import type { TwinPlan } from '@vantage/skill';

/**
 * What the server answers under `/api`, as the page reads it. Types only: the page imports them with `import type`.
 * Times are ISO 8601 in UTC, coordinates fractions 0..1 of the camera's whole frame. A `null` is something that is not
 * known (yet).
 */

/** Every answer other than 2xx. */
export interface ApiError {
  /** Stable, listed in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** Where in what was sent, as a JSON path. */
  readonly path?: string;
  /** With `TWIN_REFUSED`, `REGION_INVALID` and `SECRET_UNKNOWN`: all that is wrong. */
  readonly issues?: TwinPlan['issues'];
}

export interface ApiSession {
  readonly user: string;
  /** To be sent back as the header `x-vantage-csrf` with every call that is no GET. */
  readonly csrf: string;
  readonly hub: { readonly name: string; readonly device: string | null };
  readonly readOnly: boolean;
  /** Whether there is something to log out of. */
  readonly canLogOut: boolean;
}

/** How somebody may come in; neither where nobody is asked. */
export interface ApiLogin {
  readonly token: boolean;
  /** A proxy in front logs people in. */
  readonly proxy: boolean;
}

export interface ApiRegion {
  readonly label: string;
  /** `#rrggbb` */
  readonly color: string;
  readonly coordinates: readonly (readonly [number, number])[];
}

export interface ApiProblem {
  readonly code?: string;
  readonly message: string;
  readonly path?: string;
}

export interface ApiCamera {
  /** Pipeline or instance of a skill; empty for a camera that none uses. */
  readonly pipeline: string;
  readonly sensor: string;
  /** As the ai-pipeline reports it (`running`, `reconnecting`, …), `starting` before it has, `unused` without a pipeline, `refused` where the configuration is wrong. */
  readonly state: string;
  readonly reason: string;
  /** Frames a second that are looked at. */
  readonly fps: number | null;
  /** Objects in a frame, on average since the last look. */
  readonly objects: number | null;
  /** Execution provider of the primary model. */
  readonly provider: string | null;
  readonly resolution: { readonly width: number; readonly height: number } | null;
  readonly codec: string | null;
  readonly recording: boolean;
  readonly problems: readonly ApiProblem[];
  readonly live: {
    readonly mse: boolean;
    readonly mjpeg: boolean;
    readonly rtsp?: string;
    /** In the picture of all cameras of its pipeline, which has several: left, top, width, height. */
    readonly tile?: readonly [number, number, number, number];
  };
  readonly regions: readonly ApiRegion[];
  /** What camera health says of the view, such as `{state: 'black', since}`. */
  readonly health?: Readonly<Record<string, unknown>>;
}

export interface ApiTwin {
  readonly etag: string;
  /** `$version` of the desired properties. */
  readonly version: number | null;
  /** Secrets in it are `•••`; sent back unchanged they stay what they are. */
  readonly desired: Readonly<Record<string, unknown>>;
  readonly reported: Readonly<Record<string, unknown>>;
  /** JSON Schema (draft 7) of `desired`; null for modules of others. */
  readonly schema: Json | null;
}

/** Body of plan and change: one of `desired` (all of it) and `patch` (null removes). */
export interface ApiTwinChange {
  readonly desired?: Readonly<Record<string, unknown>>;
  readonly patch?: Readonly<Record<string, unknown>>;
  /** Needed for a change: of the twin that was looked at. */
  readonly etag?: string;
  /** Apply although there are errors; never what would be refused as a whole. */
  readonly force?: boolean;
}

export interface ApiTwinPlan extends TwinPlan {
  /** What would be sent, secrets masked; empty when nothing changes. */
  readonly patch: Readonly<Record<string, unknown>>;
  /** The etag of the twin that this was planned for. */
  readonly etag: string;
  readonly large?: {
    readonly values: readonly ApiLargeValue[];
    /** Why it cannot be applied. */
    readonly problem?: string;
  };
}

/** A value that is too large for a hub: it lies in blob storage, and the twin has its address. */
export interface ApiLargeValue {
  readonly path: string;
  readonly bytes: number;
}

export interface ApiTwinChanged {
  readonly etag: string;
  readonly version: number | null;
  /** What went into blob storage with this change. */
  readonly large?: readonly ApiLargeValue[];
}

export interface ApiTwinPast {
  /** To be given to rollback; 1 is the newest. */
  readonly steps: number;
  readonly replacedAt: string;
  readonly desired: Readonly<Record<string, unknown>>;
}

export interface ApiClip {
  /** File name without `.mp4`: unique. */
  readonly name: string;
  readonly sensor: string;
  readonly pipeline: string;
  readonly startedAt: string;
  readonly seconds: number | null;
  readonly bytes: number;
  /** Different tracked objects; without a tracker the most in one frame. */
  readonly objects: number | null;
  /** Most frequent first. */
  readonly labels: readonly string[];
  readonly events: number | null;
  readonly where: 'device' | 'storage' | 'both';
  readonly videoUrl: string;
  readonly overlayUrl?: string;
  /** Absent when there is no JSON beside the clip. */
  readonly jsonUrl?: string;
  readonly thumbUrl: string;
}

export interface ApiClipSource {
  /** `off`: not configured. */
  readonly state: 'ok' | 'off' | 'missing' | 'unreachable' | 'refused';
  readonly message?: string;
}

export interface ApiClips {
  /** Newest first. */
  readonly clips: readonly ApiClip[];
  readonly sensors: readonly string[];
  /** All that fit, on every page. */
  readonly total: number;
  /** Value of `before` for the next page; absent on the last. */
  readonly next?: string;
  readonly sources: { readonly device: ApiClipSource; readonly storage: ApiClipSource };
}

export interface ApiTimeline {
  readonly from: string;
  readonly to: string;
  readonly bucketSeconds: number;
  /** Only those with clips, oldest first. */
  readonly buckets: readonly { readonly at: string; readonly clips: number; readonly seconds: number }[];
}

export interface ApiModuleHealth {
  readonly name: string;
  /** `running`, `backoff`, `stopped`, … as edgeAgent reports it. */
  readonly state: string;
  readonly provider?: string;
  readonly restarts?: number;
  readonly problems: readonly ApiProblem[];
  /** Numbers by name, such as `street.dropped`. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ApiHealth {
  readonly modules: readonly ApiModuleHealth[];
  /** Reported properties of the uploader; null without one. */
  readonly uploader: Readonly<Record<string, unknown>> | null;
  readonly runtime: { readonly hub: string; readonly device: string | null; readonly problem?: ApiProblem };
  readonly storage: ApiClipSource;
  readonly recordings: ApiClipSource;
}

export interface ApiModelReport {
  /** For `use`; absent when the zip is no model that can be used. */
  readonly id?: string;
  readonly ok: boolean;
  /** nvinfer or nvinferserver file inside of the zip. */
  readonly config?: string;
  /** As `vantage model check --json` says it. */
  readonly report: Json;
}
