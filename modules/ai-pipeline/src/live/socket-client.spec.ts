import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { LiveFragment } from './fragment-stream.ts';
import { SocketClient } from './socket-client.ts';

/** A connection whose other end takes what it is told to. */
class Line extends EventEmitter {
  bufferedAmount = 0;
  readonly sent: (string | number)[] = [];
  #taken: (() => void)[] = [];

  send(data: string | Uint8Array, taken?: () => void): void {
    this.sent.push(typeof data === 'string' ? data : data[0]!);
    if (taken) this.#taken.push(taken);
  }

  take(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }

  close = (): void => void this.emit('close');
}

let line: Line;
let client: SocketClient;
let group: LiveFragment[];
let count: number;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  line = new Line();
  client = new SocketClient({ socket: line as unknown as WebSocket, video: true });
  client.onInit({ text: 'init', segment: Uint8Array.of(0) });
  group = [];
  count = 0;
});

afterEach(() => {
  line.close();
  jest.useRealTimers();
});

/** A frame in groups of ten, numbered from 1. */
function push(frames: number): void {
  for (let at = 0; at < frames; at += 1) {
    const key = count % 10 === 0;
    const fragment = { ptsUs: count * 40_000, key, bytes: Uint8Array.of(++count) };
    group = key ? [fragment] : [...group, fragment];
    client.onFragment(fragment, group);
  }
}

const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

test('one who takes everything gets everything', () => {
  push(5);
  line.take();
  jest.advanceTimersByTime(10_000);
  push(20);
  expect(line.sent).toEqual(['init', 0, ...from(1, 25)]);
});

test('one who has taken nothing for three seconds goes on at the newest key frame, and is told how much is missing', () => {
  push(5);
  jest.advanceTimersByTime(3001);
  push(20);
  expect(line.sent).toEqual(['init', 0, ...from(1, 5)]);
  line.take();
  push(1);
  expect(line.sent.slice(7)).toEqual([JSON.stringify({ type: 'skipped', frames: 15 }), ...from(21, 26)]);
});

test('one for whom more than 8 MiB wait gets no more; when no key frame was missed it goes on where it was', () => {
  push(2);
  line.bufferedAmount = (8 << 20) + 1;
  push(3);
  client.onInsights('insights');
  line.bufferedAmount = 0;
  push(1);
  expect(line.sent).toEqual(['init', 0, 1, 2]);
  line.take();
  push(1);
  client.onInsights('insights');
  expect(line.sent.slice(4)).toEqual([...from(3, 7), 'insights']);
});

test('insights wait for the stream that they belong to', () => {
  const other = new Line();
  const late = new SocketClient({ socket: other as unknown as WebSocket, video: true });
  late.onInsights('early');
  late.onInit({ text: 'init', segment: Uint8Array.of(0) });
  late.onInsights('in time');
  expect(other.sent).toEqual(['init', 0, 'in time']);
  other.close();
});
