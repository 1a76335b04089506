import type { ConfigReading } from '../report.ts';

/** In pixels of `AnalyticsSpec.width` by `height`, from the top left corner. */
export interface AnalyticsPoint {
  readonly x: number;
  readonly y: number;
}

/** What every rule has. */
export interface AnalyticsRule {
  /** Number of the stream, in the order of the streams of the pipeline. */
  readonly stream: number;
  /** The label after `roi-`, `line-crossing-` or `direction-`. */
  readonly name: string;
  readonly enabled: boolean;
  /** Classes it looks at; empty for all. */
  readonly classIds: readonly number[];
  readonly line: number;
}

/** `[roi-filtering-stream-<n>]`: objects whose bottom centre is inside the polygon (outside when `inverse`). */
export interface RegionRule extends AnalyticsRule {
  readonly polygon: readonly AnalyticsPoint[];
  readonly inverse: boolean;
}

/** `[overcrowding-stream-<n>]`: more than so many objects in the polygon, for so long. */
export interface OvercrowdingRule extends AnalyticsRule {
  readonly polygon: readonly AnalyticsPoint[];
  readonly objectThreshold: number;
  /** Milliseconds that the objects must stay; 0 for at once. */
  readonly timeThresholdMs: number;
}

/** How near the movement of an object must be to the direction. */
export type AnalyticsMode = 'strict' | 'balanced' | 'loose';

/** `[line-crossing-stream-<n>]`: objects that cross the line in the direction of the arrow. */
export interface LineRule extends AnalyticsRule {
  /** The arrow, from and to. */
  readonly direction: readonly [AnalyticsPoint, AnalyticsPoint];
  readonly segment: readonly [AnalyticsPoint, AnalyticsPoint];
  readonly mode: AnalyticsMode;
  /** The line goes on beyond its ends. */
  readonly extended: boolean;
}

/** `[direction-detection-stream-<n>]`: objects that move along the arrow. */
export interface DirectionRule extends AnalyticsRule {
  readonly direction: readonly [AnalyticsPoint, AnalyticsPoint];
  readonly mode: AnalyticsMode;
}

/** A file of nvdsanalytics. Source: the Gst-nvdsanalytics page of the documentation. */
export interface AnalyticsSpec {
  readonly kind: 'nvdsanalytics';
  readonly fileName: string;
  readonly enabled: boolean;
  /** Size in pixels of the picture that all coordinates belong to. */
  readonly width: number;
  readonly height: number;
  readonly regions: readonly RegionRule[];
  readonly overcrowding: readonly OvercrowdingRule[];
  readonly lines: readonly LineRule[];
  readonly directions: readonly DirectionRule[];
}

export type AnalyticsConfig = ConfigReading<'nvdsanalytics', AnalyticsSpec>;
