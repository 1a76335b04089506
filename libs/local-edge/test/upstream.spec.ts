import { afterEach, describe, expect, test } from '@jest/globals';
import type { EdgeRuntime, UpstreamMessage } from '../src/index.ts';
import { ROUTES, cleanUp, startRuntime, temporaryFolder } from './harness.ts';
import { rawModule, sendTo } from './raw-module.ts';

afterEach(cleanUp);

const TO_CLOUD = {
  ...ROUTES,
  routes: {
    plain: 'FROM /messages/modules/a/outputs/up INTO $upstream',
    urgent: { route: 'FROM /messages/modules/a/outputs/urgent INTO $upstream', priority: 0 },
    brief: { route: 'FROM /messages/modules/a/outputs/brief INTO $upstream', priority: 1, timeToLiveSecs: 60 },
    twins: 'FROM /twinChangeNotifications INTO $upstream',
  },
};

async function collect(messages: AsyncIterable<UpstreamMessage>, count = Infinity): Promise<UpstreamMessage[]> {
  const seen: UpstreamMessage[] = [];
  for await (const message of messages) {
    seen.push(message);
    if (seen.length === count) break;
  }
  return seen;
}

const texts = (messages: readonly UpstreamMessage[]): string[] => messages.map(({ body }) => body.toString());

function upstreamWaiting(runtime: EdgeRuntime): number {
  return runtime.messageTotals().endpoints.find(({ endpoint }) => endpoint === '$upstream')?.waiting ?? 0;
}

describe('while the way to the cloud is cut', () => {
  test('messages wait, also over a restart', async () => {
    const stateDir = await temporaryFolder();
    const first = await startRuntime({ stateDir });
    await first.patchDesired('$edgeHub', TO_CLOUD);
    first.faults.set({ kind: 'upstream' });
    const a = await rawModule(first, stateDir, 'a');
    for (const text of ['1', '2']) await sendTo(a, 'up', text);
    expect(upstreamWaiting(first)).toBe(2);
    expect(await collect(first.exportUpstream())).toEqual([]);
    await first.stop();
    const second = await startRuntime({ stateDir });
    expect(texts(await collect(second.upstreamMessages({ since: 0 }), 2))).toEqual(['1', '2']);
  });

  test('urgent ones overtake, and what is too old does not leave', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_CLOUD);
    runtime.faults.set({ kind: 'upstream' });
    const a = await rawModule(runtime, stateDir, 'a');
    const plain = Array.from({ length: 25 }, (_, index) => `plain ${index}`);
    for (const text of plain) await sendTo(a, 'up', text);
    await sendTo(a, 'brief', 'too old');
    for (const text of ['urgent 0', 'urgent 1']) await sendTo(a, 'urgent', text);
    runtime.faults.set({ kind: 'clock', ms: 61_000 });
    expect(runtime.messageTotals()).toMatchObject({ expired: 1, waiting: 27 });
    runtime.faults.clear('upstream');
    const arrived = await collect(runtime.upstreamMessages({ since: 0 }), 27);
    expect(texts(arrived)).toEqual(['urgent 0', 'urgent 1', ...plain]);
    expect(arrived.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 27 }, (_, index) => index + 1));
    expect(runtime.messageTotals()).toMatchObject({ delivered: 27, waiting: 0, storedBytes: 0 });
  });

  test('a full disk delays the way out, and every message arrives once', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_CLOUD);
    runtime.faults.set({ kind: 'upstream' });
    const a = await rawModule(runtime, stateDir, 'a');
    for (const text of ['1', '2', '3']) await sendTo(a, 'up', text);
    runtime.faults.set({ kind: 'disk' });
    runtime.faults.clear('upstream');
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(runtime.messageTotals()).toMatchObject({ delivered: 0, retried: 3, waiting: 3 });
    runtime.faults.clear('disk');
    expect(texts(await collect(runtime.upstreamMessages({ since: 0 }), 3))).toEqual(['1', '2', '3']);
    expect(runtime.messageTotals()).toMatchObject({ delivered: 3, waiting: 0 });
  });
});

describe('the messages that left', () => {
  test('are read from a number on, then live, without a gap or a double', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_CLOUD);
    const a = await rawModule(runtime, stateDir, 'a');
    const all = Array.from({ length: 300 }, (_, index) => String(index + 1));
    const live = collect(runtime.upstreamMessages(), 300);
    for (const text of all.slice(0, 150)) await sendTo(a, 'up', text);
    await collect(runtime.upstreamMessages({ since: 0 }), 150);
    const fromTen = collect(runtime.upstreamMessages({ since: 10 }), 290);
    for (const text of all.slice(150)) await sendTo(a, 'up', text);
    expect(texts(await live)).toEqual(all);
    expect(texts(await fromTen)).toEqual(all.slice(10));
    expect(texts(await collect(runtime.exportUpstream({ since: 298 })))).toEqual(['299', '300']);
  });

  test('carry the stamps of the hub, whatever the sender wrote', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_CLOUD);
    const a = await rawModule(runtime, stateDir, 'a');
    await sendTo(
      a,
      'up',
      Buffer.from([0, 255]),
      '&%24.mid=42&%24.cid=7&%24.ct=text%2Fplain&%24.cmid=forged&color=r%C3%B6d',
    );
    const [message] = await collect(runtime.upstreamMessages({ since: 0 }), 1);
    expect(message).toMatchObject({
      sequence: 1,
      deviceId: 'vantage-edge',
      moduleId: 'a',
      output: 'up',
      properties: { color: 'röd' },
      body: Buffer.from([0, 255]),
    });
    expect(message?.systemProperties).toEqual({
      outputName: 'up',
      messageId: '42',
      correlationId: '7',
      contentType: 'text/plain',
      connectionDeviceId: 'vantage-edge',
      connectionModuleId: 'a',
      edgeMessageId: message?.id,
      edgeHubOriginInterface: 'internal',
    });
  });

  test('of changed twins say so', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_CLOUD);
    const a = await rawModule(runtime, stateDir, 'a');
    await a.publishAsync('$iothub/twin/PATCH/properties/reported/?$rid=1', '{"fps":3}');
    const [message] = await collect(runtime.upstreamMessages({ since: 0 }), 1);
    expect(message?.systemProperties).toMatchObject({
      messageType: 'twinChangeNotification',
      messageSchema: 'twinChangeNotification',
      connectionDeviceId: 'vantage-edge',
      connectionModuleId: 'a',
      enqueuedTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('are kept up to a limit, the newest, and go on counting', async () => {
    const stateDir = await temporaryFolder();
    const options = { stateDir, upstreamRetention: { maxMessages: 3 } };
    const first = await startRuntime(options);
    await first.patchDesired('$edgeHub', TO_CLOUD);
    const a = await rawModule(first, stateDir, 'a');
    for (const text of ['1', '2', '3', '4', '5']) await sendTo(a, 'up', text);
    await collect(first.upstreamMessages({ since: 4 }), 1);
    expect(texts(await collect(first.exportUpstream()))).toEqual(['3', '4', '5']);
    await first.stop();
    const second = await startRuntime(options);
    const b = await rawModule(second, stateDir, 'a');
    await sendTo(b, 'up', '6');
    expect(await collect(second.upstreamMessages({ since: 5 }), 1)).toMatchObject([{ sequence: 6 }]);
  });

  test('end with the runtime', async () => {
    const runtime = await startRuntime();
    const reading = collect(runtime.upstreamMessages());
    await runtime.stop();
    expect(await reading).toEqual([]);
  });
});
