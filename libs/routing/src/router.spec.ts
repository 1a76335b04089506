import { describe, expect, test } from '@jest/globals';
import { parseEdgeHubConfig } from './edgehub-config.ts';
import type { RoutedMessage } from './message.ts';
import { DEFAULT_PRIORITY, Router } from './router.ts';

const MESSAGE: RoutedMessage = {
  source: 'telemetry',
  deviceId: 'edge',
  moduleId: 'ai-pipeline',
  output: 'inference',
  properties: {},
  systemProperties: { contentType: 'application/json', contentEncoding: 'utf-8' },
  body: '{"n":3,"s":"2017-03-09T00:00:00.000Z"}',
};

function routerOf(routes: Record<string, unknown>): Router {
  const { routes: parsed } = parseEdgeHubConfig({
    schemaVersion: '1.2',
    routes,
    storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
  });
  return new Router(parsed, { edgeDeviceId: 'edge' });
}

describe('Router', () => {
  test('one copy per endpoint, by priority, with that route s time to live', () => {
    const router = routerOf({
      low: 'FROM /messages/* INTO $upstream',
      high: { route: 'FROM /messages/modules/ai-pipeline/* INTO $upstream', priority: 2, timeToLiveSecs: 60 },
      business: 'FROM /messages/modules/ai-pipeline/outputs/inference INTO BrokeredEndpoint("/modules/B/inputs/i")',
    });
    expect(router.route(MESSAGE)).toEqual([
      { endpoint: '$upstream', priority: 2, timeToLiveSecs: 60, routeName: 'high' },
      { endpoint: { module: 'B', input: 'i' }, priority: DEFAULT_PRIORITY, timeToLiveSecs: 0, routeName: 'business' },
    ]);
  });

  test('a condition that does not compile leaves its route out and the others working', () => {
    const router = routerOf({
      broken: 'FROM /messages/* WHERE temp > 50 INTO $upstream',
      fine: 'FROM /messages/* WHERE as_number(temp) > 50 INTO $upstream',
    });
    expect(router.problems).toMatchObject([{ routeName: 'broken', code: 'CONDITION_TYPE' }]);
    expect(router.route({ ...MESSAGE, properties: { Temp: '51' } }).map((d) => d.routeName)).toEqual(['fine']);
    expect(router.route({ ...MESSAGE, properties: { Temp: '50' } })).toEqual([]);
  });

  test('the body is parsed once for all routes', () => {
    const router = routerOf({
      a: 'FROM /messages/* WHERE $body.n = 4 INTO BrokeredEndpoint("/modules/A/inputs/i")',
      b: 'FROM /messages/* WHERE $body.n = 3 INTO BrokeredEndpoint("/modules/B/inputs/i")',
    });
    let reads = 0;
    const message = Object.defineProperty({ ...MESSAGE }, 'body', {
      get: () => {
        reads += 1;
        return MESSAGE.body;
      },
    });
    expect(router.route(message).map((d) => d.routeName)).toEqual(['b']);
    expect(reads).toBe(1);
  });

  test.each([
    ['utf-16', Buffer.from('{"n":3}', 'utf16le'), 1],
    ['utf-32', Buffer.from(Uint32Array.from('{"n":3}', (c) => c.charCodeAt(0)).buffer), 1],
    ['latin1', Buffer.from('{"n":3}'), 0],
    ['utf-8', Buffer.from('[3]'), 0],
    ['utf-8', Buffer.from('{"n":3'), 0],
  ])('reads a body in %s', (contentEncoding, body, matches) => {
    const router = routerOf({ a: 'FROM /messages/* WHERE $body.n = 3 INTO $upstream' });
    const systemProperties = { ...MESSAGE.systemProperties, contentEncoding };
    expect(router.route({ ...MESSAGE, systemProperties, body })).toHaveLength(matches);
  });

  test('names of the prototype are no properties', () => {
    const router = routerOf({
      a: 'FROM /messages/* WHERE is_defined(constructor) INTO $upstream',
      b: 'FROM /messages/* WHERE $body.toString != null INTO $upstream',
    });
    expect(router.problems).toMatchObject([]);
    expect(router.route(MESSAGE)).toEqual([]);
  });
});

describe('parseEdgeHubConfig', () => {
  const store = { timeToLiveSecs: 1 };
  test.each([
    [null, 'EDGEHUB_CONFIG'],
    [{}, 'EDGEHUB_SCHEMA_VERSION'],
    [{ schemaVersion: '1.4', routes: {}, storeAndForwardConfiguration: store }, 'EDGEHUB_SCHEMA_VERSION'],
    [{ schemaVersion: '1.1', storeAndForwardConfiguration: store }, 'EDGEHUB_CONFIG'],
    [{ schemaVersion: '1.1', routes: {} }, 'EDGEHUB_CONFIG'],
    [{ schemaVersion: '1.0', routes: { a: { route: 'FROM /* INTO $upstream' } } }, 'EDGEHUB_CONFIG'],
    [
      { schemaVersion: '1.1', routes: { a: 'FROM /* INTO nowhere' }, storeAndForwardConfiguration: store },
      'EDGEHUB_CONFIG',
    ],
    [
      {
        schemaVersion: '1.1',
        routes: { a: { route: 'FROM /* INTO $upstream', timeToLiveSecs: -1 } },
        storeAndForwardConfiguration: store,
      },
      'EDGEHUB_CONFIG',
    ],
  ])('rejects %j', (desired, code) => {
    expect(() => parseEdgeHubConfig(desired)).toThrow(expect.objectContaining({ code }));
  });

  test('says where', () => {
    expect(() =>
      parseEdgeHubConfig({
        schemaVersion: '1.1',
        routes: { a: 'FROM /* WHERE a == b INTO $upstream' },
        storeAndForwardConfiguration: store,
      }),
    ).toThrow(/^routes\.a: an expression expected, found '=' \(column 18\)$/);
  });
});
