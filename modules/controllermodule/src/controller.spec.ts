/* eslint-disable @typescript-eslint/no-explicit-any -- tests write what types forbid */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { INPUTS, MODULES, OUTPUTS, type ConfigurationStatusMessage } from '@vantage/contracts';
import { FakeEdgeModule } from '@vantage/edge-client';
import { createLogger } from '@vantage/observability';
import { Controller } from './controller.ts';
import { lastGoodIn } from './last-good.ts';

const SECRET = 'S3cret-Value';

type Components = ReturnType<typeof components>;

function twin(change: (value: Components) => void = () => undefined) {
  const value = components();
  change(value);
  return { azdaConfiguration: { platform: 'DeepStream', components: value } };
}

function components() {
  return {
    logLevel: 'warning',
    sensors: ['cam1', 'cam2'].map((name) => ({
      name,
      endpoint: `rtsp://host/${name}`,
      regionsOfInterest: [] as unknown[],
    })),
    deepStream: {
      enable: true,
      pipelineConfigs: [{ id: 'People', primaryModelConfigPath: 'p.txt' }],
      streams: ['cam1', 'cam2'].map((name) => ({ name, uname: 'admin', password: SECRET, configId: 'People' })),
    },
    businessLogicConfig: {},
  };
}

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vantage-controller-'));
  lines = [];
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

/** A controller with its own life: the folder is what it shares with the one before and after it. */
async function run(desired: Record<string, unknown>) {
  const edge = new FakeEdgeModule({ desired });
  const logger = createLogger({ module: 'test', destination: { write: (line) => void lines.push(line) } });
  await new Controller({ edge, logger, lastGood: lastGoodIn(folder) }).start();
  const configuration = () => edge.twin.reported['configuration'] as Record<string, any>;
  const handled = (version: number) => edge.waitFor(() => configuration()?.['version'] === version);
  const published = () =>
    edge.sent
      .filter((message) => message.output === OUTPUTS.deepStream)
      .map(({ body, properties }) => ({ body: JSON.parse(body) as unknown, ...properties }));
  return { edge, logger, configuration, handled, published };
}

describe('skills', () => {
  const skill = (model: string) => ({
    id: 'watch',
    nodes: [
      { id: '0', type: 'source', name: 'rtsp' },
      { id: '1', type: 'model', name: model },
      { id: '2', type: 'export', name: 'iothub_export' },
    ],
    edges: [
      { source: { node: '0' }, target: { node: '1' } },
      { source: { node: '1' }, target: { node: '2' } },
    ],
    instances: [{ id: 'door', sensors: ['cam1'] }],
  });
  const models = [{ name: 'people', configFile: 'p.txt' }];

  test('are passed on beside pipelines, or without any', async () => {
    const { sensors } = components();
    const { handled, published, configuration } = await run({
      azdaConfiguration: { platform: 'DeepStream', components: { sensors, models, skills: [skill('people')] } },
    });
    await handled(1);
    expect(configuration()).toMatchObject({ status: 'applied', errors: [], warnings: [] });
    expect(published()[0]!.body).toEqual({ sensors, models, skills: [skill('people')] });
  });

  test('a mistake inside of one is reported with its path and node; the rest is applied', async () => {
    const desired = twin((value) => Object.assign(value, { models, skills: [skill('poeple')] }));
    const { handled, configuration } = await run(desired);
    await handled(1);
    expect(configuration()).toMatchObject({
      status: 'applied-with-errors',
      errors: [
        { path: 'components.skills[0].nodes[1]', message: expect.stringMatching(/^node "1": there is no model/) },
      ],
    });
  });

  test('where mistakes leave nothing to run, what ran before is kept', async () => {
    const { edge, handled, published, configuration } = await run(twin());
    await handled(1);
    const broken = twin((value) => {
      Object.assign(value, { skills: [skill('nobody')] });
      value.deepStream = { enable: true, pipelineConfigs: [], streams: [] };
    });
    edge.patchDesired(broken);
    await handled(2);
    expect(configuration()).toMatchObject({ status: 'rejected', activeVersion: 1 });
    expect(published()).toHaveLength(1);
  });
});

describe('a good twin', () => {
  test('is published as it is at start, with its version beside the body (scenario 2)', async () => {
    const { handled, published, configuration, logger } = await run(twin());
    await handled(1);
    expect(published()).toEqual([{ body: components(), configurationVersion: '1', configurationReason: 'started' }]);
    expect(configuration()).toEqual({ version: 1, status: 'applied', activeVersion: 1, errors: [], warnings: [] });
    expect(logger.level).toBe('warning');
  });

  test('is published again when it changes, arrays replaced', async () => {
    const { edge, handled, published } = await run(twin());
    await handled(1);
    const less = twin((value) => void value.deepStream.streams.pop());
    edge.patchDesired(less);
    await handled(2);
    expect(published()[1]).toEqual({
      body: less.azdaConfiguration.components,
      configurationVersion: '2',
      configurationReason: 'changed',
    });
  });

  test('switched off and on (scenario 13)', async () => {
    const { edge, handled, published, configuration } = await run(twin((value) => (value.deepStream.enable = false)));
    await handled(1);
    edge.patchDesired({ azdaConfiguration: { components: { deepStream: { enable: true } } } });
    await handled(2);
    expect(configuration()['status']).toBe('applied');
    expect(published().map(({ body }) => (body as ReturnType<typeof components>).deepStream.enable)).toEqual([
      false,
      true,
    ]);
  });
});

describe('a twin with mistakes', () => {
  test.each([
    ['unknown config (scenario 10)', (stream: any) => (stream.configId = 'Nope'), 'configId'],
    ['unknown sensor (scenario 12)', (stream: any) => (stream.name = 'cam9'), 'name'],
  ])('%s: the other stream is published, the report names the path', async (_name, change, key) => {
    const { handled, published, configuration } = await run(twin((value) => change(value.deepStream.streams[0])));
    await handled(1);
    expect((published()[0]?.body as ReturnType<typeof components>).deepStream.streams).toEqual([
      components().deepStream.streams[1],
    ]);
    expect(configuration()).toMatchObject({
      status: 'applied-with-errors',
      errors: [{ path: `components.deepStream.streams[0].${key}`, message: expect.any(String) }],
    });
  });

  test.each([
    ['text', { azdaConfiguration: 'x' }],
    ['a former platform', { azdaConfiguration: { platform: 'Percept' } }],
    [
      'empty lists',
      { azdaConfiguration: { components: { sensors: [], deepStream: { streams: [], pipelineConfigs: [] } } } },
    ],
    ['nothing', { azdaConfiguration: null }],
  ])('%s: rejected, what ran before stays and is what consumers get', async (_name, patch) => {
    const { edge, handled, published, configuration } = await run(twin());
    await handled(1);
    edge.patchDesired(patch);
    await handled(2);
    expect(configuration()).toMatchObject({ version: 2, status: 'rejected', activeVersion: 1 });
    expect(configuration()['errors'].length).toBeGreaterThan(0);
    expect(published()).toHaveLength(1);
    expect((await edge.invoke('republish')).payload).toEqual({ version: 1 });
    expect(published()[1]).toEqual({ body: components(), configurationVersion: '1', configurationReason: 'requested' });
  });

  test('without any good one before, nothing is published', async () => {
    const { edge, handled, published, configuration } = await run({});
    await handled(1);
    expect(configuration()).toMatchObject({ status: 'rejected', errors: [{ path: 'components' }] });
    expect(await edge.invoke('republish')).toEqual({ status: 200, payload: { version: null } });
    expect(published()).toEqual([]);
  });
});

describe('the last good configuration', () => {
  test('survives a restart with a bad twin', async () => {
    await (await run(twin())).handled(1);
    const second = await run({ azdaConfiguration: [] });
    await second.handled(1);
    expect(second.configuration()).toMatchObject({ status: 'rejected', activeVersion: 1 });
    expect(second.published()).toEqual([
      { body: components(), configurationVersion: '1', configurationReason: 'started' },
    ]);
  });

  test('is for its owner only, because it holds passwords', async () => {
    await (await run(twin())).handled(1);
    const file = path.join(folder, 'controllermodule.last-good.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(SECRET);
  });

  test.each(['', '{"version":1,"compo', '[]', '{"version":"1","components":{}}'])(
    'damaged (%j): the twin decides alone',
    async (text) => {
      writeFileSync(path.join(folder, 'controllermodule.last-good.json'), text);
      const { handled, published } = await run(twin());
      await handled(1);
      expect(published()).toHaveLength(1);
    },
  );

  test('a folder that cannot be written: it runs all the same and says so', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const edge = new FakeEdgeModule({ desired: twin() });
    const logger = createLogger({ module: 'test', destination: { write: (line) => void lines.push(line) } });
    await new Controller({ edge, logger, lastGood: lastGoodIn(path.join(folder, 'file')) }).start();
    await edge.waitFor(() => edge.sentTo(OUTPUTS.deepStream).length === 1);
    expect(lines.join('')).toContain('cannot be saved');
  });
});

describe('consumers', () => {
  const status = (change: Partial<ConfigurationStatusMessage> = {}): ConfigurationStatusMessage => ({
    module: MODULES.aiPipeline,
    configurationVersion: 1,
    status: 'applied',
    errors: [],
    ...change,
  });

  test('one that has just started gets the configuration once more', async () => {
    const { edge, handled, published } = await run(twin());
    await handled(1);
    edge.deliver(INPUTS.configurationStatus, status({ configurationVersion: null, status: 'starting' }));
    await edge.waitFor(() => published().length === 2);
    expect(published()[1]).toEqual({ body: components(), configurationVersion: '1', configurationReason: 'requested' });
  });

  test('what each confirmed is reported, without credentials', async () => {
    const { edge, handled } = await run(twin());
    await handled(1);
    const errors = [{ path: 'People', message: `cannot open rtsp://admin:${SECRET}@host/1` }];
    edge.deliver(INPUTS.configurationStatus, status({ status: 'applied-with-errors', errors }));
    edge.deliver(INPUTS.configurationStatus, status({ module: MODULES.businessLogic }));
    await edge.waitFor(() => Object.keys((edge.twin.reported['modules'] as object | undefined) ?? {}).length === 2);
    expect(edge.twin.reported['modules']).toEqual({
      'ai-pipeline': {
        version: 1,
        status: 'applied-with-errors',
        errors: [{ path: 'People', message: 'cannot open rtsp://***@host/1' }],
      },
      BusinessLogicModule: { version: 1, status: 'applied', errors: [] },
    });
  });

  test('a credential at the place where a long message is cut', async () => {
    const { edge, handled } = await run(twin());
    await handled(1);
    const message = `${'x'.repeat(220)} rtsp://admin:${SECRET}@host/1`;
    edge.deliver(INPUTS.configurationStatus, status({ errors: [{ path: '', message }] }));
    await edge.waitFor(() => edge.twin.reported['modules'] !== undefined);
    expect(JSON.stringify(edge.twin.reported)).not.toContain(SECRET.slice(0, 4));
  });

  test.each(['not json', '{}', '{"module":"a.b","configurationVersion":1,"status":"applied","errors":[]}'])(
    'nonsense is ignored: %s',
    async (body) => {
      const { edge, handled } = await run(twin());
      await handled(1);
      edge.deliver(INPUTS.configurationStatus, body);
      edge.deliver(INPUTS.configurationStatus, status());
      await edge.waitFor(() => edge.twin.reported['modules'] !== undefined);
      expect(Object.keys(edge.twin.reported['modules'] as object)).toEqual(['ai-pipeline']);
    },
  );

  test('strangers cannot fill the reported properties', async () => {
    const { edge, handled } = await run(twin());
    await handled(1);
    for (let index = 0; index < 40; index += 1)
      edge.deliver(INPUTS.configurationStatus, status({ module: `m${index}` }));
    edge.deliver(INPUTS.configurationStatus, status({ module: 'm0', configurationVersion: 9 }));
    await edge.waitFor(() => (edge.twin.reported['modules'] as any)?.m0?.version === 9);
    expect(Object.keys(edge.twin.reported['modules'] as object)).toHaveLength(16);
  });
});

test('credentials of the twin appear neither in the log nor in what is reported', async () => {
  const leaky = twin((value) => {
    value.sensors[0]!.endpoint = `htp://admin:${SECRET}@host`;
    value.deepStream.streams.push({
      name: SECRET.length as unknown as string,
      uname: SECRET,
      password: SECRET,
      configId: 'x',
    });
  });
  const { edge, handled, published, configuration } = await run(leaky);
  await handled(1);
  expect(published()).toHaveLength(1);
  expect(configuration()['errors']).toHaveLength(3);
  expect(lines.length).toBeGreaterThan(2);
  expect(JSON.stringify([edge.reports, lines])).not.toContain(SECRET);
});

test('a long list of mistakes stays within what a twin can hold', async () => {
  const { handled, configuration } = await run(
    twin((value) => value.sensors.push(...Array.from({ length: 200 }, () => ({}) as (typeof value.sensors)[number]))),
  );
  await handled(1);
  expect(configuration()['errors']).toHaveLength(16);
  expect(configuration()['errors'][15].message).toMatch(/^1\d\d more/);
  expect(JSON.stringify(configuration()).length).toBeLessThan(16_000);
});

test('the default twin is a good one', async () => {
  const text = readFileSync(new URL('../twin.default.json', import.meta.url), 'utf8');
  const { handled, configuration } = await run(JSON.parse(text) as Record<string, unknown>);
  await handled(1);
  expect(configuration()).toMatchObject({ status: 'applied', errors: [], warnings: [] });
});
