import { describe, expect, test } from '@jest/globals';
import type { InferenceMessage, RecordingCommand, Sensor } from '@vantage/contracts';
import { decide, type DecisionState } from './decide.ts';

const LEFT_HALF: readonly [number, number][] = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];

function sensor(
  name: string,
  regions: Readonly<Record<string, readonly [number, number][]>> = { left: LEFT_HALF },
): Sensor {
  const regionsOfInterest = Object.entries(regions).map(([label, coordinates]) => ({
    label,
    color: '#ff0000',
    coordinates: coordinates.map(([x, y]): [number, number] => [x, y]),
    sensor: name,
  }));
  const playback = { loop: false, paced: true };
  return { name, type: 'vision', subtype: '', sourceKind: 'rtsp', endpoint: 'rtsp://h', regionsOfInterest, playback };
}

/** An object of 0.1 x 0.1 around a centre. */
type Thing = readonly [label: string, x: number, y: number];
type Frame = readonly [pipeline: string, sensor: string, ...things: Thing[]];

function message(...frames: readonly Frame[]): InferenceMessage {
  return {
    schemaVersion: '0.1',
    events: [],
    regionsOfInterest: [],
    inferences: frames.map(([id, sensorName, ...things]) => ({
      sourceInfo: { id: sensorName, timestamp: '2026-01-01T00:00:00Z', width: 1280, height: 720, frameId: 0 },
      type: 'detection' as const,
      id,
      detections: things.map(([label, x, y]) => ({
        classId: 0,
        confidence: 0.9,
        label,
        rect: [x - 0.0625, y - 0.0625, 0.125, 0.125] as const,
        id: 'd',
        unique_component_id: 1,
        tracking_id: -1,
      })),
    })),
  };
}

const configure = (state: DecisionState | undefined, ...sensors: Sensor[]) =>
  decide(state, { kind: 'configuration', sensors, objectsToMonitor: ['person', 'defect'], businessLogicConfig: {} })
    .state;

/** Feeds messages; the commands of each as `+People` for start and `-People` for stop. */
function play(start: DecisionState | undefined, ...messages: readonly InferenceMessage[]) {
  let state = start;
  const commands: RecordingCommand[] = [];
  const steps = messages.map((item) => {
    const decision = decide(state, { kind: 'inference', message: item });
    state = decision.state;
    commands.push(...decision.commands);
    return decision.commands
      .flatMap(({ startRecording }) => startRecording.map((one) => `${one.state ? '+' : '-'}${one.configId}`))
      .join(' ');
  });
  return { steps, state, commands };
}

const IN: Thing = ['person', 0.25, 0.5];
const OUT: Thing = ['person', 0.75, 0.5];

describe('one sensor, one region', () => {
  const state = configure(undefined, sensor('cam1'));

  test('enters, stays, leaves: one start, one stop (scenario 24)', () => {
    const { steps, commands } = play(
      state,
      message(['P', 'cam1', OUT]),
      message(['P', 'cam1', IN]),
      message(['P', 'cam1', IN]),
      message(['P', 'cam1', OUT]),
    );
    expect(steps).toEqual(['', '+P', '', '-P']);
    expect(commands).toEqual([
      {
        startRecording: [{ configId: 'P', state: true }],
        reason: [{ sensor: 'cam1', region: 'left', label: 'person', count: 1 }],
      },
      { startRecording: [{ configId: 'P', state: false }] },
    ]);
  });

  test.each<[string, Frame]>([
    ['nothing', ['P', 'cam1']],
    ['another label', ['P', 'cam1', ['Car', 0.25, 0.5]]],
    ['outside', ['P', 'cam1', OUT]],
    ['an unknown sensor', ['P', 'cam9', IN]],
    ['the centre on the edge', ['P', 'cam1', ['person', 0.5, 0.5]]],
    ['the centre on a corner', ['P', 'cam1', ['person', 0, 0]]],
    ['a box that only overlaps', ['P', 'cam1', ['person', 0.53, 0.5]]],
  ])('%s: no message (scenario 25)', (_name, frame) => {
    expect(play(state, message(frame), message(frame)).steps).toEqual(['', '']);
  });

  test('labels in any case, and defects', () => {
    expect(play(state, message(['P', 'cam1', ['PERSON', 0.25, 0.5]])).steps).toEqual(['+P']);
    expect(play(state, message(['P', 'cam1', ['Defect', 0.25, 0.5]])).steps).toEqual(['+P']);
  });

  test('successive frames in one message are judged one by one', () => {
    expect(
      play(state, message(['P', 'cam1', OUT], ['P', 'cam1', IN], ['P', 'cam1', IN], ['P', 'cam1', OUT])).steps,
    ).toEqual(['+P -P']);
  });

  test('other inference types are ignored', () => {
    const custom = message(['P', 'cam1', IN]);
    const inferences = custom.inferences.map((item) => ({ ...item, type: 'custom' as const }));
    expect(play(state, { ...custom, inferences }).steps).toEqual(['']);
  });

  test('no configuration yet: nothing is inside', () => {
    expect(play(undefined, message(['P', 'cam1', IN])).steps).toEqual(['']);
  });
});

describe('several', () => {
  test('regions: an object in two counts twice', () => {
    const whole: readonly [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    const state = configure(undefined, sensor('cam1', { left: LEFT_HALF, whole }));
    expect(play(state, message(['P', 'cam1', IN, IN, OUT])).commands[0]?.reason).toEqual([
      { sensor: 'cam1', region: 'left', label: 'person', count: 2 },
      { sensor: 'cam1', region: 'whole', label: 'person', count: 3 },
    ]);
  });

  test('sensors of one pipeline add up: the last one does not win (better than G.1)', () => {
    const state = configure(undefined, sensor('cam1'), sensor('cam2'));
    const both = (a: Thing, b: Thing) => message(['P', 'cam1', a], ['P', 'cam2', b]);
    expect(play(state, both(IN, OUT), both(IN, OUT), both(OUT, IN), both(OUT, OUT)).steps).toEqual([
      '+P',
      '',
      '',
      '-P',
    ]);
    const apart = [message(['P', 'cam1', IN]), message(['P', 'cam2', OUT]), message(['P', 'cam1', OUT])];
    expect(play(state, ...apart).steps).toEqual(['+P', '', '-P']);
  });

  test('pipelines do not touch each other', () => {
    const state = configure(undefined, sensor('cam1'), sensor('cam2'));
    const { steps } = play(
      state,
      message(['P', 'cam1', IN], ['Q', 'cam2', OUT]),
      message(['P', 'cam1', IN], ['Q', 'cam2', IN]),
      message(['P', 'cam1', OUT], ['Q', 'cam2', IN]),
    );
    expect(steps).toEqual(['+P', '+Q', '-P']);
  });
});

describe('a new configuration clears the counters (G.1)', () => {
  const on = play(configure(undefined, sensor('cam1')), message(['P', 'cam1', IN])).state;

  test('still inside: start is said again, for an ai-pipeline that has forgotten', () => {
    expect(play(configure(on, sensor('cam1')), message(['P', 'cam1', IN]), message(['P', 'cam1', IN])).steps).toEqual([
      '+P',
      '',
    ]);
  });

  test('gone meanwhile, or the region is: it is stopped', () => {
    expect(play(configure(on, sensor('cam1')), message(['P', 'cam1', OUT]), message(['P', 'cam1', OUT])).steps).toEqual(
      ['-P', ''],
    );
    expect(play(configure(on, sensor('cam1', {})), message(['P', 'cam1', IN])).steps).toEqual(['-P']);
  });

  test('what was off stays off', () => {
    const off = play(on, message(['P', 'cam1', OUT])).state;
    expect(play(configure(off, sensor('cam1')), message(['P', 'cam1', OUT])).steps).toEqual(['']);
  });
});

test('the state before a step is never changed: the same inputs give the same commands', () => {
  const state = configure(undefined, sensor('cam1'));
  const first = play(state, message(['P', 'cam1', IN]));
  expect(play(state, message(['P', 'cam1', IN]))).toEqual(first);
});

describe('events (recordOnEvents)', () => {
  const configured = decide(undefined, {
    ...{ kind: 'configuration', sensors: [sensor('cam1')], objectsToMonitor: ['person'], businessLogicConfig: {} },
    ...{ recordOnEvents: ['lineCrossing'], recordSeconds: 10 },
  }).state;
  const at = (seconds: number, ...types: readonly string[]): InferenceMessage => {
    const one = message(['People', 'cam1']);
    const timestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
    return {
      ...one,
      inferences: one.inferences.map((inference) => ({
        ...inference,
        sourceInfo: { ...inference.sourceInfo, timestamp },
      })),
      events: types.map((type) => ({ id: 'e', type, sensor: 'cam1', zone: 'door' })),
    };
  };

  test('start a recording at once, which goes on for its seconds after the last one', () => {
    let state: DecisionState | undefined = configured;
    const said = [at(0), at(1, 'other'), at(2, 'lineCrossing'), at(8, 'lineCrossing'), at(17), at(18), at(19)].map(
      (one) => {
        const decision = decide(state, { kind: 'inference', message: one });
        state = decision.state;
        return decision.commands;
      },
    );
    const start = { configId: 'People', state: true };
    const reason = [{ sensor: 'cam1', region: 'door', label: 'lineCrossing', count: 1 }];
    expect(said).toEqual([
      [],
      [],
      [{ startRecording: [start], reason }],
      [],
      [],
      [{ startRecording: [{ ...start, state: false }] }],
      [],
    ]);
  });

  test('of a sensor of another pipeline say nothing of this one', () => {
    const other = { ...at(1), events: [{ id: 'e', type: 'lineCrossing', sensor: 'cam2' }] };
    expect(decide(configured, { kind: 'inference', message: other }).commands).toEqual([]);
  });
});
