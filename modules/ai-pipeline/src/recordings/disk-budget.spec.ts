import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { FakeEdgeModule } from '@vantage/edge-client';
import { createLogger } from '@vantage/observability';
import { clipsToRemove, storedClips, type StoredClip } from './disk-budget.ts';
import { Recordings } from './recordings.ts';

const MINUTE_MS = 60_000;
const now = 1000 * MINUTE_MS;
const clip = (name: string, bytes: number, minutesAgo: number): StoredClip => ({
  ...{ name, files: [], bytes },
  modifiedMs: now - minutesAgo * MINUTE_MS,
});
/** Newest first, on purpose. */
const clips = [clip('new', 30, 1), clip('middle', 30, 20), clip('old', 30, 40)];
const room = { usedBytes: 90, freeBytes: 500, diskBytes: 1000, nowMs: now };

describe('what has to go', () => {
  test.each([
    ['nothing, without a budget', { maxBytes: 0 }, []],
    ['nothing, within it', { maxBytes: 90 }, []],
    ['the oldest', { maxBytes: 80 }, ['old']],
    ['as many as it takes', { maxBytes: 40 }, ['old', 'middle']],
    ['all, when the budget is that small', { maxBytes: 1 }, ['old', 'middle', 'new']],
    ['the oldest, when less than 5 % of the disk is free', { maxBytes: 0, freeBytes: 30 }, ['old']],
    ['all but what was recorded just now, when others fill the disk', { maxBytes: 0, freeBytes: 0 }, ['old', 'middle']],
  ])('%s', (_title, rule, names) => {
    expect(clipsToRemove(clips, { ...room, ...rule }).map(({ name }) => name)).toEqual(names);
  });
});

describe('the folder of recordings', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vantage-budget-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function put(name: string, bytes: number, seconds: number): void {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, Buffer.alloc(bytes));
    utimesSync(file, seconds, seconds);
  }

  test('keeps to its budget: a clip goes with all its files, hidden ones and what is no clip stay, and it is reported', async () => {
    put('p-1.mp4', 600_000, 100);
    put('p-1.json', 1000, 100);
    put('p-1.overlay.mp4', 400_000, 100);
    put('p-2.mp4', 600_000, 300);
    put('p-2.json', 1000, 300);
    put('video-snippet/i/s/d/x-1.mp4', 300_000, 200);
    put('.p-3.mp4.part', 900_000, 50);
    put('notes.txt', 900_000, 50);
    expect((await storedClips(folder)).map(({ name, bytes }) => [name, bytes]).sort()).toEqual([
      ['p-1', 1_001_000],
      ['p-2', 601_000],
      ['video-snippet/i/s/d/x-1', 300_000],
    ]);
    const edge = new FakeEdgeModule();
    const recordings = new Recordings(folder, edge, createLogger({ module: 'test', level: 'critical' }));
    recordings.setBudget(0.8);
    await recordings.stop();
    expect(readdirSync(folder).sort()).toEqual(['.p-3.mp4.part', 'notes.txt', 'p-2.json', 'p-2.mp4', 'video-snippet']);
    expect(await storedClips(folder)).toHaveLength(1);
    expect(edge.twin.reported['clipsRemoved']).toEqual({
      ...{ clips: 2, bytes: 1_301_000 },
      last: [
        { name: 'p-1', bytes: 1_001_000 },
        { name: 'video-snippet/i/s/d/x-1', bytes: 300_000 },
      ],
    });
  });
});
