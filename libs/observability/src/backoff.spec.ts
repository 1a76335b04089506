import { describe, expect, test } from '@jest/globals';
import { Backoff } from './backoff.ts';

describe('Backoff', () => {
  test('grows by the factor up to the cap', () => {
    const backoff = new Backoff({ baseMs: 100, factor: 2, jitter: 0, capMs: 500 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 500, 500]);
    expect(backoff.failures).toBe(5);
  });

  test('jitter is bounded and reproducible', () => {
    const delays = (seed: number) => {
      const backoff = new Backoff({ baseMs: 100, factor: 1, jitter: 0.25, seed });
      return Array.from({ length: 50 }, () => backoff.next());
    };
    expect(delays(7)).toEqual(delays(7));
    expect(delays(7)).not.toEqual(delays(8));
    expect(Math.min(...delays(7))).toBeGreaterThanOrEqual(75);
    expect(Math.max(...delays(7))).toBeLessThanOrEqual(125);
  });

  test('starts over only after a healthy while', () => {
    let now = 0;
    const backoff = new Backoff({ baseMs: 100, jitter: 0, resetAfterMs: 1000, now: () => now });
    backoff.next();
    backoff.next();
    backoff.healthy();
    now = 999;
    expect(backoff.next()).toBe(400);
    backoff.healthy();
    now = 1500;
    backoff.healthy();
    now = 1999;
    expect(backoff.next()).toBe(100);
  });

  test('waits, and stops waiting when told', async () => {
    const backoff = new Backoff({ baseMs: 1, jitter: 0, factor: 60_000 });
    expect(await backoff.wait()).toBe(true);
    const abort = new AbortController();
    const waiting = backoff.wait(abort.signal);
    abort.abort();
    expect(await waiting).toBe(false);
    expect(await backoff.wait(abort.signal)).toBe(false);
  });
});
