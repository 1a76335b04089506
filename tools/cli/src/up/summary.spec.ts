import { stripVTControlCharacters } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { UpEvent } from './events.ts';
import { Summary } from './summary.ts';

const STARTED: UpEvent = {
  event: 'started',
  deviceId: 'vantage-edge',
  ffmpeg: '7.0 (PATH)',
  mqttPort: 8883,
  apiPort: 4430,
  clipFolder: '/state/volumes/VideoUploaderCache',
  logFolder: '/state/logs',
};

function inference(frameId: number, objects: Record<string, number>, sensor = 'street'): UpEvent {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + frameId * 40).toISOString();
  return { event: 'inference', pipeline: 'Street', sensor, frameId, timestamp, objects };
}

const REGION: UpEvent = {
  event: 'region',
  pipeline: 'Street',
  sensor: 'street',
  region: 'crossing',
  label: 'person',
  count: 2,
};
const CLIP: UpEvent = { event: 'clip', pipeline: 'Street', file: 'street-1.mp4', seconds: 7.28, frames: 183 };

describe('Summary', () => {
  let nowMs: number;
  let summary: Summary;
  beforeEach(() => {
    nowMs = 1000;
    summary = new Summary({ now: () => nowMs, twinOptions: ' --state /state' });
  });

  function add(...events: UpEvent[]): void {
    for (const event of events) summary.add(event);
  }
  function text(): string {
    return stripVTControlCharacters(summary.render());
  }

  test('says something before anything has happened', () => {
    expect(text()).toBe(`Vantage  starting  0:00

modules  none started yet

cameras  waiting for the first picture
clips    none yet`);
  });

  test('draws all that runs, aligned', () => {
    add(
      STARTED,
      { event: 'module', module: 'rtspsim', status: 'starting' },
      { event: 'module', module: 'ai-pipeline', status: 'connected' },
      { event: 'module', module: 'x', status: 'backoff', reason: 'ended with code 1' },
      inference(0, { car: 1 }),
      inference(30, { car: 1, person: 4 }),
      inference(0, {}, 'yard-2'),
      REGION,
      { event: 'recording', pipeline: 'Street', on: true },
      CLIP,
      { event: 'error', module: 'ai-pipeline', message: 'first' },
      { event: 'error', module: 'ai-pipeline', code: 'X', message: 'camera yard-2 ended' },
    );
    nowMs += 62_000;
    expect(text()).toBe(`Vantage  running  1:02   Ctrl-C ends it

modules  ● ai-pipeline  connected
         ○ rtspsim      starting
         ● x            backoff  ended with code 1

cameras  street   25.0 frames/s   4 person, 1 car
         yard-2      - frames/s   nothing in view
regions  crossing (street)   2 person   62 s ago
clips    1   ● recording Street
         street-1.mp4   7.3 s
         in /state/volumes/VideoUploaderCache
problem  ai-pipeline: camera yard-2 ended
         62 s ago, 1 before

twins    npx vantage twin get controllermodule --state /state
         npx vantage twin patch ai-pipeline '{"messageEveryNFrames": 10}' --state /state
logs     /state/logs
runtime  device vantage-edge, MQTT on 8883, service API on 4430, ffmpeg 7.0 (PATH)`);
  });

  test('is short once it has ended', () => {
    add(STARTED, { event: 'module', module: 'x', status: 'connected' }, inference(0, { car: 1 }), CLIP);
    add({ event: 'stopping' }, summary.end());
    expect(text()).not.toMatch(/modules|Ctrl-C|twins/);
    expect(text()).toMatch(/^Vantage {2}ended {2}0:00\n/);
  });

  test('a camera that was opened again keeps its rate until there is a new one', () => {
    add(inference(0, {}), inference(30, {}), inference(0, {}));
    expect(text()).toContain('25.0 frames/s');
  });

  test.each<[UpEvent[], string]>([
    [[], 'no objects were detected'],
    [[inference(0, {})], 'no objects were detected'],
    [[inference(0, { car: 1 })], 'objects were detected, but no clip was finished'],
    [[CLIP], 'clips, but no objects were seen'],
    [[CLIP, inference(0, { car: 1 })], ''],
  ])('what is missing %#', (events, missing) => {
    add(...events);
    expect([summary.missing, summary.hasWorked]).toEqual([missing, missing === '']);
  });

  test('closes with figures', () => {
    add(inference(0, { car: 1, person: 2 }), inference(30, { car: 1 }), CLIP);
    nowMs += 12_340;
    expect(summary.end()).toEqual({ event: 'ended', seconds: 12.3, objects: 4, clips: 1 });
  });

  test.each<[UpEvent, string]>([
    [{ event: 'module', module: 'x', status: 'stopped', reason: 'told to' }, 'module x: stopped (told to)'],
    [inference(30, { car: 1, person: 2 }), 'street frame 30: 2 person, 1 car'],
    [REGION, 'region crossing of street: 2 person'],
    [CLIP, 'clip street-1.mp4: 7.28 s, 183 frames'],
    [{ event: 'recording', pipeline: 'Street', on: false }, 'recording Street: off'],
    [{ event: 'error', module: 'x', message: 'bad' }, 'problem in x: bad'],
    [{ event: 'error', message: 'bad' }, 'problem: bad'],
    [{ event: 'ended', seconds: 3, objects: 4, clips: 1 }, 'ended after 3 s: 4 objects in messages, 1 clips'],
  ])('plain line %#', (event, line) => {
    expect(Summary.line(event)).toBe(line);
  });
});
