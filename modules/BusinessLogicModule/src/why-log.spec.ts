import { expect, test } from '@jest/globals';
import type { InferenceMessage, Sensor } from '@vantage/contracts';
import { WhyLog } from './why-log.ts';

const NOW = Date.UTC(2026, 0, 31, 10, 14, 3);
const gate = {
  name: 'gate',
  regionsOfInterest: [
    {
      label: 'door',
      coordinates: [
        [0, 0],
        [0.5, 0],
        [0.5, 1],
        [0, 1],
      ],
    },
  ],
} as unknown as Sensor;

function message(label: string, left: number): InferenceMessage {
  const sourceInfo = { id: 'gate', timestamp: new Date(NOW).toISOString(), width: 100, height: 100, frameId: 0 };
  const detection = { label, rect: [left, 0.4, 0.1, 0.1] };
  return {
    ...{ schemaVersion: '0.1', events: [], regionsOfInterest: [] },
    inferences: [{ sourceInfo, type: 'detection', id: 'People', detections: [detection] }],
  } as unknown as InferenceMessage;
}

function summaryOf(log: WhyLog, query: Record<string, unknown> = {}): string[] {
  const { status, payload } = log.answer({ pipeline: 'People', sensor: 'gate', at: NOW, ...query });
  expect(status).toBe(200);
  return (payload as { summary: string[] }).summary;
}

test('why not: each thing that a message said is judged once', () => {
  const log = new WhyLog(() => NOW);
  log.configured([gate], ['person']);
  for (const [label, left] of [
    ['cat', 0.1],
    ['cat', 0.1],
    ['person', 0.8],
  ] as const)
    log.message(message(label, left));
  expect(summaryOf(log)).toEqual([
    '10:14:03 BusinessLogicModule: gate reported cat, and only person are monitored',
    '10:14:03 BusinessLogicModule: gate reported person, outside of every region',
    '10:14:03 BusinessLogicModule: nothing was decided, nor ever before',
  ]);
});

test('why: the reason of the logic, or the hand that did it', () => {
  const log = new WhyLog(() => NOW);
  log.configured([gate], ['person']);
  log.message(message('person', 0.1));
  const reason = [{ sensor: 'gate', region: 'door', label: 'person', count: 1 }];
  log.command({ startRecording: [{ configId: 'People', state: true }], reason }, 'logic');
  log.command({ startRecording: [{ configId: 'People', state: false }] }, 'twin');
  log.command({ startRecording: [{ configId: 'Other', state: true }] }, 'logic');
  expect(summaryOf(log)).toEqual([
    '10:14:03 BusinessLogicModule: recording of People was asked for: 1 person in door',
    '10:14:03 BusinessLogicModule: recording of People was told to stop: by hand, in the twin',
    '10:14:03 BusinessLogicModule: gate reported person inside door',
  ]);
});

test('another moment: what was decided last before it', () => {
  const log = new WhyLog(() => NOW);
  log.command({ startRecording: [{ configId: 'People', state: true }] }, 'logic');
  expect(summaryOf(log, { at: new Date(NOW + 60_000).toISOString() })).toEqual([
    '10:15:03 BusinessLogicModule: no message about it arrived then',
    '10:15:03 BusinessLogicModule: nothing was decided; last before: recording of People was asked for: its logic decided so',
  ]);
});

test('it stays bounded, and refuses what is no time', () => {
  const log = new WhyLog(() => NOW);
  for (let at = 0; at < 2000; at += 1) log.message(message(`label ${at}`, 0.1));
  expect(summaryOf(log)).toHaveLength(30);
  expect(log.answer({ at: 'yesterday' })).toMatchObject({ status: 400 });
  expect(log.answer({ seconds: 0 })).toMatchObject({ status: 400 });
});
