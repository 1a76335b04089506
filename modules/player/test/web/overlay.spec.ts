import { describe, expect, test } from '@jest/globals';
import type { ClipDocument, DetectionEntry } from '@vantage/contracts';
import { LivePace } from '../../web/src/core/latency.ts';
import { readLiveMessage } from '../../web/src/core/live-protocol.ts';
import {
  clipFrames,
  fitted,
  InsightBuffer,
  matchFrame,
  titleOf,
  Trails,
  type FrameInsights,
} from '../../web/src/core/overlay.ts';

function frame(ptsUs: number, detections: DetectionEntry[] = []): FrameInsights {
  return { ptsUs, timeMs: ptsUs / 1000, frameId: Math.round(ptsUs / 40_000), detections, events: [] };
}

function person(track: number, rect: [number, number, number, number]): DetectionEntry {
  return {
    classId: 0,
    confidence: 0.873,
    label: 'person',
    rect,
    id: `p${track}`,
    unique_component_id: 1,
    tracking_id: track,
  };
}

describe('insights of the frame on the screen', () => {
  const buffer = new InsightBuffer(5);
  for (const at of [0, 40_000, 120_000, 80_000, 160_000, 200_000]) buffer.add(frame(at));

  test.each([
    ['the very frame', 80_000, 80_000, true],
    ['rounded by the browser', 80_001, 80_000, true],
    ['between two: the one before', 100_000, 80_000, false],
    ['after the newest, for a while', 500_000, 200_000, false],
  ])('%s', (_, asked, found, exact) => {
    expect(buffer.at(asked)).toMatchObject({ frame: { ptsUs: found }, exact });
  });

  test('neither long after the newest nor before the oldest, which is forgotten', () => {
    expect(buffer.at(700_000)).toBeUndefined();
    expect(buffer.at(0)).toBeUndefined();
  });

  test('the same frame twice: the later word counts', () => {
    buffer.add({ ...frame(200_000), frameId: 99 });
    expect(buffer.at(200_000)?.frame.frameId).toBe(99);
  });
});

test('a clip: one entry a frame on the clock of the clip, whatever stands beside it', () => {
  const source = (index: number): ClipDocument['inferences'][number]['sourceInfo'] => ({
    id: 'street', width: 960, height: 540, frameId: 800 + index,
    timestamp: new Date(1_700_000_000_098 + Math.round(index * 33.367)).toISOString(),
  }); // prettier-ignore
  const inferences = Array.from({ length: 90 }, (_, index) => [
    { sourceInfo: source(index), type: 'custom' as const, id: 'x', detections: [{}] },
    { sourceInfo: source(index), type: 'detection' as const, id: 'x', detections: [person(index, [0, 0, 1, 1])] },
  ]).flat();
  const frames = clipFrames({ schemaVersion: '0.1', events: [], regionsOfInterest: [], inferences });
  expect(frames).toHaveLength(90);
  for (const index of [0, 1, 44, 89]) {
    const match = matchFrame(frames, index * 33_366.7, 8000);
    expect([match?.exact, match?.frame.detections[0]?.tracking_id]).toEqual([true, index]);
  }
});

test('trails follow a track and end with it', () => {
  const trails = new Trails(3);
  for (let index = 0; index < 5; index += 1) trails.see(frame(index * 40_000, [person(7, [index / 10, 0, 0.2, 0.5])]));
  expect(trails.of(7).map(({ x }) => Math.round(x * 10))).toEqual([3, 4, 5]);
  trails.see(frame(3_000_000));
  expect(trails.of(7)).toEqual([]);
});

test('titles and places', () => {
  expect(titleOf(person(7, [0, 0, 1, 1]))).toBe('person #7 87%');
  expect(titleOf(person(-1, [0, 0, 1, 1]))).toBe('person 87%');
  expect(fitted({ width: 800, height: 400 }, { width: 400, height: 400 })).toEqual({
    left: 0,
    top: 100,
    width: 400,
    height: 200,
  });
});

describe('live play', () => {
  test('stays as near to now as the boxes allow', () => {
    const pace = new LivePace();
    expect(pace.target).toBeCloseTo(0.12);
    for (let index = 0; index < 60; index += 1) pace.insightDelay(index === 30 ? 5 : 0.2);
    expect(pace.target).toBeCloseTo(0.26);
    expect(pace.pace(9.74, 0, 10)).toEqual({ do: 'play', rate: 1 });
    expect(pace.pace(9.5, 0, 10)).toEqual({ do: 'play', rate: 1.1 });
    expect(pace.pace(9.95, 0, 10)).toEqual({ do: 'play', rate: 0.9 });
    expect(pace.pace(7, 0, 10)).toEqual({ do: 'jump', to: expect.closeTo(9.74) });
    expect(pace.pace(0, 1000, 1000.5)).toEqual({ do: 'jump', to: expect.closeTo(1000.24) });
  });

  test('never waits longer than 0.7 s for boxes', () => {
    const pace = new LivePace();
    pace.insightDelay(30);
    expect(pace.target).toBe(0.7);
  });

  test('messages that are none are left out', () => {
    expect(readLiveMessage('{')).toBeUndefined();
    expect(readLiveMessage('[]')).toBeUndefined();
    expect(readLiveMessage('{"type":"later"}')).toBeUndefined();
    expect(readLiveMessage('{"type":"skipped","frames":3}')).toEqual({ type: 'skipped', frames: 3 });
    const text = JSON.stringify({
      type: 'insights',
      ptsUs: 40_000,
      frameId: 1,
      detections: [person(1, [0, 0, 1, 1]), null, {}],
    });
    expect(readLiveMessage(text)).toMatchObject({ frame: { ptsUs: 40_000, detections: [{ id: 'p1' }], events: [] } });
  });
});
