import { describe, expect, test } from '@jest/globals';
import { parseJson, validateComponents, validateConfiguration } from '../src/index.ts';
import { changed, found, good, SQUARE } from './twin-fixture.ts';

describe('a good configuration', () => {
  test('is read with defaults filled in', () => {
    const { components, errors, warnings, accepted } = validateConfiguration(good());
    expect([errors, warnings]).toEqual([[], []]);
    expect(accepted).toEqual(good().components);
    expect(components).toMatchObject({
      logLevel: 'information',
      enabled: true,
      businessLogicConfig: {},
      pipelines: [
        { id: 'People', primary: { configFile: 'p.txt' }, secondaries: [], tracker: { kind: 'none' }, osd: false },
      ],
    });
    expect(components?.sensors).toEqual([
      {
        name: 'cam1',
        type: 'vision',
        subtype: 'RTSP',
        sourceKind: 'rtsp',
        endpoint: 'rtsp://host/1',
        regionsOfInterest: [{ label: 'door', color: '#00ff00', coordinates: SQUARE, sensor: 'cam1' }],
        playback: { loop: false, paced: true },
      },
      expect.objectContaining({ name: 'cam2', sourceKind: 'file', regionsOfInterest: [] }),
    ]);
  });

  test('is found below azdaConfiguration, and after a byte order mark', () => {
    const body = `\uFEFF${JSON.stringify({ azdaConfiguration: good(), $version: 3 })}`;
    expect(found(parseJson(Buffer.from(body))).streams).toEqual(['cam1', 'cam2']);
  });

  test('may be without platform, enable, pipelineOptions, logLevel and regions (J)', () => {
    const input = changed((components, twin) => {
      delete twin.platform;
      delete components.logLevel;
      delete components.deepStream.enable;
      components.deepStream.pipelineConfigs[0].pipelineOptions = {};
    });
    expect(found(input)).toMatchObject({ errors: [], warnings: ['platform'], streams: ['cam1', 'cam2'] });
  });

  test('may list regions flat, each with its sensor; they are published with their sensors (J)', () => {
    const region = { label: 'gate', color: '#0000ff', sensor: 'cam2', coordinates: SQUARE };
    const { result } = found(changed((components) => (components.regionsOfInterest = [region])));
    expect(result.components?.sensors.map((sensor) => sensor.regionsOfInterest.map((item) => item.label))).toEqual([
      ['door'],
      ['gate'],
    ]);
    expect(result.accepted).not.toHaveProperty('regionsOfInterest');
    expect(validateComponents(result.accepted).components).toEqual(result.components);
  });

  test('may switch everything off, then lists may be empty (scenario 13)', () => {
    const off = changed((components) => (components.deepStream = { enable: false, pipelineConfigs: [], streams: [] }));
    expect(found(off)).toMatchObject({ errors: [], result: { components: { enabled: false, streams: [] } } });
    expect(found(good()).result.components?.enabled).toBe(true);
  });
});

describe('forms of values', () => {
  const pipeline = (key: string, value: unknown) =>
    found(changed((components) => (components.deepStream.pipelineConfigs[0][key] = value)));

  test.each([
    ['', []],
    [null, []],
    [[], []],
    ['a', [{ configFile: 'a' }]],
    [{ configFile: 'a' }, [{ configFile: 'a' }]],
    [
      ['a', 'b'],
      [{ configFile: 'a' }, { configFile: 'b' }],
    ],
    [
      ['a', { configFile: 'b', pyFile: 'b.py' }],
      [{ configFile: 'a' }, { configFile: 'b', pyFile: 'b.py' }],
    ],
    [['', 'b'], [{ configFile: 'b' }]],
  ])('secondaryModelConfigPaths %j (scenario 5)', (value, expected) => {
    const { errors, result } = pipeline('secondaryModelConfigPaths', value);
    expect(errors).toEqual([]);
    expect(result.components?.pipelines[0]?.secondaries).toEqual(expected);
  });

  test.each(['yolov4', 'ssd_mobilenet_v1', 'bodypose2d', 'tiny-yolov3', 'tiny_yolov3', 'Tiny-YOLOv3'])(
    'parser %s is known (scenario 22)',
    (parser) => {
      const { errors, result } = pipeline('primaryModelConfigPath', { configFile: 'p.txt', parser });
      expect(errors).toEqual([]);
      expect(result.components?.pipelines[0]?.primary?.parser).toBe(parser.toLowerCase().replace('-', '_'));
    },
  );

  test('parser foo is not: the error lists the names, the pipeline and its streams are left out', () => {
    const { errors, result } = pipeline('primaryModelConfigPath', { configFile: 'p.txt', parser: 'foo' });
    expect(errors[0]).toBe('components.deepStream.pipelineConfigs[0].primaryModelConfigPath.parser');
    expect(result.errors[0]?.message).toMatch(/"foo".*yolov4.*tiny_yolov3.*ssd_mobilenet_v1.*bodypose2d/);
    expect(result.components).toBeUndefined();
    const more = { parsers: ['foo'] };
    const twin = changed(
      (c) => (c.deepStream.pipelineConfigs[0].primaryModelConfigPath = { configFile: 'p', parser: 'Foo' }),
    );
    expect(validateConfiguration(twin, more).components?.pipelines[0]?.primary).toEqual({
      configFile: 'p',
      parser: 'foo',
    });
  });

  test('pyFile wins over jsFile and parser', () => {
    const { result, warnings } = pipeline('primaryModelConfigPath', {
      configFile: 'p',
      pyFile: 'a.py',
      jsFile: 'a.js',
      parser: 'yolov4',
    });
    expect(result.components?.pipelines[0]?.primary).toEqual({ configFile: 'p', pyFile: 'a.py' });
    expect(warnings).toHaveLength(2);
  });

  test.each([
    ['', { kind: 'none' }],
    ['light-tracker', { kind: 'light' }],
    ['Light-Tracker', { kind: 'light' }],
    ['t.txt', { kind: 'file', path: 't.txt' }],
  ])('trackerConfigPath %j (scenario 6)', (value, expected) => {
    expect(pipeline('trackerConfigPath', value).result.components?.pipelines[0]?.tracker).toEqual(expected);
  });

  test.each([
    ['debug', 'debug'],
    ['INFORMATION', 'information'],
    ['Critical', 'critical'],
    ['warn', 'warning'],
  ])('logLevel %s (scenario 23)', (value, expected) => {
    const { result, errors } = found(changed((components) => (components.logLevel = value)));
    expect([errors, result.components?.logLevel]).toEqual([[], expected]);
  });

  test.each([
    ['verbose', '"verbose" is not'],
    ['a password, by mistake', '"a password…" is not'],
    [3, 'a number is not'],
  ])('logLevel %j is refused, the rest runs (scenario 23)', (value, message) => {
    const { result, errors, streams } = found(changed((components) => (components.logLevel = value)));
    expect([errors, streams]).toEqual([['components.logLevel'], ['cam1', 'cam2']]);
    expect(result.errors[0]?.message).toContain(message);
    expect(result.errors[0]?.message).toContain('trace, debug, information, warning, error, critical');
    expect(result.accepted).not.toHaveProperty('logLevel');
  });

  test.each([
    ['rtsp://h/1', 'RTSP', 'rtsp'],
    ['rtsp://h/1', undefined, 'rtsp'],
    ['HTTP://h/1.mjpg', 'IP', 'http'],
    ['/dev/video0', 'USB', 'usb'],
    ['/dev/video0', 'RTSP', 'usb'],
    ['/dev/v4l/by-id/x', 'usb', 'usb'],
    ['/videos/x.mp4', 'FILE', 'file'],
    [' file:///v.mp4 ', 'File', 'file'],
    ['udp://224.0.0.1:5000', '', 'other'],
  ])('endpoint %j of subtype %j is %s (scenario 4)', (endpoint, subtype, kind) => {
    const { result, errors } = found(changed((c) => (c.sensors[0] = { name: 'cam1', kind: { subtype }, endpoint })));
    expect([errors, result.components?.sensors[0]?.sourceKind]).toEqual([[], kind]);
  });
});
