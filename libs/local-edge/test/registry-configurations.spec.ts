import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, openRegistry, startRuntime } from './harness.ts';
import { bodyOf } from './registry-client.ts';

afterEach(cleanUp);

const agent = (modules: object): object => ({
  schemaVersion: '1.1',
  runtime: { type: 'docker', settings: {} },
  systemModules: {},
  modules,
});
const module = (image: string): object => ({
  type: 'docker',
  status: 'stopped',
  restartPolicy: 'never',
  settings: { image },
});
const hub = {
  schemaVersion: '1.1',
  routes: { up: 'FROM /messages/* INTO $upstream' },
  storeAndForwardConfiguration: { timeToLiveSecs: 60 },
};

const base = (id: string, priority: number, image: string, targetCondition = "tags.site = 'a'") => ({
  id,
  schemaVersion: '2.0',
  priority,
  targetCondition,
  content: {
    modulesContent: {
      $edgeAgent: { 'properties.desired': agent({ cam: module(image) }) },
      $edgeHub: { 'properties.desired': hub },
      cam: { 'properties.desired': { fps: 5, size: { w: 1, h: 2 } } },
    },
  },
});
const layer = (id: string, priority: number, modulesContent: object) => ({
  ...base(id, priority, ''),
  content: { modulesContent },
});

interface Report {
  etag: string;
  systemMetrics: { results: Record<string, number> };
  metrics: { results: Record<string, number> };
}

describe('automatic deployments', () => {
  test('target, win by priority, merge layers, count, and let go', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const fleet = ['e1', 'e2', 'e3'];
    for (const deviceId of fleet) await registry.create({ deviceId, capabilities: { iotEdge: true } });
    await registry.updateTwin('e1', { tags: { site: 'a' } }, '*');
    await registry.updateTwin('e2', { tags: { site: 'a' } }, '*');
    await registry.addConfiguration(base('low', 10, 'cam:1'));
    await runtime.configurationsSettled();
    const imageOf = async (deviceId: string): Promise<unknown> => {
      const { properties } = await bodyOf<{
        properties: { desired: { modules?: { cam?: { settings: { image: string } } } } };
      }>(registry.getModuleTwin(deviceId, '$edgeAgent'));
      return properties.desired.modules?.cam?.settings.image;
    };
    expect(await Promise.all(fleet.map(imageOf))).toEqual(['cam:1', 'cam:1', undefined]);

    const metrics = { queries: { fast: 'SELECT deviceId FROM devices.modules WHERE properties.desired.fps > 4' } };
    await registry.addConfiguration({ ...base('high', 20, 'cam:2'), metrics, labels: { team: 'x' } });
    await runtime.configurationsSettled();
    expect(await Promise.all(fleet.map(imageOf))).toEqual(['cam:2', 'cam:2', undefined]);
    expect((await bodyOf<{ configurations: object }>(registry.getTwin('e1'))).configurations).toEqual({
      high: { status: 'Applied' },
      low: { status: 'Targeted' },
    });
    expect(await bodyOf<Report>(registry.getConfiguration('high'))).toMatchObject({
      labels: { team: 'x' },
      systemMetrics: {
        results: { targetedCount: 2, appliedCount: 2, reportedSuccessfulCount: 0, reportedFailedCount: 0 },
      },
      metrics: { results: { fast: 2 } },
    });

    // A layer below the base does nothing; those above lie on it in the order of their priorities.
    await registry.addConfiguration(layer('below', 15, { cam: { 'properties.desired.fps': 1 } }) as never);
    await registry.addConfiguration(
      layer('add', 30, {
        $edgeAgent: { 'properties.desired.modules.extra': module('extra:1') },
        $edgeHub: { 'properties.desired.routes.more': 'FROM /messages/modules/extra/* INTO $upstream' },
        cam: { 'properties.desired.size.w': 9 },
        extra: { 'properties.desired': { a: 1 } },
      }) as never,
    );
    await registry.addConfiguration(layer('over', 40, { extra: { 'properties.desired': { b: 2 } } }) as never);
    await runtime.configurationsSettled();
    const desiredOf = async (moduleId: string): Promise<Record<string, unknown>> => {
      const { properties } = await bodyOf<{ properties: { desired: Record<string, unknown> } }>(
        registry.getModuleTwin('e1', moduleId),
      );
      return Object.fromEntries(Object.entries(properties.desired).filter(([key]) => !key.startsWith('$')));
    };
    expect(await desiredOf('cam')).toEqual({ fps: 5, size: { w: 9, h: 2 } });
    expect(await desiredOf('extra')).toEqual({ b: 2 });
    expect(Object.keys((await desiredOf('$edgeHub'))['routes'] as object)).toEqual(['up', 'more']);
    expect(Object.keys((await desiredOf('$edgeAgent'))['modules'] as object)).toEqual(['cam', 'extra']);

    // What is no longer meant for a device goes; its last deployment stays.
    for (const id of ['below', 'add', 'over', 'high']) await registry.removeConfiguration(id);
    await runtime.configurationsSettled();
    expect(await imageOf('e1')).toBe('cam:1');
    await expect(registry.getModuleTwin('e1', 'extra')).rejects.toMatchObject({ name: 'DeviceNotFoundError' });
    await registry.updateTwin('e2', { tags: { site: 'b' } }, '*');
    await runtime.configurationsSettled();
    expect((await bodyOf<{ configurations?: object }>(registry.getTwin('e2'))).configurations).toBeUndefined();
    expect(await imageOf('e2')).toBe('cam:1');
  });

  test('reach the edge device of the runtime, whose agent reports; set-modules stays until another one comes', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const own = base('own', 1, 'cam:1', `deviceId = '${runtime.deviceId}'`);
    await registry.addConfiguration(own);
    await runtime.configurationsSettled();
    expect(runtime.modules().map(({ id }) => id)).toEqual(['cam']);
    expect((await bodyOf<Report>(registry.getConfiguration('own'))).systemMetrics.results).toEqual({
      targetedCount: 1,
      appliedCount: 1,
      reportedSuccessfulCount: 1,
      reportedFailedCount: 0,
    });
    const { modulesContent } = base('x', 1, 'cam:9').content;
    await registry.applyConfigurationContentOnDevice(runtime.deviceId, { modulesContent });
    await runtime.configurationsSettled();
    const imageNow = (): unknown =>
      (runtime.twin('$edgeAgent').desired['modules'] as { cam: { settings: { image: string } } }).cam.settings.image;
    expect(imageNow()).toBe('cam:9');
    expect((await bodyOf<Report>(registry.getConfiguration('own'))).systemMetrics.results).toMatchObject({
      targetedCount: 1,
      appliedCount: 0,
    });
    await registry.addConfiguration({ ...base('next', 2, 'cam:3', '*') });
    await runtime.configurationsSettled();
    expect(imageNow()).toBe('cam:3');
  });

  test('survive a restart, and apply nothing twice', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    await registry.addConfiguration(base('own', 1, 'cam:1', '*'));
    await runtime.configurationsSettled();
    const { desiredVersion } = runtime.twin('$edgeAgent');
    await runtime.stop();
    await runtime.start();
    await runtime.configurationsSettled();
    expect(runtime.twin('$edgeAgent').desiredVersion).toBe(desiredVersion);
    const again = await openRegistry(runtime);
    expect((await bodyOf<Report>(again.getConfiguration('own'))).systemMetrics.results).toMatchObject({
      appliedCount: 1,
    });
  });
});

test('device and module configurations set their paths, the highest priority each', async () => {
  const runtime = await startRuntime();
  const registry = await openRegistry(runtime);
  await registry.create({ deviceId: 'd' });
  await registry.addModule({ deviceId: 'd', moduleId: 'm' });
  await registry.updateTwin('d', { properties: { desired: { keep: 1 } } }, '*');
  const settings = (id: string, priority: number, content: object, targetCondition = "deviceId = 'd'") =>
    registry.addConfiguration({ id, priority, targetCondition, content } as never);
  await settings('one', 1, { deviceContent: { 'properties.desired.fan.speed': 1, 'properties.desired.mode': 'slow' } });
  await settings('two', 2, { deviceContent: { 'properties.desired.fan.speed': 2 } });
  await settings(
    'mod',
    1,
    { moduleContent: { 'properties.desired.x': 3 } },
    "FROM devices.modules WHERE moduleId = 'm'",
  );
  await runtime.configurationsSettled();
  const twin = await bodyOf<{ configurations: object; properties: { desired: object } }>(registry.getTwin('d'));
  expect(twin.properties.desired).toMatchObject({ keep: 1, fan: { speed: 2 }, mode: 'slow' });
  expect(twin.configurations).toEqual({ one: { status: 'Applied' }, two: { status: 'Applied' } });
  expect(await bodyOf(registry.getModuleTwin('d', 'm'))).toMatchObject({
    properties: { desired: { x: 3 } },
    configurations: { mod: { status: 'Applied' } },
  });
});

test('are listed, updated by ETag, removed, and refused with what is wrong', async () => {
  const runtime = await startRuntime();
  const registry = await openRegistry(runtime);
  const one = base('one', 1, 'cam:1', '');
  const added = await bodyOf<Report>(registry.addConfiguration(one));
  await expect(registry.addConfiguration(one as never)).rejects.toMatchObject({ name: 'DeviceAlreadyExistsError' });
  await expect(registry.updateConfiguration({ ...one, priority: 5, etag: 'x' })).rejects.toMatchObject({
    name: 'InvalidEtagError',
  });
  const updated = await bodyOf<Report>(registry.updateConfiguration({ ...one, priority: 5, etag: added.etag }));
  expect(updated).toMatchObject({ priority: 5, targetCondition: '', systemMetrics: { results: { targetedCount: 0 } } });
  await registry.updateConfiguration({ ...one, priority: 6 }, true);
  expect((await bodyOf<unknown[]>(registry.getConfigurations())).length).toBe(1);

  const refused: [change: object, reason: string][] = [
    [{ id: 'Upper' }, 'lower-case'],
    [{ id: 'two', targetCondition: 'tags.site =' }, 'targetCondition: column 12'],
    [{ id: 'two', targetCondition: "FROM devices.modules WHERE moduleId = 'm'" }, 'moduleContent'],
    [{ id: 'two', priority: -1 }, 'priority'],
    [{ id: 'two', metrics: { queries: { m: 'SELECT' } } }, 'metrics.queries.m: column 7'],
    [{ id: 'two', content: { modulesContent: { $edgeAgent: { 'properties.desired': {} } } } }, '$edge'],
    [{ id: 'two', content: { modulesContent: { cam: { 'desired.x': 1 } } } }, 'properties.desired'],
    [{ id: 'two', content: { deviceContent: { a: 1 }, moduleContent: { b: 1 } } }, 'more than one'],
  ];
  for (const [change, reason] of refused) {
    await expect(registry.addConfiguration({ ...one, ...change })).rejects.toMatchObject({
      name: 'ArgumentError',
      message: expect.stringContaining(reason) as unknown,
    });
  }
  const content = base('one', 1, 'cam:2').content;
  await expect(registry.updateConfiguration({ ...one, content }, true)).rejects.toThrow('cannot be changed');
  await registry.removeConfiguration('one');
  await expect(registry.getConfiguration('one')).rejects.toThrow();
});
