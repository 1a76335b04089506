import { describe, expect, test } from '@jest/globals';
import type { FrameInsights, FrameObject } from '../frame.ts';
import type { SourceNode } from '../graph.ts';
import { createInsightStage, ExportGate, toInsightsDocument } from '../index.ts';

const SOURCE: SourceNode = {
  kind: 'source',
  id: 'source/gate',
  sensor: 'gate',
  url: 'rtsp://host/gate',
  regions: [],
  pace: 'realtime',
  loop: false,
};

function object(label: string, confidence: number, more: Partial<FrameObject> = {}): FrameObject {
  const box = { left: 192, top: 216, width: 576, height: 432 };
  return { classId: 0, label, confidence, box, trackingId: -1, componentId: 1, attributes: [], ...more };
}

function frame(detections: readonly FrameObject[], more: Partial<FrameInsights> = {}): FrameInsights {
  const times = { ptsUs: 0, captureTimeMs: 1_700_000_000_250 };
  return { sensor: 'gate', frameId: 7, ...times, width: 1920, height: 1080, detections, ...more };
}

describe('filter', () => {
  const objects = [object('car', 0.5), object('car', 0.49), object('Car', 0.9), object('bus', 0.9)];
  const kept = (labels: readonly string[], minConfidence: number, given: readonly FrameObject[] = objects) =>
    createInsightStage({ kind: 'filter', id: 'f', labels, minConfidence }, SOURCE)
      .process(frame(given))
      .detections.map(({ label, confidence }) => `${label} ${confidence}`);

  test.each<[string, readonly string[], number, readonly string[]]>([
    ['label and confidence', ['car'], 0.5, ['car 0.5']],
    ['no labels: the label test is off', [], 0.5, ['car 0.5', 'Car 0.9', 'bus 0.9']],
    ['threshold 0: the confidence test is off', ['car'], 0, ['car 0.5', 'car 0.49']],
    ['nothing fits', ['traffic light'], 0, []],
  ])('%s', (_name, labels, minConfidence, expected) => {
    expect(kept(labels, minConfidence)).toEqual(expected);
  });

  test('a 32-bit confidence of 90 % is 90 %', () => {
    expect(kept([], 0.9, [object('car', Math.fround(0.9))])).toHaveLength(1);
  });

  test('what was found on an object keeps its parent, whose place changed, or loses one that is gone', () => {
    const stage = createInsightStage({ kind: 'filter', id: 'f', labels: ['car', 'plate'], minConfidence: 0 }, SOURCE);
    const given = [
      object('bus', 1),
      object('car', 1),
      object('plate', 1, { parent: 0 }),
      object('plate', 1, { parent: 1 }),
    ];
    const [car, orphan, plate] = stage.process(frame(given)).detections;
    expect([car!.label, orphan!.parent, plate!.parent]).toEqual(['car', undefined, 0]);
    expect('parent' in orphan!).toBe(false);
  });

  test('a frame of which nothing is taken is the same frame', () => {
    const given = frame([object('car', 1)]);
    expect(createInsightStage({ kind: 'filter', id: 'f', labels: [], minConfidence: 0 }, SOURCE).process(given)).toBe(
      given,
    );
  });
});

describe('ExportGate', () => {
  const at = (seconds: number, more: Partial<FrameInsights> = {}) =>
    frame([object('car', 1)], { ptsUs: seconds * 1e6, ...more });

  test('a message every two seconds of frame time, and none without objects', () => {
    const gate = new ExportGate(2);
    const sent = Array.from({ length: 300 }, (_, index) => index / 30).filter((time) => gate.admits(at(time)));
    expect(sent).toEqual([0, 2, 4, 6, 8]);
    expect(gate.admits(at(20, { detections: [] }))).toBe(false);
    expect(gate.admits(at(20.1))).toBe(true);
  });

  test('without a delay every frame goes, also an empty one', () => {
    expect(new ExportGate().admits(frame([]))).toBe(true);
  });

  test('what happened is sent at once', () => {
    const gate = new ExportGate(30);
    const event = { type: 'presenceEnded', id: 'e', timeMs: 0, relatedIds: [], properties: {} };
    expect([gate.admits(at(0)), gate.admits(at(1)), gate.admits(at(2, { detections: [], events: [event] }))]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('what happened on a frame with objects is their message, too', () => {
    const gate = new ExportGate(2);
    const events = [{ type: 'presenceStarted', id: 'e', timeMs: 0, relatedIds: [], properties: {} }];
    expect([gate.admits(at(0, { events })), gate.admits(at(0.1)), gate.admits(at(1.9)), gate.admits(at(2))]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('a clock that starts anew does not silence it', () => {
    const gate = new ExportGate(30);
    expect([gate.admits(at(1000)), gate.admits(at(0)), gate.admits(at(1))]).toEqual([true, true, false]);
  });
});

describe('insights document', () => {
  const ids = { instance: 'instance-abc', skill: 'skill-1', device: 'device-1' };

  test('is the one that the reference writes, key by key', () => {
    const colour = { name: 'color', label: 'red', confidence: 0.7, classId: 0, componentId: 2 };
    const text = JSON.stringify(toInsightsDocument(frame([object('car', 0.9, { attributes: [colour] })]), ids));
    expect(text).toBe(
      '{"image":{"properties":{"height":1080,"width":1920,"color_format":"BGR"}},' +
        '"insights_meta":{"objects_meta":[{"timestamp":0,"label":"car","confidence":0.9,"inference_id":"0",' +
        '"attributes":[{"name":"color","label":"red","confidence":0.7}],"bbox":{"l":0.1,"t":0.2,"w":0.3,"h":0.4}}]},' +
        '"timestamp":1700000000.25,"frame_id":"7","instance_id":"instance-abc","skill_id":"skill-1","device_id":"device-1",' +
        '"datetime":"2023-11-14T22:13:20.250000+00:00"}',
    );
  });

  test('tracks, events and properties are extra keys; the time of a custom node is its own', () => {
    const moving = object('car', 0.9, {
      trackingId: 4,
      timeMs: 10_000.0001,
      inferenceId: 'inference_1',
      motion: { speed: 3, direction: { x: 1, y: 0 } },
    });
    const event = { type: 'lineCrossing', id: 'e1', timeMs: 5250, relatedIds: ['4'], properties: { label: 'car' } };
    const { insights_meta: meta } = toInsightsDocument(
      frame([moving], { events: [event], properties: { 'zone.count': '1' } }),
      ids,
    );
    expect(meta.objects_meta[0]).toMatchObject({
      timestamp: 10.0000001,
      inference_id: 'inference_1',
      tracking_info: { timestamp: 10.0000001, tracking_id: '4', speed: 3, direction: { x: 1, y: 0 } },
    });
    expect(meta.events_meta).toEqual([
      { timestamp: 5.25, type: 'lineCrossing', event_id: 'e1', related_ids: ['4'], properties: { label: 'car' } },
    ]);
    expect(meta.other_meta).toEqual({ 'zone.count': '1' });
  });

  test('a box that leaves the picture is cut, one that is none is null, and nothing makes JSON invalid', () => {
    const outside = object('a', Number.NaN, { box: { left: -192, top: 0, width: 384, height: 2160 } });
    const none = object('b', 1, { box: { left: Number.NaN, top: 0, width: 1, height: 1 } });
    const { objects_meta: found } = toInsightsDocument(frame([outside, none]), ids).insights_meta;
    expect(found.map(({ bbox }) => bbox)).toEqual([{ l: 0, t: 0, w: 0.1, h: 1 }, null]);
    expect(found[0]!.confidence).toBe(0);
  });
});
