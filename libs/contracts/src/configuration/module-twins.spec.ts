import { describe, expect, test } from '@jest/globals';
import { readAiPipelineTwin, readBusinessLogicTwin, readRecordingCommand } from './module-twins.ts';

describe('the ai-pipeline twin', () => {
  const defaults = {
    outputVideoLength: 30,
    autoStopRecordingTime: 300,
    messageEveryNFrames: 30,
    preRollTime: 2,
    postRollTime: 2,
    recordingBudgetMB: 2048,
  };

  test.each([
    [{}, {}, []],
    [undefined, {}, []],
    [
      { $version: 4, outputVideoLength: 10, autoStopRecordingTime: 60 },
      { outputVideoLength: 10, autoStopRecordingTime: 60 },
      [],
    ],
    [{ messageEveryNFrames: 1 }, { messageEveryNFrames: 1 }, []],
    [{ autoStopRecordingTime: 0 }, { autoStopRecordingTime: 0 }, []],
    [{ outputVideoLength: '10' }, {}, ['outputVideoLength']],
    [{ outputVideoLength: 0 }, {}, ['outputVideoLength']],
    [{ outputVideoLength: 1e12, messageEveryNFrames: 2 }, { messageEveryNFrames: 2 }, ['outputVideoLength']],
    [{ messageEveryNFrames: 1.5 }, {}, ['messageEveryNFrames']],
    [{ outputVideoLength: null }, {}, []],
    ['text', {}, ['']],
  ])('%j', (desired, expected, errors) => {
    const read = readAiPipelineTwin(desired);
    expect(read.settings).toEqual({ ...defaults, ...expected });
    expect(read.errors.map((issue) => issue.path)).toEqual(errors);
  });

  test('misspelt keys are noticed', () => {
    expect(readAiPipelineTwin({ outputVideoLenght: 10 }).warnings[0]?.message).toContain('"outputVideoLength"');
  });
});

describe('startRecording', () => {
  const on = { configId: 'People', state: true };

  test.each([
    [{ startRecording: [on] }, [on], []],
    [{ startRecording: [] }, [], []],
    [{}, undefined, []],
    [{ startRecording: on }, undefined, ['startRecording']],
    [
      { startRecording: [{ configId: 'x', state: 'yes' }, on, 5] },
      [on],
      ['startRecording[0].state', 'startRecording[2]'],
    ],
  ])('twin %j', (desired, expected, errors) => {
    const read = readBusinessLogicTwin(desired);
    expect(read.startRecording).toEqual(expected);
    expect(read.errors.map((issue) => issue.path)).toEqual(errors);
  });

  test('a command keeps its reason, ignores extra keys, and is undefined without startRecording (C.4)', () => {
    const reason = [{ sensor: 'cam1', region: 'door', label: 'person', count: 2 }];
    expect(readRecordingCommand({ startRecording: [on], reason, $version: 3 }).command).toEqual({
      startRecording: [on],
      reason,
    });
    expect(readRecordingCommand({ startRecording: [on], reason: 'because' }).command).toEqual({ startRecording: [on] });
    expect(readRecordingCommand({ events: [] })).toMatchObject({
      command: undefined,
      errors: [{ path: 'startRecording' }],
    });
    expect(readRecordingCommand(null).command).toBeUndefined();
  });
});
