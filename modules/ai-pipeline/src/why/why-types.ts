import type { ViewState } from '@vantage/vision';

/** The best score of a class in a part of a second. */
export interface WhyBest {
  readonly label: string;
  readonly score: number;
  /** null: the class is switched off. */
  readonly threshold: number | null;
}

/** What became of the frames of half a second. */
export interface WhyFrame {
  /** When it began, milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly decoded: number;
  /** Frames that a model looked at. */
  readonly sampled: number;
  /** Frames that it did not, because others waited before it, or because it failed. */
  readonly dropped: { readonly busy: number; readonly error: number };
  readonly best: readonly WhyBest[];
  /** Most objects in one frame after thresholds and suppression. */
  readonly kept: number;
  /** `person 12 (0.83)`, or `person (0.83)` without a tracker. */
  readonly tracks: readonly string[];
  readonly regions: readonly { readonly label: string; readonly inside: readonly string[] }[];
  /** What rules say, such as `door: 2 objects`. */
  readonly rules: readonly string[];
  readonly events: readonly string[];
  readonly recording: boolean;
  /** File name of the clip that shows it. */
  readonly clip?: string;
  readonly view?: ViewState;
}

export interface WhyQuery {
  readonly pipeline: string;
  readonly sensor: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** How much before and after it. */
  readonly seconds: number;
}

export interface WhyAnswer {
  /** ISO, UTC. */
  readonly at: string;
  readonly pipeline: string;
  readonly sensor: string;
  readonly frames: readonly WhyFrame[];
  /** What happened to the camera itself. */
  readonly notes: readonly { readonly timeMs: number; readonly text: string }[];
  /** For people, oldest first. */
  readonly summary: readonly string[];
}
