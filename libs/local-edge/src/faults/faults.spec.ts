import { describe, expect, test } from '@jest/globals';
import { Faults, MAX_FAULT_MS } from './faults.ts';
import { parseFaultRequest } from './parse-fault.ts';

describe('faults', () => {
  test('are asked by module, and cleared by kind and module', () => {
    const faults = new Faults();
    faults.set({ kind: 'network', module: 'a' });
    faults.set({ kind: 'network', module: 'b' });
    faults.set({ kind: 'upstream' });
    expect([faults.isNetworkCut('a'), faults.isNetworkCut('c'), faults.isUpstreamCut]).toEqual([true, false, true]);
    expect(faults.clear('network', 'a')).toBe(1);
    expect([faults.isNetworkCut('a'), faults.isNetworkCut('b')]).toEqual([false, true]);
    expect([faults.clear(), faults.clear()]).toEqual([2, 0]);
    expect(faults.active()).toEqual([]);
  });

  test("a module's own delay goes before the one of all", () => {
    const faults = new Faults();
    faults.set({ kind: 'delay', ms: 10 });
    faults.set({ kind: 'delay', module: 'a', ms: 20 });
    expect([faults.delayMs('a'), faults.delayMs('b')]).toEqual([20, 10]);
  });

  test('the clock is the one thing that goes wrong by a number', () => {
    const faults = new Faults();
    faults.set({ kind: 'clock', ms: -3_600_000 });
    expect(Date.now() - faults.now()).toBeGreaterThan(3_599_000);
    faults.clear('clock');
    expect(Math.abs(Date.now() - faults.now())).toBeLessThan(1000);
  });

  test('end by themselves, and the one who waits is told; one that was set anew goes on', async () => {
    const faults = new Faults();
    let changes = 0;
    faults.on('change', () => (changes += 1));
    const first = faults.injectFor({ kind: 'network', module: 'a' }, 60_000);
    const second = faults.injectFor({ kind: 'network', module: 'a' }, 5);
    await first;
    expect(faults.isNetworkCut('a')).toBe(true);
    await second;
    expect([faults.isNetworkCut('a'), faults.list(), changes]).toEqual([false, [], 3]);
    expect(faults.listenerCount('change')).toBe(1);
  });

  test('say since when and until when', () => {
    const faults = new Faults();
    const { sinceUtc, untilUtc } = faults.set({ kind: 'disk' }, 30_000);
    expect(Date.parse(untilUtc!) - Date.parse(sinceUtc)).toBe(30_000);
    expect(faults.set({ kind: 'disk' })).not.toHaveProperty('untilUtc');
    expect(faults.list()).toHaveLength(1);
  });
});

describe('a fault from outside', () => {
  test.each([
    [
      { kind: 'network', module: 'a', forMs: 5000 },
      { fault: { kind: 'network', module: 'a' }, forMs: 5000 },
    ],
    [{ kind: 'upstream' }, { fault: { kind: 'upstream' }, forMs: undefined }],
    [
      { kind: 'delay', ms: 3 },
      { fault: { kind: 'delay', ms: 3 }, forMs: undefined },
    ],
    [
      { kind: 'clock', ms: -3_600_000 },
      { fault: { kind: 'clock', ms: -3_600_000 }, forMs: undefined },
    ],
  ])('%j is read', (body, expected) => {
    expect(parseFaultRequest(body)).toEqual(expected);
  });

  test.each([
    [null, /JSON object/],
    ['network', /JSON object/],
    [{}, /one of network, upstream, .* not undefined/],
    [{ kind: 'meteor' }, /not "meteor"/],
    [{ kind: 'network' }, /"network" needs a module/],
    [{ kind: 'twin', module: 7 }, /"twin" needs a module/],
    [{ kind: 'upstream', module: 'a' }, /"upstream" has no "module"/],
    [{ kind: 'disk', ms: 1 }, /"disk" has no "ms"/],
    [{ kind: 'delay' }, /"ms" is a whole number/],
    [{ kind: 'delay', ms: 1.5 }, /"ms" is a whole number/],
    [{ kind: 'clock', ms: 1e300 }, /"ms" is a whole number/],
    [{ kind: 'disk', forMs: 0 }, /"forMs" is a whole number/],
    [{ kind: 'disk', forMs: MAX_FAULT_MS + 1 }, /"forMs" is a whole number/],
    [{ kind: 'disk', seconds: 3 }, /"seconds" is not part of a fault/],
  ])('%j is refused in one sentence', (body, sentence) => {
    expect(() => parseFaultRequest(body)).toThrow(sentence);
  });
});
