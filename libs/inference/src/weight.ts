import type { FrameRequest } from './frame-port.ts';

/** What a frame counts in a session's load: its pictures. */
export function weightOf({ regions }: Pick<FrameRequest, 'regions'>): number {
  return regions?.length ?? 1;
}
