import { describe, expect, test } from '@jest/globals';
import type { InputMessage } from '../src/index.ts';
import { nth, useHub } from './harness.ts';

const harness = useHub();

describe('send', () => {
  test('puts strings and JSON on the wire, typed, with properties, and resolves at the PUBACK', async () => {
    const module = await harness.connect();
    await module.send('insights', { a: [1, 'é'] }, { 'café &=': 'x/y é', kind: 'k' });
    await module.send('raw', '{"b":1}');
    expect(harness.hub.events).toEqual([
      {
        topic:
          'devices/dev/modules/mod/messages/events/%24.on=insights&%24.ct=application%2Fjson&%24.ce=utf-8&caf%C3%A9%20%26%3D=x%2Fy%20%C3%A9&kind=k/',
        payload: '{"a":[1,"é"]}',
      },
      {
        topic: 'devices/dev/modules/mod/messages/events/%24.on=raw&%24.ct=application%2Fjson&%24.ce=utf-8/',
        payload: '{"b":1}',
      },
    ]);
  });

  test('counts bytes, not letters, and properties too', async () => {
    const module = await harness.connect();
    await expect(module.send('o', 'é'.repeat(131_073))).rejects.toMatchObject({
      code: 'EDGE_MESSAGE_TOO_LARGE',
      details: { sizeBytes: 262_146, limitBytes: 262_144 },
    });
    await expect(module.send('o', 'x'.repeat(262_140), { abc: 'de' })).rejects.toMatchObject({
      code: 'EDGE_MESSAGE_TOO_LARGE',
    });
    await module.send('o', 'x'.repeat(262_140), { ab: 'de' });
    expect(harness.hub.events).toHaveLength(1);
  });

  test('refuses what JSON cannot express', async () => {
    const module = await harness.connect();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(module.send('o', circular)).rejects.toMatchObject({ code: 'EDGE_BODY_NOT_JSON' });
    await expect(module.send('o', undefined)).rejects.toMatchObject({ code: 'EDGE_BODY_NOT_JSON' });
  });

  test('keeps messages while there is no connection, the newest ones, in order', async () => {
    await harness.hub.stop();
    const module = harness.start({ outbox: { limitMessages: 3 } });
    const results = [0, 1, 2, 3, 4].map((n) => module.send('o', { n }));
    await expect(results[0]).rejects.toMatchObject({ code: 'EDGE_MESSAGE_DROPPED' });
    await expect(results[1]).rejects.toMatchObject({ code: 'EDGE_MESSAGE_DROPPED' });
    await harness.hub.start();
    await Promise.all(results.slice(2));
    expect(harness.hub.events.map((event) => event.payload)).toEqual(['{"n":2}', '{"n":3}', '{"n":4}']);
  });

  test('can keep the oldest instead, and is bounded in bytes', async () => {
    await harness.hub.stop();
    const module = harness.start({ outbox: { limitBytes: 25, overflow: 'dropNewest' } });
    const kept = module.send('o', 'x'.repeat(20));
    await expect(module.send('o', 'y'.repeat(20))).rejects.toMatchObject({ code: 'EDGE_MESSAGE_DROPPED' });
    await harness.hub.start();
    await kept;
    expect(harness.hub.events).toHaveLength(1);
  });

  test('a message that was not acknowledged goes out again with the next connection', async () => {
    const module = await harness.connect();
    harness.hub.faults.holdPuback = true;
    const sending = [1, 2, 3].map((n) => module.send('o', { n }));
    await module.report({ fence: 1 });
    harness.hub.faults.holdPuback = false;
    harness.hub.kick();
    await Promise.all(sending);
    expect(harness.hub.events.map((event) => event.payload)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
  });

  test('many at once keep their order', async () => {
    const module = await harness.connect();
    await Promise.all(Array.from({ length: 300 }, (_, n) => module.send('o', String(n))));
    expect(harness.hub.events.map((event) => Number(event.payload))).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });
});

describe('inputs', () => {
  test('bring text, JSON, properties and sender', async () => {
    const module = await harness.connect();
    const arrived = new Promise<InputMessage>((resolve) => void module.onInput('in1', resolve));
    await harness.hub.input(
      'in1',
      '\ufeff{"a":"é"}',
      '%24.cdid=dev&%24.cmid=other&%24.ct=application%2Fjson&%24.ce=utf-8&%24.mid=m1&%24.cid=c1&caf%C3%A9=x%2Fy&empty=',
    );
    const message = await arrived;
    expect(message.json()).toEqual({ a: 'é' });
    expect(message).toMatchObject({
      input: 'in1',
      text: '{"a":"é"}',
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      messageId: 'm1',
      correlationId: 'c1',
      fromDevice: 'dev',
      fromModule: 'other',
      properties: { café: 'x/y', empty: '' },
    });
  });

  test('what comes before its handler waits for it, in order, one at a time', async () => {
    const module = await harness.connect();
    for (const n of [1, 2, 3]) await harness.hub.input('late', String(n));
    await module.report({ fence: 1 });
    const seen: string[] = [];
    await new Promise<void>((resolve) =>
      module.onInput('late', async (message) => {
        seen.push(`+${message.text}`);
        await Promise.resolve();
        seen.push(`-${message.text}`);
        if (message.text === '3') resolve();
      }),
    );
    expect(seen).toEqual(['+1', '-1', '+2', '-2', '+3', '-3']);
  });

  test('what the hub kept while the module was away is not lost', async () => {
    const module = await harness.connect();
    await module.close();
    await harness.hub.input('in1', 'kept');
    const again = harness.start();
    const arrived = new Promise<string>((resolve) => void again.onInput('in1', (message) => resolve(message.text)));
    expect(await arrived).toBe('kept');
  });

  test('a handler that throws, a body that is no JSON, a property that cannot be decoded: logged, the next one comes', async () => {
    const module = await harness.connect();
    const second = new Promise<string>((resolve) =>
      module.onInput('in1', (message) => {
        if (message.text === 'last') return resolve(message.text);
        message.json();
      }),
    );
    await harness.hub.input('in1', '{', 'a=1');
    await harness.hub.input('in1', 'x', 'a=%E9%');
    await harness.hub.input('in1', 'last');
    expect(await second).toBe('last');
    expect(harness.lines.some((line) => line.includes('EDGE_INPUT_NOT_JSON'))).toBe(true);
    expect(harness.lines.some((line) => line.includes('EDGE_MESSAGE_UNREADABLE'))).toBe(true);
  });
});

describe('methods', () => {
  test('answer status and payload, errors as 500, unknown ones as 404', async () => {
    const module = await harness.connect();
    module.onMethod('echo', (payload) => ({ status: 201, payload: { got: payload } }));
    module.onMethod('nothing', () => ({ status: 0 }));
    module.onMethod('fail', () => {
      throw Object.assign(new Error('rtsp://a:secret@h'), { code: 'BROKEN' });
    });
    await module.report({ fence: 1 });
    expect(await harness.hub.call('echo', { a: 1 })).toEqual({ status: 201, payload: { got: { a: 1 } } });
    expect(await harness.hub.call('nothing', null)).toEqual({ status: 200, payload: null });
    expect(await harness.hub.call('fail', {})).toEqual({
      status: 500,
      payload: { code: 'BROKEN', message: 'rtsp://***@h' },
    });
    expect(await harness.hub.call('other', {})).toEqual({
      status: 404,
      payload: { code: 'METHOD_UNKNOWN', message: 'there is no method "other"' },
    });
  });
});

describe('close', () => {
  test('sends what waits, then refuses, and can be called twice', async () => {
    const module = await harness.connect();
    const sending = module.send('o', 'last words');
    const reporting = module.report({ state: 'stopping' });
    await Promise.all([module.close(), module.close()]);
    await sending;
    await reporting;
    expect(harness.hub.events.map((event) => event.payload)).toEqual(['last words']);
    expect(harness.hub.reported).toEqual({ state: 'stopping' });
    await expect(module.send('o', 'x')).rejects.toMatchObject({ code: 'EDGE_CLOSED' });
    await expect(module.report({ a: 1 })).rejects.toMatchObject({ code: 'EDGE_CLOSED' });
    expect(module.status.state).toBe('closed');
  });

  test('does not wait for ever for a hub that is gone', async () => {
    const module = await harness.connect({ drainMs: 50 });
    harness.hub.faults.holdPuback = true;
    const sending = module.send('o', 'never');
    await module.close();
    await expect(sending).rejects.toMatchObject({ code: 'EDGE_CLOSED' });
  });
});

test('a hub restart that loses every session: twin, inputs, methods, messages and reports go on', async () => {
  const module = await harness.connect();
  module.onMethod('ping', () => ({ status: 200, payload: 'pong' }));
  const inputs: string[] = [];
  let onInput: () => void = () => undefined;
  module.onInput('in1', (message) => {
    inputs.push(message.text);
    onInput();
  });
  await module.report({ up: 1 });
  for (const round of [1, 2]) {
    await harness.hub.stop();
    const during = module.send('o', `during ${round}`);
    const reported = module.report({ round });
    const connected = nth(harness.hub, 'connect');
    await harness.hub.start();
    await connected;
    await during;
    await reported;
    const changed = new Promise<void>((resolve) => {
      const off = module.onDesired((desired) => {
        if (desired['round'] !== round) return;
        off();
        resolve();
      });
    });
    await harness.hub.patchDesired({ round });
    await changed;
    const input = new Promise<void>((resolve) => (onInput = resolve));
    await harness.hub.input('in1', `input ${round}`);
    await input;
    expect(await harness.hub.call('ping', {})).toEqual({ status: 200, payload: 'pong' });
  }
  expect(inputs).toEqual(['input 1', 'input 2']);
  expect(harness.hub.events.map((event) => event.payload)).toEqual(['during 1', 'during 2']);
  expect(harness.hub.reported).toEqual({ up: 1, round: 2 });
});
