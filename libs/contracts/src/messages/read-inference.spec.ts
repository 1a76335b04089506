import { expect, test } from '@jest/globals';
import { readInferenceMessage } from './read-inference.ts';

const sourceInfo = { id: 'cam1', timestamp: '2023-01-05T10:11:12.123456', width: 1920, height: 1080, frameId: 1400 };
const detection = {
  classId: 2,
  confidence: 0.91,
  label: 'person',
  rect: [0.1, 0.2, 0.3, 0.4],
  id: '5f0a',
  unique_component_id: 1,
  tracking_id: -1,
};
const envelope = {
  schemaVersion: '0.1',
  events: [],
  regionsOfInterest: [{ label: 'a', color: '#ff0000', coordinates: [[0, 0]], sensor: 'cam1' }],
  inferences: [
    { sourceInfo, type: 'custom', id: 'People', detections: ['m'] },
    { sourceInfo, type: 'detection', id: 'People', detections: [{ ...detection, customInfo: { plate: 'X' } }] },
    { sourceInfo, type: 'classification', id: 'People', detections: [{ classId: 1, confidence: 0.5, label: 'x' }] },
  ],
};

test('an envelope of contract C.2 is read whole', () => {
  expect(readInferenceMessage(envelope)).toEqual({ message: envelope, ignored: 0 });
});

test('entries that do not fit are left out and counted', () => {
  const odd = [
    { sourceInfo, type: 'hologram', id: 'x', detections: [] },
    7,
    { ...envelope.inferences[1], sourceInfo: {} },
  ];
  const read = readInferenceMessage({ ...envelope, inferences: [...odd, ...envelope.inferences] });
  expect(read).toEqual({ message: envelope, ignored: 3 });
});

test('a body without inferences is none', () => {
  expect(readInferenceMessage({ schemaVersion: '0.1', detections: [] })).toBeUndefined();
  expect(readInferenceMessage('text')).toBeUndefined();
});
