import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type mqtt from 'mqtt';
import { parsePublishTopic } from '../src/hub/topics.ts';
import type { EdgeRuntime } from '../src/index.ts';
import { cleanUp, next, startRuntime, temporaryFolder } from './harness.ts';
import { rawModule } from './raw-module.ts';

describe('reported properties over the wire', () => {
  let runtime: EdgeRuntime;
  let client: mqtt.MqttClient;
  beforeEach(async () => {
    const stateDir = await temporaryFolder();
    runtime = await startRuntime({ stateDir });
    client = await rawModule(runtime, stateDir, 'm');
  });
  afterEach(cleanUp);

  async function report(patch: string | Buffer): Promise<{ status: number; body: string }> {
    const answer = next(client, 'message');
    client.publish('$iothub/twin/PATCH/properties/reported/?$rid=1', patch);
    const [topic, body] = (await answer) as [string, Buffer];
    return { status: Number(/res\/(\d+)\//.exec(topic)?.[1]), body: body.toString() };
  }

  test('with an illegal name or value are refused with a reason, change nothing, and the connection stays', async () => {
    const refused: [patch: string, reason: RegExp][] = [
      ['{"a.b":1}', /a\.b/],
      ['{"$x":1}', /\$x/],
      ['{"with space":1}', /with space/],
      ['{"a#":1}', /a#/],
      ['{"tab\\there":1}', /tab/],
      ['{"deep":{"er":{"$":1}}}', /\$/],
      [`{"${'x'.repeat(1025)}":1}`, /1024|long|length/],
      ['{"n":9007199254740993}', /n/],
      [`{"s":"${'x'.repeat(4097)}"}`, /4096|long|length/],
      ['{"l":[null]}', /null|array/],
      ['[1]', /object/],
      ['"text"', /object/],
      ['', /JSON|object/],
      ['{"a":1', /JSON/],
    ];
    for (const [patch, reason] of refused) {
      const { status, body } = await report(patch);
      expect([patch.slice(0, 40), status]).toEqual([patch.slice(0, 40), 400]);
      expect(JSON.parse(body)).toMatchObject({ errorCode: 400, message: expect.stringMatching(reason) });
    }
    expect((await report('{"good":1}')).status).toBe(204);
    expect(runtime.twin('m').reported).toEqual({ good: 1 });
  });
});

test.each([
  ['escapes that are none', 'devices/d/modules/m/messages/events/%zz=1'],
  ['half an escape', 'devices/d/modules/m/messages/events/a=%e'],
  ['bytes that are no UTF-8', 'devices/d/modules/m/messages/events/a=%ff'],
  ['no device', 'devices//modules/m/messages/events/'],
  ['no module', 'devices/d/modules//messages/events/'],
  ['a level too many', 'devices/d/modules/m/x/messages/events/'],
  ['another direction', 'devices/d/messages/devicebound/'],
  ['a twin request without a number', '$iothub/twin/GET/?'],
  ['an empty number', '$iothub/twin/GET/?$rid='],
  ['a path behind GET', '$iothub/twin/GET/properties/?$rid=1'],
  ['desired properties', '$iothub/twin/PATCH/properties/desired/?$rid=1'],
  ['a status that is no number', '$iothub/methods/res/ok/?$rid=1'],
  ['a status of ten digits', '$iothub/methods/res/2000000000/?$rid=1'],
  ['a topic of another broker', 'home/kitchen/light'],
  ['nothing', ''],
])('a topic with %s is refused', (_, topic) => {
  expect(() => parsePublishTopic(topic)).toThrow(expect.objectContaining({ code: 'EDGE_MQTT_PROTOCOL' }));
});
