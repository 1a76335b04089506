import { describe, expect, test } from '@jest/globals';
import type { FrameRequest } from '../frame-port.ts';
import { FrameQueue } from './frame-queue.ts';

function frame(id: number, regions?: number): FrameRequest {
  const view = { left: 0, top: 0, width: 1, height: 1 };
  const box = { left: 0, top: 0, width: 1, height: 1 };
  const own = regions === undefined ? {} : { regions: Array.from({ length: regions }, () => box) };
  return { id, pixels: new ArrayBuffer(0), pictureWidth: 1, pictureHeight: 1, view, ...own };
}

function taken(queue: FrameQueue<string>, pictures: number): string[] {
  return queue.take(pictures).map(({ camera, frame: { id } }) => `${camera}${id}`);
}

describe('FrameQueue', () => {
  test('is empty at first', () => {
    expect(taken(new FrameQueue(), 4)).toEqual([]);
  });

  test('serves cameras in turn: one that sends much does not hold up the others', () => {
    const queue = new FrameQueue<string>();
    for (const id of [1, 2, 3]) queue.push('a', frame(id));
    queue.push('b', frame(1));
    queue.push('c', frame(1));
    expect(queue.cameras).toBe(3);
    expect(Array.from({ length: 6 }, () => taken(queue, 1))).toEqual([['a1'], ['b1'], ['c1'], ['a2'], ['a3'], []]);
  });

  test('fills a batch with what there is', () => {
    const queue = new FrameQueue<string>();
    for (const camera of ['a', 'b', 'c']) queue.push(camera, frame(1));
    expect(taken(queue, 2)).toEqual(['a1', 'b1']);
    expect(taken(queue, 2)).toEqual(['c1']);
  });

  test('a frame with regions shares its runs with nobody', () => {
    const queue = new FrameQueue<string>();
    queue.push('a', frame(1));
    queue.push('b', frame(1, 3));
    queue.push('c', frame(1, 0));
    queue.push('d', frame(1));
    expect(Array.from({ length: 4 }, () => taken(queue, 8))).toEqual([['a1'], ['b1'], ['c1'], ['d1']]);
  });

  test('refuses what a camera should not have sent any more', () => {
    const queue = new FrameQueue<string>();
    const accepted = Array.from({ length: 20 }, (_, id) => queue.push('a', frame(id)));
    expect(accepted.filter(Boolean)).toHaveLength(16);
    expect(queue.push('b', frame(1))).toBe(true);
  });
});
