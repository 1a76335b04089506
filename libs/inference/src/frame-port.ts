import type { Detection } from '@vantage/vision';

/** What travels between a camera's thread and a session's thread. Buffers are moved, never copied. */

/** One picture, as ffmpeg gave it: planar 8 bit G, B, R without padding. Moved to the session and moved back. */
export interface FrameRequest {
  readonly id: number;
  readonly pixels: ArrayBuffer;
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  /** Part of the camera's frame that the picture shows, in source pixels. */
  readonly view: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

export interface FrameReply {
  readonly id: number;
  /** The picture's buffer, for the pool it came from. */
  readonly pixels: ArrayBuffer;
  /** Boxes in source pixels, best first. Empty after an error. */
  readonly detections: readonly Detection[];
  /** Time in the session, microseconds. */
  readonly inferenceUs: number;
  readonly error?: string;
}
