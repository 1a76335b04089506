/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- tests write what types forbid */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { streamUri, validateComponents, validateConfiguration, validateSensors } from '../src/index.ts';
import { changed, found, good, SQUARE } from './twin-fixture.ts';

describe('what is wrong is left out, the rest runs', () => {
  const S = 'components.deepStream.streams';
  const P = 'components.deepStream.pipelineConfigs';
  const rows: [string, (components: any) => void, string[], string[]][] = [
    ['a stream to an unknown sensor', (c) => (c.deepStream.streams[0].name = 'cam9'), [`${S}[0].name`], ['cam2']],
    [
      'a stream to an unknown config',
      (c) => (c.deepStream.streams[0].configId = 'Peple'),
      [`${S}[0].configId`],
      ['cam2'],
    ],
    ['a stream that is text', (c) => (c.deepStream.streams[0] = 'cam1'), [`${S}[0]`], ['cam2']],
    ['a stream without configId', (c) => delete c.deepStream.streams[0].configId, [`${S}[0].configId`], ['cam2']],
    ['a sensor that is null', (c) => c.sensors.push(null), ['components.sensors[2]'], ['cam1', 'cam2']],
    [
      'a sensor with a number for a name',
      (c) => c.sensors.push({ name: 7 }),
      ['components.sensors[2].name'],
      ['cam1', 'cam2'],
    ],
    [
      'a sensor named like a path',
      (c) => c.sensors.push({ name: '../x', endpoint: 'rtsp://h/1' }),
      ['components.sensors[2].name'],
      ['cam1', 'cam2'],
    ],
    [
      'a sensor whose clips no file system could name',
      (c) => c.sensors.push({ name: 'ü'.repeat(46), endpoint: 'rtsp://h/1' }),
      ['components.sensors[2].name'],
      ['cam1', 'cam2'],
    ],
    [
      'a bad endpoint',
      (c) => (c.sensors[0].endpoint = 'htp://x'),
      ['components.sensors[0].endpoint', `${S}[0].name`],
      ['cam2'],
    ],
    [
      'a dangerous endpoint',
      (c) => (c.sensors[0].endpoint = 'concat:/etc/passwd'),
      ['components.sensors[0].endpoint', `${S}[0].name`],
      ['cam2'],
    ],
    [
      'usb without a device',
      (c) => (c.sensors[0] = { name: 'cam1', kind: { subtype: 'usb' }, endpoint: 'rtsp://h' }),
      ['components.sensors[0].endpoint', `${S}[0].name`],
      ['cam2'],
    ],
    ['no endpoint and no passthrough', (c) => (c.sensors[0].endpoint = ''), [`${S}[0].name`], ['cam2']],
    ['a pipeline that is a list', (c) => c.deepStream.pipelineConfigs.push([]), [`${P}[1]`], ['cam1', 'cam2']],
    [
      'a pipeline with a broken crop',
      (c) =>
        c.deepStream.pipelineConfigs.push({
          id: 'B',
          pipelineOptions: { crop: { enable: true, x0: 5, x1: 4, y0: -1, y1: 1e9 } },
        }),
      [`${P}[1].pipelineOptions.crop.y0`, `${P}[1].pipelineOptions.crop.y1`],
      ['cam1', 'cam2'],
    ],
    [
      'a crop inside out',
      (c) =>
        c.deepStream.pipelineConfigs.push({
          id: 'B',
          pipelineOptions: { crop: { enable: true, x0: 5, x1: 4, y0: 0, y1: 1 } },
        }),
      [`${P}[1].pipelineOptions.crop.x1`],
      ['cam1', 'cam2'],
    ],
    [
      'a crop without corners',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', pipelineOptions: { crop: { enable: true, x0: 5, x1: 9 } } }),
      [`${P}[1].pipelineOptions.crop.y0`, `${P}[1].pipelineOptions.crop.y1`],
      ['cam1', 'cam2'],
    ],
    [
      'dewarp without a file',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', pipelineOptions: { dewarp: { enable: true } } }),
      [`${P}[1].pipelineOptions.dewarp.config_file`],
      ['cam1', 'cam2'],
    ],
    [
      'a secondary without a primary',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', secondaryModelConfigPaths: 's' }),
      [`${P}[1].secondaryModelConfigPaths`],
      ['cam1', 'cam2'],
    ],
    [
      'a tracker without a primary',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', trackerConfigPath: 'light-tracker' }),
      [`${P}[1].trackerConfigPath`],
      ['cam1', 'cam2'],
    ],
    [
      'a zip from nowhere',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', unsecureZipUrl: 'ftp://x/y.zip' }),
      [`${P}[1].unsecureZipUrl`],
      ['cam1', 'cam2'],
    ],
    [
      'a digest that is none',
      (c) => c.deepStream.pipelineConfigs.push({ id: 'B', sha256: 'abc' }),
      [`${P}[1].sha256`],
      ['cam1', 'cam2'],
    ],
    [
      'businessLogicConfig that is a list',
      (c) => (c.businessLogicConfig = []),
      ['components.businessLogicConfig'],
      ['cam1', 'cam2'],
    ],
    [
      'regions that are an object',
      (c) => (c.sensors[0].regionsOfInterest = {}),
      ['components.sensors[0].regionsOfInterest'],
      ['cam1', 'cam2'],
    ],
    [
      'a flat region without a sensor',
      (c) => (c.regionsOfInterest = [{ coordinates: SQUARE }]),
      ['components.regionsOfInterest[0].sensor'],
      ['cam1', 'cam2'],
    ],
  ];
  test.each(rows)('%s', (_name, change, errors, streams) => {
    expect(found(changed(change))).toMatchObject({ errors, streams });
  });

  test.each(rows)('%s: what is published has no errors', (_name, change) => {
    const { result } = found(changed(change));
    expect(validateComponents(result.accepted)).toMatchObject({ errors: [], components: result.components });
  });

  const region = (coordinates: unknown) =>
    found(changed((c) => c.sensors[0].regionsOfInterest.unshift({ label: 'bad', coordinates })));
  test.each([
    ['no corners', [], 'coordinates'],
    [
      'two corners',
      [
        [0, 0],
        [1, 1],
      ],
      'coordinates',
    ],
    [
      'pixels',
      [
        [0, 0],
        [640, 0],
        [640, 480],
      ],
      'coordinates[1]',
    ],
    [
      'a negative corner',
      [
        [0, 0],
        [1, 0],
        [1, -0.1],
      ],
      'coordinates[2]',
    ],
    [
      'text',
      [
        [0, 0],
        [1, 0],
        ['1', 1],
      ],
      'coordinates[2][0]',
    ],
    [
      'not a number',
      [
        [0, 0],
        [1, 0],
        [Number.NaN, 1],
      ],
      'coordinates[2][0]',
    ],
    [
      'three parts',
      [
        [0, 0],
        [1, 0],
        [1, 1, 1],
      ],
      'coordinates[2]',
    ],
    ['no list', 'all', 'coordinates'],
  ])('a region with %s', (_name, coordinates, where) => {
    const { errors, result } = region(coordinates);
    expect(errors).toEqual([`components.sensors[0].regionsOfInterest[0].${where}`]);
    expect(result.components?.sensors[0]?.regionsOfInterest.map((item) => item.label)).toEqual(['door']);
    expect((result.accepted as any).sensors[0].regionsOfInterest).toHaveLength(1);
  });

  test('rounding beside the border is not outside', () => {
    expect(
      region([
        [-1e-9, 0],
        [1.0000000001, 0],
        [1, 1],
      ]).result.components?.sensors[0]?.regionsOfInterest[0]?.coordinates,
    ).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
  });
});

describe('warnings', () => {
  test('duplicate names: the last counts (B.1)', () => {
    const { warnings, errors, result } = found(
      changed((c) => {
        c.sensors.push({ name: 'cam1', endpoint: 'rtsp://host/other' });
        c.deepStream.pipelineConfigs.push({ id: 'People', primaryModelConfigPath: 'q.txt' });
        c.deepStream.streams.push({ name: 'cam2', configId: 'People', uname: 'u' });
      }),
    );
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      'components.sensors[0].name',
      'components.deepStream.pipelineConfigs[0].id',
      'components.deepStream.streams[1].name',
    ]);
    expect(result.components?.sensors.find((sensor) => sensor.name === 'cam1')?.endpoint).toBe('rtsp://host/other');
    expect(result.components?.pipelines.map((pipeline) => pipeline.primary?.configFile)).toEqual(['q.txt']);
    expect(result.components?.streams.find((stream) => stream.name === 'cam2')?.credentials).toEqual({
      username: 'u',
      password: '',
    });
  });

  test('unknown keys say what was meant', () => {
    const { result } = found(changed((c) => (c.deepStream.pipelineConfigs[0].trackerConfigFile = 'x')));
    expect(result.warnings).toEqual([
      {
        path: 'components.deepStream.pipelineConfigs[0].trackerConfigFile',
        message: 'unknown key "trackerConfigFile" is ignored. Did you mean "trackerConfigPath"?',
        severity: 'warning',
      },
    ]);
  });

  test('a pipeline without streams does not run', () => {
    const { result, warnings } = found(changed((c) => c.deepStream.pipelineConfigs.push({ id: 'Spare' })));
    expect(warnings).toEqual(['components.deepStream.pipelineConfigs']);
    expect(result.components?.pipelines.map((pipeline) => pipeline.id)).toEqual(['People']);
  });
});

describe('what cannot be used at all is rejected, so that what ran before stays', () => {
  test.each([
    ['null', null, ['']],
    ['text', 'hello', ['']],
    ['a list', [], ['']],
    ['nothing', undefined, ['']],
    ['an empty twin', { $version: 1 }, ['components']],
    ['azdaConfiguration as text', { azdaConfiguration: 'x' }, ['']],
    ['a former release', { azdaSkill: { components: {} } }, ['azdaSkill']],
    ['an unknown platform', changed((_, twin) => (twin.platform = 'Percept')), ['platform']],
    ['a platform that is a number', changed((_, twin) => (twin.platform = 3)), ['platform']],
    ['components as a list', { platform: 'DeepStream', components: [] }, ['components']],
    ['no deepStream', changed((c) => delete c.deepStream), ['components.deepStream']],
    ['enable as text', changed((c) => (c.deepStream.enable = 'false')), ['components.deepStream.enable']],
    [
      'empty lists',
      changed((c) => Object.assign(c, { sensors: [], deepStream: { enable: true, pipelineConfigs: [], streams: [] } })),
      [
        'components.sensors',
        'components.deepStream.pipelineConfigs',
        'components.deepStream.streams',
        'components.deepStream',
      ],
    ],
    [
      'lists that are objects',
      changed((c) => (c.deepStream.streams = {})),
      ['components.deepStream.streams', 'components.deepStream'],
    ],
  ])('%s', (_name, input, errors) => {
    const { result, errors: paths } = found(input);
    expect(paths).toEqual(errors);
    expect([result.components, result.accepted]).toEqual([undefined, undefined]);
  });

  test('depth and size are bounded', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 50_000; level += 1) deep = { deep };
    expect(validateConfiguration({ azdaConfiguration: deep }).errors[0]?.message).toContain('32 levels');
    const wide = changed((c) => (c.businessLogicConfig = { text: 'x'.repeat(3_000_000) }));
    expect(validateConfiguration(wide).errors[0]?.message).toContain('characters');
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(validateComponents(cyclic).errors[0]?.message).toContain('32 levels');
  });

  test('counts are bounded, and so are the issues', () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ name: `c${index}`, endpoint: 'rtsp://h/1' }));
    const { errors, result } = found(changed((c) => c.sensors.push(...many)));
    expect(errors).toEqual(['components.sensors']);
    expect(result.components?.sensors).toHaveLength(256);
    const bad = Array.from({ length: 250 }, () => ({}));
    expect(validateConfiguration(changed((c) => (c.sensors = bad))).errors).toHaveLength(201);
  });
});

describe('credentials', () => {
  test('are never quoted, wherever the mistake is', () => {
    const secret = 'S3cret-Value';
    const input = changed((c) => {
      c.sensors[0].endpoint = `htp://admin:${secret}@host/1`;
      c.sensors[1].endpoint = `admin:${secret}@host`;
      c.deepStream.streams[0] = { name: 'cam9', uname: secret, password: secret, configId: 'x' };
      c.deepStream.streams[1] = { name: 'cam2', uname: [secret], password: { secret }, configId: 'People' };
      c.deepStream.pipelineConfigs[0].unsecureZipUrl = `ftp://u:${secret}@h/x?sig=${secret}`;
      c.deepStream.pipelineConfigs[0].sha256 = secret;
    });
    const { errors, warnings } = validateConfiguration(input);
    expect(errors.length).toBeGreaterThan(6);
    expect(JSON.stringify([errors, warnings])).not.toContain(secret);
  });

  test.each([
    ['u', 'p', 'rtsp://h:554/x', 'rtsp://u:p@h:554/x'],
    ['a@b', 'p:/?#@', 'rtsp://h/x?y=1', 'rtsp://a%40b:p%3A%2F%3F%23%40@h/x?y=1'],
    ['new', 'n', 'rtsp://old:o@h/x', 'rtsp://new:n@h/x'],
    ['u', '', 'http://h/x', 'http://u@h/x'],
    ['', '', 'rtsp://old:o@h/x', 'rtsp://old:o@h/x'],
    ['u', 'p', 'file:///x.mp4', 'file:///x.mp4'],
    ['u', 'p', '/dev/video0', '/dev/video0'],
  ])('%s and %s join %s (scenario 33)', (uname, password, endpoint, expected) => {
    const { result } = found(
      changed((c) => {
        c.sensors[0].endpoint = endpoint;
        Object.assign(c.deepStream.streams[0], { uname, password });
      }),
    );
    expect(streamUri(result.components!.streams[0]!)).toBe(expected);
  });
});

describe('properties', () => {
  test('any JSON: no exception, and what is published can be published again unchanged', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        fc.constantFrom('sensors', 'deepStream', 'logLevel', 'regionsOfInterest'),
        (value, key) => {
          expect(validateConfiguration(value).components).toBeUndefined();
          const result = validateConfiguration(changed((c) => (c[key] = value)));
          if (result.accepted !== undefined)
            expect(validateComponents(result.accepted).accepted).toEqual(result.accepted);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  test('validateSensors reads sensors alone, as the original BusinessLogicModule does', () => {
    const { sensors, errors } = validateSensors({ sensors: good().components.sensors });
    expect([sensors?.map((sensor) => sensor.name), errors]).toEqual([['cam1', 'cam2'], []]);
    expect(validateSensors([]).sensors).toBeUndefined();
    expect(validateSensors({ sensors: 'x' }).sensors).toBeUndefined();
  });
});
