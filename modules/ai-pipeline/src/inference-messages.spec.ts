import { describe, expect, test } from '@jest/globals';
import { inferenceMessageSchema } from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import { toEvents, toInference, toInferences } from './frame-inferences.ts';
import { MessageCadence } from './inference-messages.ts';

function frame(frameId: number, sensor = 'gate', captureTimeMs = frameId * 40): FrameInsights {
  return { sensor, frameId, ptsUs: frameId * 40_000, captureTimeMs, width: 1920, height: 1080, detections: [] };
}

describe('toInference', () => {
  test('gives fractions of the frame, UTC, and -1 for what no tracker has seen', () => {
    const inference = toInference('People', {
      ...frame(7, 'gate', Date.UTC(2023, 0, 5, 10, 11, 12, 123)),
      detections: [
        {
          classId: 2,
          label: 'person',
          confidence: 0.912345,
          box: { left: 192, top: 108, width: 960, height: 540 },
          trackingId: -1,
          componentId: 3,
          attributes: [],
        },
      ],
    });
    expect(inference).toEqual({
      sourceInfo: { id: 'gate', timestamp: '2023-01-05T10:11:12.123Z', width: 1920, height: 1080, frameId: 7 },
      type: 'detection',
      id: 'People',
      detections: [
        {
          classId: 2,
          label: 'person',
          confidence: 0.9123,
          rect: [0.1, 0.1, 0.5, 0.5],
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          unique_component_id: 3,
          tracking_id: -1,
        },
      ],
    });
  });
});

test('every kind of result has its place in the envelope, and the whole is what the contract says', () => {
  const car = { classId: 0, label: 'car', confidence: 0.5, trackingId: 4, componentId: 1, attributes: [] };
  const box = { left: 192, top: 108, width: 192, height: 108 };
  const colour = { name: 'colour', label: 'red', classId: 1, confidence: 0.87654, componentId: 2 };
  const inferences = toInferences('Cars', {
    ...frame(3),
    custom: { anything: [1] },
    classifications: [{ name: 'scene', label: 'street', classId: 5, confidence: 0.75, componentId: 1 }],
    segmentation: {
      width: 300,
      height: 2,
      classes: Int16Array.from({ length: 600 }, (_, at) => (at % 300 < 150 ? 2 : -1)),
      areas: [{ classId: 2, label: 'road', share: 0.5 }],
      componentId: 1,
    },
    embedding: Float32Array.of(0.6, 0.8),
    tensors: [{ name: 'raw', dims: [1, 5000], type: 'float32', data: new Float32Array(5000) }],
    detections: [
      {
        ...car,
        box,
        attributes: [colour],
        customInfo: { make: 'VW' },
        text: { text: 'B-AB 1', score: 0.9, componentId: 3 },
      },
      { ...car, box, label: 'plate', parent: 0, points: [{ x: 192, y: 540 }], embedding: Float32Array.of(1) },
      { ...car, box, keypoints: [{ x: 960, y: 1080, score: 0.5 }] },
    ],
  });
  expect(inferences.map(({ type }) => type)).toEqual([
    'custom',
    'custom',
    'custom',
    'classification',
    'segmentation',
    'detection',
  ]);
  const message = { schemaVersion: '0.1', events: [], regionsOfInterest: [], inferences };
  expect(inferenceMessageSchema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
  expect(inferences.slice(0, 4).map(({ detections }) => detections)).toEqual([
    [{ anything: [1] }],
    [{ embedding: [0.6, 0.8] }],
    [{ tensors: [{ name: 'raw', dims: [1, 5000], type: 'float32', values: 5000 }] }],
    [{ classId: 5, confidence: 0.75, label: 'street' }],
  ]);
  expect(inferences[4]!.detections[0]).toMatchObject({ nClasses: 3, width: 100, height: 1, labels: ['', '', 'road'] });
  const [first, plate, body] = inferences[5]!.detections as unknown as Record<string, unknown>[];
  expect(first).toMatchObject({
    attributes: [{ name: 'colour', label: 'red', classId: 1, confidence: 0.8765, unique_component_id: 2 }],
    customInfo: { make: 'VW' },
    text: { text: 'B-AB 1', confidence: 0.9 },
  });
  expect(plate).toMatchObject({ parentId: first!['id'], points: [[0.1, 0.5]], embedding: [1] });
  expect(body).toMatchObject({ keypoints: [[0.5, 1, 0.5]] });
});

test('what happened by the rules of an analytics file becomes events, and its counts a custom entry', () => {
  const event = { type: 'lineCrossing', zone: 'Exit', trackingId: 4, label: 'car', count: 2 } as const;
  const analytics = {
    regions: [{ zone: 'RF', count: 1 }],
    lines: [{ zone: 'Exit', count: 2 }],
    overcrowded: [],
    events: [event],
  };
  const [told] = toEvents({ ...frame(9), analytics });
  expect(told).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    type: 'lineCrossing',
    zone: 'Exit',
    sensor: 'gate',
    userDefinedData: { trackingId: 4, label: 'car', count: 2, frameId: 9 },
  });
  expect(toInferences('Cars', { ...frame(9), analytics })[0]!.detections).toEqual([
    { analytics: { regions: [{ zone: 'RF', count: 1 }], lines: [{ zone: 'Exit', count: 2 }], overcrowded: [] } },
  ]);
});

describe('MessageCadence', () => {
  test('60 frames of one camera are exactly two messages: frames 0 and 30', () => {
    const cadence = new MessageCadence(30);
    const sent = Array.from({ length: 60 }, (_, id) => cadence.push(frame(id))).filter((due) => due.length > 0);
    expect(sent.map((due) => due.map((one) => one.frameId))).toEqual([[0], [30]]);
  });

  test('a frame that was dropped does not silence the message: the next one carries it', () => {
    const cadence = new MessageCadence(30);
    const ids = [0, 28, 29, 33, 34, 59, 60];
    expect(ids.filter((id) => cadence.push(frame(id)).length > 0)).toEqual([0, 33, 60]);
  });

  test('the newest frame of each other camera travels with the leader', () => {
    const cadence = new MessageCadence(30);
    cadence.push(frame(0, 'gate'));
    for (let id = 0; id < 10; id++) cadence.push(frame(id, 'yard', 1000 + id));
    const due = cadence.push(frame(30, 'gate'));
    expect(due.map((one) => [one.sensor, one.frameId])).toEqual([
      ['gate', 30],
      ['yard', 9],
    ]);
  });

  test('a leader that stops hands over', () => {
    const cadence = new MessageCadence(30);
    cadence.push(frame(0, 'gate', 0));
    expect(cadence.push(frame(5, 'yard', 4000))).toEqual([]);
    expect(cadence.push(frame(6, 'yard', 5001)).map((one) => one.frameId)).toEqual([6]);
  });

  test('a camera that was opened again counts from 0 and is heard at once', () => {
    const cadence = new MessageCadence(30);
    for (let id = 0; id < 100; id++) cadence.push(frame(id));
    expect(cadence.push(frame(0)).length).toBe(1);
  });
});
