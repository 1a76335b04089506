import { expect, test } from '@jest/globals';
import type { DemoTruthRow } from './index.ts';
import { scoreFrame, type ScoredDetection } from './score.ts';

const person = (left: number, confidence = 0.9): ScoredDetection => ({
  label: 'person',
  confidence,
  box: [left, 0, 10, 20],
});
const row = (left: number, visible = 100): DemoTruthRow => [0, 1, left, 0, left + 10, 20, visible];

test.each<[string, ScoredDetection[], DemoTruthRow[], object]>([
  ['nothing in nothing', [], [], { wanted: 0, found: 0, falseAlarms: 0 }],
  ['missed', [], [row(0)], { wanted: 1, found: 0, falseAlarms: 0 }],
  ['found, a little beside', [person(2)], [row(0)], { wanted: 1, found: 1, falseAlarms: 0 }],
  ['too far beside', [person(6)], [row(0)], { wanted: 1, found: 0, falseAlarms: 1 }],
  ['found twice', [person(0), person(1, 0.5)], [row(0)], { wanted: 1, found: 1, falseAlarms: 1 }],
  ['hidden, found', [person(0)], [row(0, 20)], { wanted: 0, found: 0, falseAlarms: 0 }],
  ['hidden, not found well', [person(5)], [row(0, 20)], { wanted: 0, found: 0, falseAlarms: 0 }],
  ['two beside each other', [person(0), person(8)], [row(8), row(0)], { wanted: 2, found: 2, falseAlarms: 0 }],
  ['another class', [{ ...person(0), label: 'car' }], [row(0)], { wanted: 1, found: 0, falseAlarms: 0 }],
])('%s', (_, detections, rows, expected) => {
  expect(scoreFrame(detections, rows, ['person']).get('person')).toEqual(expected);
});
