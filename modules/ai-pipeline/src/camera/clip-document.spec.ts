import { describe, expect, test } from '@jest/globals';
import type { FrameInsights } from '@vantage/skill';
import { clipDocument, clipTime } from './clip-document.ts';

const FRAME_US = 40_000;

function seen(frameId: number, labels: readonly string[]): FrameInsights {
  return {
    sensor: 'gate',
    frameId,
    ptsUs: frameId * FRAME_US,
    captureTimeMs: 0,
    width: 640,
    height: 360,
    detections: labels.map((label) => ({
      classId: 0,
      label,
      confidence: 0.5,
      box: { left: 0, top: 0, width: 64, height: 36 },
      trackingId: -1,
      componentId: 1,
      attributes: [],
    })),
  };
}

function documentOf(frames: readonly number[], insights: readonly FrameInsights[]) {
  return clipDocument({
    pipelineId: 'People',
    sensor: 'gate',
    regions: [
      {
        label: 'door',
        color: '#ff0000',
        coordinates: [
          [0, 0],
          [0, 1],
          [1, 1],
        ],
      },
    ],
    frames: frames.map((id) => ({ ptsUs: id * FRAME_US, captureTimeMs: 1000 + id * 40 })),
    insights,
  });
}

describe('clipDocument', () => {
  test('has one entry a frame, in the order they are shown, though they were stored in another', () => {
    const document = documentOf([0, 3, 1, 2], [seen(0, ['a']), seen(1, []), seen(2, ['b', 'c']), seen(3, ['d'])]);
    expect(document.inferences.map((entry) => entry.sourceInfo.frameId)).toEqual([0, 1, 2, 3]);
    expect(document.inferences.map((entry) => entry.detections.length)).toEqual([1, 0, 2, 1]);
    expect(document.regionsOfInterest).toEqual([
      {
        label: 'door',
        color: '#ff0000',
        coordinates: [
          [0, 0],
          [0, 1],
          [1, 1],
        ],
        sensor: 'gate',
      },
    ]);
  });

  test('a frame that was not looked at repeats what was last seen, under its own time', () => {
    const document = documentOf([10, 11, 12, 13], [seen(9, ['before']), seen(12, ['a', 'b'])]);
    expect(document.inferences.map((entry) => entry.detections.length)).toEqual([1, 1, 2, 2]);
    expect(document.inferences.map((entry) => entry.sourceInfo.frameId)).toEqual([1, 2, 12, 13]);
    expect(document.inferences[3]?.sourceInfo.timestamp).toBe(new Date(1000 + 13 * 40).toISOString());
  });

  test('no frames, no insights: an empty envelope', () => {
    expect(documentOf([], [])).toMatchObject({ schemaVersion: '0.1', events: [], inferences: [] });
  });

  test('names are in UTC', () => expect(clipTime(Date.UTC(2026, 10, 21, 1, 2, 3, 999))).toBe('2026-11-21-01:02:03'));
});
