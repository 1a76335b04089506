import { describe, expect, jest, test } from '@jest/globals';
import { CallGate } from './call-gate.ts';

function gateWith(options: Partial<ConstructorParameters<typeof CallGate>[0]> = {}) {
  const ends: string[] = [];
  const told: string[] = [];
  let now = 0;
  const gate = new CallGate({
    maxInFlight: 2,
    deadlineMs: 10_000,
    circuit: { failures: 3, pauseMs: 5000 },
    now: () => now,
    onBegin: () => undefined,
    onEnd: (_id, result) => void ends.push(result),
    onStuck: (text) => void told.push(text),
    onCircuit: (state) => void told.push(state),
    ...options,
  });
  return { gate, ends, told, pass: (ms: number) => (now += ms) };
}

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { run: () => promise, end: resolve };
}

const fail = () => Promise.reject(new Error('broken'));

describe('a gate', () => {
  test('lets so many calls in, lets as many wait, and refuses more', async () => {
    const { gate, ends } = gateWith();
    const works = Array.from({ length: 4 }, work);
    const calls = works.map(({ run }) => gate.run(run));
    await expect(gate.run(() => 'no')).rejects.toMatchObject({ grpcCode: 8 });
    works.forEach(({ end }, at) => end(String(at)));
    expect(await Promise.all(calls)).toEqual(['0', '1', '2', '3']);
    expect(ends).toEqual(['refused', 'ok', 'ok', 'ok', 'ok']);
    expect(await gate.run(() => 'again')).toBe('again');
  });

  test('gives a place back once the work is over, not when its deadline is; waiting counts too', async () => {
    jest.useFakeTimers();
    try {
      const { gate, ends, told } = gateWith({ maxInFlight: 1, deadlineMs: 100 });
      const late = work();
      const first = gate.run(late.run).catch((error: unknown) => error);
      const second = gate.run(() => 'never').catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(100);
      expect(await first).toMatchObject({ grpcCode: 4, message: 'no answer within 100 ms' });
      expect(await second).toMatchObject({ grpcCode: 4, message: 'no place within 100 ms' });
      expect(ends).toEqual(['deadline', 'refused']);
      expect(told).toEqual(['1 calls did not come back within 100 ms']);
      late.end('at last');
      await jest.advanceTimersByTimeAsync(0);
      expect(await gate.run(() => 'next')).toBe('next');
    } finally {
      jest.useRealTimers();
    }
  });

  test('closes after failures in a row, tries one call after a pause, and opens when that is answered', async () => {
    const { gate, ends, told, pass } = gateWith();
    await expect(gate.run(fail)).rejects.toThrow('broken');
    expect(await gate.run(() => 'fine')).toBe('fine');
    for (let call = 0; call < 3; call += 1) await expect(gate.run(fail)).rejects.toThrow('broken');
    expect(told).toEqual(['open']);
    await expect(gate.run(() => 'no')).rejects.toMatchObject({
      grpcCode: 14,
      message: 'not called after 3 failures in a row, tried again in 5 s: broken',
    });
    pass(5001);
    const trial = work();
    const tried = gate.run(trial.run);
    await expect(gate.run(() => 'no')).rejects.toMatchObject({ grpcCode: 14 });
    trial.end('yes');
    expect(await tried).toBe('yes');
    expect(told).toEqual(['open', 'closed']);
    expect(await gate.run(() => 'fine')).toBe('fine');
    expect(ends.filter((result) => result === 'refused')).toHaveLength(2);
  });

  test('stays closed when the trial fails', async () => {
    const { gate, told, pass } = gateWith();
    for (let call = 0; call < 3; call += 1) await expect(gate.run(fail)).rejects.toThrow('broken');
    pass(5001);
    await expect(gate.run(fail)).rejects.toThrow('broken');
    await expect(gate.run(() => 'no')).rejects.toMatchObject({ grpcCode: 14 });
    expect(told).toEqual(['open']);
    pass(5001);
    expect(await gate.run(() => 'yes')).toBe('yes');
    expect(told).toEqual(['open', 'closed']);
  });
});
