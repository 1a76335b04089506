import { describe, expect, test } from '@jest/globals';
import type { FrameInsights } from '@vantage/skill';
import { MessageCadence, toInference } from './inference-messages.ts';

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
