import { describe, expect, test } from '@jest/globals';
import { bestLayout, layoutsFor } from './layout.ts';

describe('layout of sessions', () => {
  test.each([
    [0, [[1, 1]]],
    [1, [[1, 1]]],
    [
      2,
      [
        [2, 1],
        [1, 2],
      ],
    ],
    [
      3,
      [
        [3, 1],
        [1, 3],
      ],
    ],
    [
      16,
      [
        [4, 4],
        [1, 16],
      ],
    ],
  ])('%d cores', (cores, shapes) => {
    expect(layoutsFor(cores).map(({ sessions, threads }) => [sessions, threads])).toEqual(shapes);
  });

  test.each([
    [20.5, 16.8, 2],
    [20, 22, 2],
    [20, 24, 1],
    [0, 10, 1],
  ])('%d runs/s with two sessions and %d with two threads: %d sessions', (two, one, sessions) => {
    const layout = bestLayout([
      { sessions: 2, threads: 1, runsPerSecond: two },
      { sessions: 1, threads: 2, runsPerSecond: one },
    ]);
    expect(layout.sessions).toBe(sessions);
    expect(layout.reason).toBe(
      `2 sessions with 1 thread: ${two.toFixed(1)} runs/s; 1 session with 2 threads: ${one.toFixed(1)} runs/s`,
    );
  });
});
