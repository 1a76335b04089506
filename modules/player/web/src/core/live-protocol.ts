import type { DetectionEntry, InferenceEvent } from '@vantage/contracts';
import { isRecord } from './locate.ts';
import type { FrameInsights } from './overlay.ts';

/** What comes as text between the fragments of a live camera. */
export type LiveMessage =
  | { readonly type: 'init'; readonly mimeType: string; readonly width: number; readonly height: number }
  | { readonly type: 'insights'; readonly frame: FrameInsights }
  | { readonly type: 'skipped'; readonly frames: number };

/** Undefined for what this page does not know: a newer server may say more. */
export function readLiveMessage(text: string): LiveMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { mimeType } = value;
  switch (value['type']) {
    case 'init':
      return {
        type: 'init',
        mimeType: typeof mimeType === 'string' ? mimeType : '',
        width: number(value['width']),
        height: number(value['height']),
      };
    case 'insights':
      return {
        type: 'insights',
        frame: {
          ptsUs: number(value['ptsUs']),
          timeMs: number(value['timeMs']),
          frameId: number(value['frameId']),
          detections: list(value['detections']).filter(hasRect),
          events: list(value['events']) as InferenceEvent[],
        },
      };
    case 'skipped':
      return { type: 'skipped', frames: number(value['frames']) };
    default:
      return undefined;
  }
}

function hasRect(value: unknown): value is DetectionEntry {
  return isRecord(value) && Array.isArray(value['rect']) && value['rect'].length === 4;
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
