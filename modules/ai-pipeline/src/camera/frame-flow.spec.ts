import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, test } from '@jest/globals';
import { InferenceClient } from '@vantage/inference';
import type { QueuePolicy } from '@vantage/skill';
import { FrameFlow, type FlowPicture } from './frame-flow.ts';

const BYTES = 3 * 4 * 2;
const FRAME_US = 40_000;

interface Request {
  readonly id: number;
  readonly pixels: ArrayBuffer;
}

/** The session's end of a real port: it answers when the test says so, in the order of the requests. */
class HeldModel {
  readonly client: InferenceClient;
  readonly requests: Request[] = [];
  readonly #port: MessagePort;
  readonly #label: string;
  #answered = 0;
  #arrived: (() => void) | undefined;

  constructor(label: string) {
    const { port1, port2 } = new MessageChannel();
    this.client = new InferenceClient(port1);
    this.#port = port2;
    this.#label = label;
    port2.on('message', (request: Request) => {
      this.requests.push(request);
      this.#arrived?.();
    });
  }

  /** Resolves when `count` requests in all have come. */
  async has(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  /** Answers the next request as the session's thread does: with the buffer moved back. */
  async answer(error?: string): Promise<void> {
    await this.has(this.#answered + 1);
    const { id, pixels } = this.requests[this.#answered++]!;
    const outputs = error === undefined ? [{ detections: [{ label: this.#label }], attributes: [] }] : [];
    this.#port.postMessage({ id, pixels, outputs, inferenceUs: 500, ...(error ? { error } : {}) }, [pixels]);
  }

  get closed(): Promise<unknown> {
    return once(this.#port, 'close');
  }

  end(): void {
    this.#port.close();
  }
}

interface Seen {
  readonly frameId: number;
  readonly by: string;
}

function picture(frameId: number, buffer: ArrayBuffer): FlowPicture {
  const view = { left: 0, top: 0, width: 8, height: 4 };
  return { frameId, ptsUs: frameId * FRAME_US, captureTimeMs: frameId * 40, buffer, width: 4, height: 2, view };
}

describe('FrameFlow', () => {
  const models: HeldModel[] = [];
  let seen: readonly Seen[];
  let arrived: (() => void) | undefined;

  afterEach(() => {
    for (const open of models.splice(0)) open.end();
  });

  function model(label: string): HeldModel {
    const made = new HeldModel(label);
    models.push(made);
    return made;
  }

  function flowTo(policy: QueuePolicy, first: HeldModel, behind?: () => Promise<void>): FrameFlow {
    const own: Seen[] = [];
    seen = own;
    const flow = new FrameFlow({
      queue: { capacity: 1, policy },
      onFrame: ({ frameId }, result) => {
        own.push({ frameId, by: result?.error ?? result?.outputs[0]?.detections[0]?.label ?? 'nothing' });
        arrived?.();
        return behind?.();
      },
    });
    void flow.use(first.client);
    return flow;
  }

  function push(flow: FrameFlow, frameId: number): void | Promise<void> {
    return flow.push(picture(frameId, flow.takeBuffer(BYTES)));
  }

  async function results(count: number): Promise<readonly Seen[]> {
    while (seen.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return seen;
  }

  test('latest: a newer picture takes the place of the one that waits, and the source never waits', async () => {
    const only = model('a');
    const flow = flowTo('latest', only);
    const held = [0, 1, 2, 3, 4].map((frameId) => push(flow, frameId));
    expect(held).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(flow.counters).toMatchObject({ analysed: 0 });
    expect(flow.edge).toEqual({ passed: 2, dropped: 2 });
    for (let n = 0; n < 3; n += 1) await only.answer();
    expect((await results(3)).map(({ frameId }) => frameId)).toEqual([0, 1, 4]);
    expect(flow.counters).toEqual({ analysed: 3, error: 0, inferenceUs: 1500 });
  });

  test('block: the source waits at the third picture, and every picture is looked at, in order', async () => {
    const only = model('a');
    const flow = flowTo('block', only);
    expect(push(flow, 0)).toBeUndefined();
    expect(push(flow, 1)).toBeUndefined();
    const source = (async () => {
      for (let frameId = 2; frameId < 10; frameId += 1) await push(flow, frameId);
    })();
    for (let n = 0; n < 10; n += 1) {
      await only.answer();
      expect(only.client.inFlight).toBeLessThanOrEqual(2);
    }
    await source;
    expect((await results(10)).map(({ frameId }) => frameId)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(flow.counters).toMatchObject({ analysed: 10, error: 0 });
  });

  test('buffers come back and are used again; one of another size is not', async () => {
    const only = model('a');
    const flow = flowTo('block', only);
    await push(flow, 0);
    await only.answer();
    await results(1);
    const again = flow.takeBuffer(BYTES);
    expect(again.byteLength).toBe(BYTES);
    expect(flow.takeBuffer(BYTES)).not.toBe(again);
    void flow.push(picture(1, again));
    expect(again.byteLength).toBe(0);
    await only.answer();
    await results(2);
    expect(flow.takeBuffer(2 * BYTES).byteLength).toBe(2 * BYTES);
  });

  test('a picture that is replaced gives its buffer back', () => {
    const flow = flowTo('latest', model('a'));
    void push(flow, 0);
    void push(flow, 1);
    const waits = new ArrayBuffer(BYTES);
    void flow.push(picture(2, waits));
    void push(flow, 3);
    expect(flow.takeBuffer(BYTES)).toBe(waits);
  });

  test('without a model nothing is looked at, and nothing waits', () => {
    const flow = flowTo('block', model('a'));
    void flow.use(undefined);
    const buffer = new ArrayBuffer(BYTES);
    expect(flow.push(picture(0, buffer))).toBeUndefined();
    expect(flow.takeBuffer(BYTES)).toBe(buffer);
  });

  test.each(['latest', 'block'] as const)(
    '%s: a model is exchanged without a lost frame, and in order',
    async (policy) => {
      const before = model('before');
      const after = model('after');
      const flow = flowTo(policy, before);
      void push(flow, 0);
      void push(flow, 1);
      const held = push(flow, 2);
      const closed = before.closed;
      void flow.use(after.client);
      // The new model is quicker than what the old one still has to answer.
      void push(flow, 3);
      void push(flow, 4);
      await after.answer();
      await after.answer();
      for (let n = 0; n < 3; n += 1) await before.answer();
      await held;
      expect(await results(5)).toEqual([
        { frameId: 0, by: 'before' },
        { frameId: 1, by: 'before' },
        { frameId: 2, by: 'before' },
        { frameId: 3, by: 'after' },
        { frameId: 4, by: 'after' },
      ]);
      expect(flow.counters).toMatchObject({ analysed: 5, error: 0 });
      await closed;
    },
  );

  test('an error costs its frame only, and is counted', async () => {
    const only = model('a');
    const flow = flowTo('latest', only);
    void push(flow, 0);
    void push(flow, 1);
    void push(flow, 2);
    await only.answer('out of memory');
    await only.answer();
    await only.answer();
    expect(await results(3)).toEqual([
      { frameId: 0, by: 'out of memory' },
      { frameId: 1, by: 'a' },
      { frameId: 2, by: 'a' },
    ]);
    expect(flow.counters).toEqual({ analysed: 2, error: 1, inferenceUs: 1000 });
  });

  test('a model that is gone costs the frames it had, and the source goes on', async () => {
    const gone = model('gone');
    const flow = flowTo('block', gone);
    void push(flow, 0);
    void push(flow, 1);
    await gone.has(2);
    gone.end();
    expect(await results(2)).toEqual([
      { frameId: 0, by: 'the model was unloaded' },
      { frameId: 1, by: 'the model was unloaded' },
    ]);
    void push(flow, 2);
    expect((await results(3))[2]).toEqual({ frameId: 2, by: 'the model was unloaded' });
    expect(flow.counters).toMatchObject({ analysed: 0, error: 3 });
    const next = model('next');
    void flow.use(next.client);
    void push(flow, 3);
    await next.answer();
    expect((await results(4))[3]).toEqual({ frameId: 3, by: 'next' });
  });

  test('block: two readers that wait, while pictures are exchanged, both go on', async () => {
    const only = model('a');
    const flow = flowTo('block', only);
    void push(flow, 0);
    void push(flow, 1);
    const both = [push(flow, 2), push(flow, 3)].map((held) => Promise.resolve(held));
    for (let n = 0; n < 4; n += 1) await only.answer();
    await Promise.all(both);
    expect((await results(4)).map(({ frameId }) => frameId)).toEqual([0, 1, 2, 3]);
  });

  test('frames that are not looked at keep their place in the order', async () => {
    const only = model('a');
    const flow = flowTo('block', only);
    void push(flow, 0);
    void flow.skip(picture(1, flow.takeBuffer(BYTES)));
    void flow.skip(picture(2, flow.takeBuffer(BYTES)));
    void push(flow, 3);
    expect(seen).toEqual([]);
    await only.answer();
    await only.answer();
    expect((await results(4)).map(({ frameId, by }) => `${frameId} ${by}`)).toEqual([
      '0 a',
      '1 nothing',
      '2 nothing',
      '3 a',
    ]);
    expect(flow.counters.analysed).toBe(2);
  });

  test('a model is not asked faster than its secondaries answer, and the old one tells when it may go', async () => {
    const only = model('a');
    const behind = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    let at = 0;
    const flow = flowTo('latest', only, () => behind[at++]!.promise);
    void push(flow, 0);
    void push(flow, 1);
    await only.answer();
    await results(1);
    await only.answer();
    // The first frame is with the secondaries, the second behind it: the third waits.
    await new Promise((resolve) => setImmediate(resolve));
    void push(flow, 2);
    expect(only.client.inFlight).toBe(0);
    behind[0]!.resolve();
    await results(2);
    await only.has(3);
    let gone = false;
    const retired = flow.use(undefined).then(() => (gone = true));
    expect(gone).toBe(false);
    await only.answer();
    await retired;
    behind[1]!.resolve();
    expect((await results(3)).map(({ frameId }) => frameId)).toEqual([0, 1, 2]);
  });

  test('drain waits for all that is under way, an exchanged model included', async () => {
    const before = model('before');
    const flow = flowTo('latest', before);
    void push(flow, 0);
    void push(flow, 1);
    void flow.use(model('after').client);
    let drained = false;
    const drain = flow.drain().then(() => (drained = true));
    await before.answer();
    await results(1);
    expect(drained).toBe(false);
    await before.answer();
    await drain;
    expect(seen).toHaveLength(2);
    await flow.drain();
  });
});
