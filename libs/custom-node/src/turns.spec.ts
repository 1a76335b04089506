import { describe, expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

describe('turns', () => {
  test('so many at a time, then so many waiting in order, the rest refused', async () => {
    const turns = new Turns(1, 2);
    expect(await turns.enter(never)).toBe(true);
    const order: string[] = [];
    const first = turns.enter(never).then(() => order.push('first'));
    const second = turns.enter(never).then(() => order.push('second'));
    expect(await turns.enter(never)).toBe(false);
    turns.leave();
    turns.leave();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  test('who gives up while waiting makes room, and takes no turn', async () => {
    const turns = new Turns(1, 1);
    await turns.enter(never);
    const impatient = new AbortController();
    const given = turns.enter(impatient.signal);
    impatient.abort();
    expect(await given).toBe(false);
    const next = turns.enter(never);
    turns.leave();
    expect(await next).toBe(true);
    expect(await turns.enter(AbortSignal.abort())).toBe(false);
  });
});
