import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, openModule, openRegistry, startRuntime } from './harness.ts';

afterEach(cleanUp);

interface TwinAnswer {
  responseBody: { etag: string; tags: object; properties: { desired: Record<string, unknown>; reported: object } };
}

const twinOf = (answer: unknown): TwinAnswer['responseBody'] => (answer as TwinAnswer).responseBody;

const CONTENT = {
  $edgeAgent: {
    'properties.desired': {
      schemaVersion: '1.1',
      runtime: { type: 'docker', settings: {} },
      systemModules: {},
      modules: { cam: { type: 'docker', status: 'stopped', restartPolicy: 'always', settings: { image: 'cam:1' } } },
    },
  },
  $edgeHub: {
    'properties.desired': {
      schemaVersion: '1.1',
      routes: { up: 'FROM /messages/* INTO $upstream' },
      storeAndForwardConfiguration: { timeToLiveSecs: 60 },
    },
    'properties.desired.routes.more': 'FROM /messages/modules/cam/* INTO $upstream',
  },
  cam: { 'properties.desired': { fps: 5 } },
};

describe('the unmodified azure-iothub Registry', () => {
  test('reads and patches a module twin, by ETag or star', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const device = runtime.deviceId;
    await registry.addModule({ deviceId: device, moduleId: 'a' });
    const first = twinOf(await registry.getModuleTwin(device, 'a'));
    expect(first.properties.desired).toMatchObject({ $version: 1 });

    const patch = { properties: { desired: { list: [1, 2], o: { x: 1, y: 2 } } }, tags: { site: 'north' } };
    const second = twinOf(await registry.updateModuleTwin(device, 'a', patch, first.etag));
    expect(second.properties.desired).toMatchObject({ list: [1, 2], o: { x: 1, y: 2 }, $version: 2 });
    expect(second.tags).toEqual({ site: 'north' });

    await expect(registry.updateModuleTwin(device, 'a', patch, first.etag)).rejects.toMatchObject({
      name: 'InvalidEtagError',
    });
    const merge = { properties: { desired: { list: [9], o: { x: null } } } };
    const third = twinOf(await registry.updateModuleTwin(device, 'a', merge, '*'));
    expect(third.properties.desired).toMatchObject({ list: [9], o: { y: 2 }, $version: 3 });
    await expect(
      registry.updateModuleTwin(device, 'a', { properties: { desired: { 'a b': 1 } } }, '*'),
    ).rejects.toThrow('contains invalid character');
    await expect(registry.getModuleTwin(device, 'none')).rejects.toMatchObject({ name: 'DeviceNotFoundError' });
  });

  test('a change reaches a connected module', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const twin = await (await openModule(runtime, 'a')).getTwin();
    const heard = new Promise<unknown>((resolve) => {
      twin.on('properties.desired', (patch: { zone?: unknown }) => {
        if (patch.zone !== undefined) resolve(patch);
      });
    });
    await registry.updateModuleTwin(runtime.deviceId, 'a', { properties: { desired: { zone: [0, 1] } } }, '*');
    expect(await heard).toMatchObject({ zone: [0, 1], $version: 2 });
  });

  test('applies a deployment, which replaces desired properties and the list of modules', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const device = runtime.deviceId;
    await registry.applyConfigurationContentOnDevice(device, { modulesContent: CONTENT });
    expect(runtime.twin('cam')).toMatchObject({ desired: { fps: 5 }, desiredVersion: 2 });
    expect(Object.keys(runtime.twin('$edgeHub').desired['routes'] as object)).toEqual(['up', 'more']);
    const modules = (await registry.getModulesOnDevice(device)) as unknown as { responseBody: { moduleId: string }[] };
    expect(modules.responseBody.map(({ moduleId }) => moduleId).sort()).toEqual(['$edgeAgent', '$edgeHub', 'cam']);
    expect(runtime.twin('$edgeAgent').reported).toMatchObject({
      lastDesiredVersion: runtime.twin('$edgeAgent').desiredVersion,
      lastDesiredStatus: { code: 200 },
      modules: { cam: { runtimeStatus: 'stopped', settings: { image: 'cam:1' } } },
    });

    const without = structuredClone<unknown>(CONTENT) as Record<string, Record<string, { modules: object }>>;
    without['$edgeAgent']!['properties.desired']!.modules = {};
    delete without['cam'];
    await registry.applyConfigurationContentOnDevice(device, { modulesContent: without });
    await expect(registry.getModule(device, 'cam')).rejects.toThrow();
    await registry.applyConfigurationContentOnDevice(device, { modulesContent: CONTENT });
    // A module made again goes on counting: edge hubs ignore patches with an older version.
    expect(runtime.twin('cam').desiredVersion).toBe(3);
  });

  test('is told what is wrong with a deployment, and nothing of it is applied', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const bad = structuredClone<unknown>(CONTENT) as Record<string, Record<string, { routes: unknown }>>;
    bad['$edgeHub']!['properties.desired']!.routes = { r: 'FROM nowhere' };
    await expect(
      registry.applyConfigurationContentOnDevice(runtime.deviceId, { modulesContent: bad }),
    ).rejects.toMatchObject({ name: 'ArgumentError', message: expect.stringContaining('$edgeHub') });
    expect(runtime.twin('$edgeAgent').desired).toEqual({});
  });

  test('makes, lists and removes devices and modules, with keys of their own', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    await registry.create({ deviceId: 'leaf' });
    await expect(registry.create({ deviceId: 'leaf' })).rejects.toMatchObject({ name: 'DeviceAlreadyExistsError' });
    const device = (
      (await registry.get('leaf')) as unknown as {
        responseBody: { authentication: { symmetricKey: { primaryKey: string } } };
      }
    ).responseBody;
    expect(Buffer.from(device.authentication.symmetricKey.primaryKey, 'base64')).toHaveLength(32);
    const list = ((await registry.list()) as unknown as { responseBody: { deviceId: string }[] }).responseBody;
    expect(list.map(({ deviceId }) => deviceId)).toEqual([runtime.deviceId, 'leaf']);
    await registry.delete('leaf');
    await expect(registry.get('leaf')).rejects.toMatchObject({ name: 'DeviceNotFoundError' });
  });
});
