import { describe, expect, test } from '@jest/globals';
import { parseEdgeHubConfig } from './edgehub-config.ts';

function config(routes: Record<string, unknown>, schemaVersion: unknown = '1.1'): Record<string, unknown> {
  return { schemaVersion, routes, storeAndForwardConfiguration: { timeToLiveSecs: 7200 } };
}

describe('$edgeHub desired properties', () => {
  const route = 'FROM /* INTO $upstream';
  test.each([
    ['1.0', { r: { route } }],
    ['1.1', { r: { route, priority: 10 } }],
    ['1.1', { r: { route, priority: -1 } }],
    ['1.1', { r: { route, priority: 1.5 } }],
    ['1.1', { r: { route, priority: '1' } }],
    ['1.1', { r: { route, timeToLiveSecs: -1 } }],
    ['1.1', { r: { route, timeToLiveSecs: 4_294_967_296 } }],
    ['1.1', { r: { priority: 1 } }],
    ['1.1', { r: 5 }],
    ['1.1', { r: null }],
    ['1.1', { '': route }],
    ['1.1', { good: route, bad: 'FROM' }],
  ])('schema %s refuses %j', (version, routes) => {
    expect(() => parseEdgeHubConfig(config(routes, version))).toThrow(
      expect.objectContaining({ code: 'EDGEHUB_CONFIG' }),
    );
  });

  test.each([['1'], ['0.9'], ['1.4'], ['2.0'], ['1.x'], ['1.1.1.1.1'], [''], [null], [{}]])(
    'schema version %j is refused',
    (version) => {
      expect(() => parseEdgeHubConfig(config({}, version))).toThrow(
        expect.objectContaining({ code: 'EDGEHUB_SCHEMA_VERSION' }),
      );
    },
  );

  test('from 1.1 on routes and storeAndForwardConfiguration are mandatory', () => {
    const noRoutes = { ...config({}), routes: undefined };
    const noStore = { ...config({}), storeAndForwardConfiguration: undefined };
    for (const desired of [noRoutes, noStore]) {
      expect(() => parseEdgeHubConfig(desired)).toThrow(expect.objectContaining({ code: 'EDGEHUB_CONFIG' }));
      expect(() => parseEdgeHubConfig({ ...desired, schemaVersion: '1.0' })).not.toThrow();
    }
  });

  test('a condition of wrong types passes, as in edgeHub, which only logs it', () => {
    expect(parseEdgeHubConfig(config({ r: 'FROM /* WHERE a > 3 INTO $upstream' })).routes).toHaveLength(1);
  });
});
