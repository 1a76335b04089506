import { describe, expect, test } from '@jest/globals';
import type { FrameInsights } from '@vantage/skill';
import { NodeLane } from './node-lane.ts';
import { PicturePool } from './shared-picture.ts';
import type { CameraFrame, GraphStage, SharedPicture } from './stage.ts';

const view = { left: 0, top: 0, width: 2, height: 2 };

function frame(frameId: number, picture?: SharedPicture): CameraFrame {
  const insights: FrameInsights = {
    ...{ sensor: 'gate', frameId, ptsUs: frameId * 1000, captureTimeMs: frameId, width: 2, height: 2 },
    detections: [],
  };
  return { insights, ...(picture ? { picture } : {}) };
}

/** A stage that answers when the test says so. */
class HeldStage implements GraphStage {
  readonly concurrency: number;
  readonly taken: { readonly frame: CameraFrame; readonly answer: (frame?: CameraFrame) => void }[] = [];
  stopped = 0;

  constructor(concurrency = 1) {
    this.concurrency = concurrency;
  }

  process(one: CameraFrame): Promise<CameraFrame | undefined> {
    return new Promise((resolve) => void this.taken.push({ frame: one, answer: resolve }));
  }

  stop(): void {
    this.stopped += 1;
  }

  get ids(): number[] {
    return this.taken.map(({ frame: one }) => one.insights.frameId);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('NodeLane', () => {
  function laneOf(stage: GraphStage, behind: (one: CameraFrame) => void | Promise<void> = () => undefined) {
    const out: number[] = [];
    const errors: string[] = [];
    let under = 0;
    const lane = new NodeLane(stage, {
      onFrame: (one) => {
        out.push(one.insights.frameId);
        return behind(one);
      },
      onError: (reason) => errors.push(reason),
      onCount: (change) => (under += change),
    });
    return { lane, out, errors, under: () => under };
  }

  test('answers go on in the order of the frames, whichever is there first', async () => {
    const stage = new HeldStage(3);
    const { lane, out, under } = laneOf(stage);
    lane.setInputs([{ from: 'a', queue: { capacity: 9, policy: 'block' } }]);
    for (let id = 0; id < 4; id += 1) void lane.push('a', frame(id));
    expect(stage.ids).toEqual([0, 1, 2]);
    stage.taken[2]!.answer(frame(2));
    stage.taken[1]!.answer(undefined);
    await turn();
    expect(out).toEqual([]);
    stage.taken[0]!.answer(frame(0));
    await turn();
    expect(out).toEqual([0, 2]);
    expect(stage.ids).toEqual([0, 1, 2, 3]);
    stage.taken[3]!.answer(frame(3));
    await turn();
    expect(under()).toBe(0);
  });

  test('a slow node drops on its own edge, counted, and every picture is given back', async () => {
    const pool = new PicturePool();
    const stage = new HeldStage();
    const { lane, under } = laneOf(stage);
    lane.setInputs([{ from: 'a', queue: { capacity: 2, policy: 'dropOldest' } }]);
    const buffers = Array.from({ length: 5 }, () => pool.take(12));
    for (const [id, buffer] of buffers.entries()) {
      const picture = pool.fromPlanes(buffer, 2, 2, view);
      expect(lane.push('a', frame(id, picture))).toBeUndefined();
      picture.release();
    }
    expect(lane.edges.get('a')).toEqual({ passed: 1, dropped: 2 });
    expect([pool.take(12), pool.take(12)].every((buffer) => buffers.slice(1, 3).includes(buffer))).toBe(true);
    const ended = lane.stop();
    stage.taken[0]!.answer(stage.taken[0]!.frame);
    await ended;
    expect(stage.stopped).toBe(1);
    expect(under()).toBe(0);
    const free = [pool.take(12), pool.take(12), pool.take(12)];
    expect(free.every((buffer) => buffers.includes(buffer))).toBe(true);
  });

  test('block: who pushes waits for room, and for what lies behind', async () => {
    const gate = Promise.withResolvers<void>();
    const pass: GraphStage = { process: (one) => one, stop: () => undefined };
    const { lane, out } = laneOf(pass, (one) => (one.insights.frameId === 0 ? gate.promise : undefined));
    lane.setInputs([{ from: 'a', queue: { capacity: 1, policy: 'block' } }]);
    expect(lane.push('a', frame(0))).toBeUndefined();
    let went = false;
    const held = lane.push('a', frame(1));
    void held?.then(() => (went = true));
    await turn();
    expect([out, went]).toEqual([[0], false]);
    gate.resolve();
    await held;
    expect(out).toEqual([0, 1]);
  });

  test('a stage is exchanged: frames that wait go to the new one, answers of the old one keep their place', async () => {
    const [before, after] = [new HeldStage(), new HeldStage()];
    const { lane, out } = laneOf(before);
    lane.setInputs([{ from: 'a', queue: { capacity: 3, policy: 'block' } }]);
    void lane.push('a', frame(0));
    void lane.push('a', frame(1));
    lane.use(after);
    expect(before.stopped).toBe(0);
    before.taken[0]!.answer(frame(0));
    await turn();
    expect([before.stopped, out, after.ids]).toEqual([1, [0], [1]]);
  });

  test('a stage that throws costs the frame only, with and without a promise', async () => {
    const stage: GraphStage = {
      process: ({ insights }) => {
        if (insights.frameId === 0) throw new Error('at once');
        return insights.frameId === 1 ? Promise.reject(new Error('later')) : frame(insights.frameId);
      },
      stop: () => undefined,
    };
    const { lane, out, errors } = laneOf(stage);
    lane.setInputs([{ from: 'a', queue: { capacity: 9, policy: 'block' } }]);
    for (let id = 0; id < 3; id += 1) void lane.push('a', frame(id));
    await turn();
    expect([out, errors]).toEqual([[2], ['at once', 'later']]);
  });

  test('two parents: both are served, the older frame first', async () => {
    const stage = new HeldStage();
    const { lane } = laneOf(stage);
    const queue = { capacity: 5, policy: 'dropOldest' } as const;
    lane.setInputs([
      { from: 'a', queue },
      { from: 'b', queue },
    ]);
    void lane.push('a', frame(0));
    void lane.push('a', frame(5));
    void lane.push('b', frame(3));
    for (let n = 0; n < 3; n += 1) {
      stage.taken[n]!.answer(undefined);
      await turn();
    }
    expect(stage.ids).toEqual([0, 3, 5]);
  });
});
