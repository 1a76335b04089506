import { describe, expect, test } from '@jest/globals';
import { fieldIssues, issuesOf, linesOf, skillOf, CAMERA, DETECTOR, HUB } from './skill-fixture.ts';

const CONTAINER = {
  type: 'container',
  container_name: 'det',
  container_image: 'x:1',
  port: '6677',
  restart_policy: 'on-failure',
  env: '[{"key":"A","value":"1"},{"key":"","value":""}]',
  create_options: '{"HostConfig":{}}',
  architecture: 'ARM64',
  acceleration: 'Nvidia Jetson (Jetpack 5)',
};

describe('gRPC node', () => {
  test.each(['h:6677', 'h:6677/GRPC', 'http://h:6677', 'grpcs://h:1', 'dns:///h:5', '[::1]:65535', 'unix:/tmp/n.sock'])(
    'endpoint %s (H 18)',
    (endpoint) => expect(fieldIssues('grpc_transform', { type: 'endpoint', endpoint_url: endpoint })).toEqual([]),
  );

  test.each([
    ['', /is missing/],
    ['h', /has no port/],
    ['h:0', /has the port 0/],
    ['h:70000', /has the port 70000/],
    ['ftp://h:21', /unknown scheme "ftp"/],
    ['a b:1', /holds a blank/],
    ['u:p@h:1', /holds credentials/],
    ['unix:', /names no socket/],
    ['h:', /is not host:port/],
  ])('endpoint %j is refused (H 18)', (endpoint, expected) => {
    expect(fieldIssues('grpc_transform', { endpoint_url: endpoint })).toEqual([expect.stringMatching(expected)]);
  });

  test('a container (H 25)', () => expect(fieldIssues('grpc_transform', CONTAINER)).toEqual([]));

  test.each<[Record<string, string>, RegExp]>([
    [{ port: '0' }, /^error 5 port: expected a whole number from 1 to 65535/],
    [{ port: '65536' }, /^error 5 port: /],
    [{ port: '' }, /^error 5 port: is missing/],
    [{ create_options: '{"a":' }, /^error 5 create_options: is no JSON/],
    [{ create_options: '[1]' }, /^error 5 create_options: expected a JSON object/],
    [{ route: 'GRPC' }, /^error 5 route: /],
    [{ route: '/G RPC' }, /^error 5 route: /],
    [{ env: '[{"key":"A","value":""}]' }, /^error 5 env: row 1 has a key and no value/],
    [{ env: '[{"key":"","value":"1"}]' }, /^error 5 env: row 1 has a value and no key/],
    [{ env: 'A=1' }, /^error 5 env: is no JSON/],
    [{ architecture: '' }, /^error 5 architecture: is missing/],
    [{ architecture: 'MIPS' }, /^error 5 architecture: expected one of X64, ARM64/],
    [{ acceleration: 'CPU' }, /^error 5 acceleration: ARM64 has Nvidia Jetson/],
    [{ acceleration: '' }, /^error 5 acceleration: is missing/],
    [{ architecture: 'X64' }, /^error 5 acceleration: X64 has Nvidia dGPU, CPU, Intel iGPU/],
    [{ restart_policy: 'sometimes' }, /^error 5 restart_policy: expected one of always/],
    [{ container_name: 'a b' }, /^error 5 container_name: /],
    [{ container_image: '' }, /^error 5 container_image: is missing/],
  ])('a container with %j is refused (H 25)', (change, expected) => {
    expect(fieldIssues('grpc_transform', { ...CONTAINER, ...change })[0]).toMatch(expected);
  });
});

describe('filter', () => {
  test.each(['["car"]', '[]', '', '["traffic light"]'])('labels %s', (labels) => {
    expect(fieldIssues('filter_transform', { labels, confidence_threshold: '50' })).toEqual([]);
  });

  test.each(['car', '["car"', "['car']", '__import__("os").system("true")', '{"a":1}', '[1]', '"car"'])(
    'labels %s are refused, and nothing of them is run (H 19)',
    (labels) => {
      const document = skillOf([
        CAMERA,
        DETECTOR,
        { id: '5', type: 'transform', name: 'filter_transform', configurations: { labels } },
        HUB,
      ]);
      const [issue, ...rest] = issuesOf(document);
      expect(rest).toEqual([]);
      expect(issue).toMatchObject({ severity: 'error', node: '5', atRunTime: 'labels are not filtered' });
    },
  );

  test.each(['-1', '101', 'high', '0x10', 'NaN'])('a threshold of %s is refused', (confidence_threshold) => {
    expect(fieldIssues('filter_transform', { confidence_threshold })).toEqual([
      expect.stringMatching(/^error 5 conf.* 0 to 100 percent/),
    ]);
  });
});

describe('other nodes', () => {
  test.each<[string, string, Record<string, unknown>, RegExp | undefined]>([
    ['export', 'http_export', { url: 'http://10.0.0.9:5000/gate', double_encoded: true }, undefined],
    ['export', 'http_export', {}, /url: is missing/],
    ['export', 'http_export', { url: 'ftp://x' }, /url: expected an http/],
    ['export', 'http_export', { url: 'http://h:99999/' }, /url: expected an http/],
    ['export', 'http_export', { url: 'javascript:alert(1)' }, /url: expected an http/],
    ['export', 'mqtt_export', {}, undefined],
    ['export', 'mqtt_export', { broker_address: 'broker:1883', delay_buffer: '30' }, undefined],
    ['export', 'mqtt_export', { broker_address: 'broker' }, /broker_address: is not host:port/],
    ['export', 'mqtt_export', { broker_address: 'broker:0' }, /has the port 0/],
    ['export', 'iothub_export', { delay_buffer: 'soon' }, /delay_buffer: expected a number/],
    ['export', 'iotedge_export', { module_name: 'a' }, /module_input: is missing/],
    ['export', 'iotedge_export', { module_name: 'a"b', module_input: 'in' }, /module_name: expected letters/],
    ['export', 'video_snippet_export', { filename_prefix: 'my prefix', recording_duration: 10 }, undefined],
    ['export', 'video_snippet_export', { filename_prefix: '../x' }, /filename_prefix: cannot be part/],
    [
      'export',
      'video_snippet_export',
      { filename_prefix: 'a', recording_duration: '0' },
      /recording_duration: expected a number from 1/,
    ],
    [
      'export',
      'video_snippet_export',
      { filename_prefix: 'a', insights_overlay: 'maybe' },
      /insights_overlay: expected true or false/,
    ],
    ['export', 'cv2_imshow_export', {}, /warning 5 nodes\[2\]: there is no screen/],
    ['transform', 'tracker', {}, undefined],
    ['transform', 'tracker', { algorithm: 'file' }, /config_file: is missing/],
    [
      'transform',
      'zone',
      { rule: 'dwell', region: 'door', seconds: 5, per_class: '{"person":{"seconds":3}}' },
      undefined,
    ],
    ['transform', 'zone', {}, /region: is missing/],
    ['transform', 'zone', { polygon: '[[0,0],[1,1]]' }, /polygon: expected three corners/],
    ['transform', 'zone', { polygon: '[[0,0],[2,0],[1,1]]' }, /polygon: expected three corners/],
    ['transform', 'zone', { region: 'a', polygon: '[[0,0],[1,0],[1,1]]' }, /not both/],
    ['transform', 'zone', { region: 'a', rule: 'crowding', at_least: '1.5' }, /at_least: expected a whole number/],
    ['transform', 'zone', { region: 'a', per_class: '{"person":{"secs":3}}' }, /per_class: the settings of "person"/],
    ['transform', 'line_crossing', { line: '[[0,0.5],[1,0.5]]', direction: 'left_to_right' }, undefined],
    ['transform', 'line_crossing', {}, /line: is missing/],
    ['transform', 'line_crossing', { line: '[[0.5,0.5],[0.5,0.5]]' }, /its two points are the same/],
    ['transform', 'counter', { window_seconds: '60' }, undefined],
    ['transform', 'speed', { metres_per_pixel: '0' }, /metres_per_pixel: expected a number/],
    ['transform', 'speed', { anchor: 'middle' }, /anchor: expected one of/],
    ['transform', 'speed', { over_second: '1' }, /warning 5 over_second: is not known.*did you mean "over_seconds"/],
  ])('%s %s %j', (type, name, configurations, expected) => {
    const lines = fieldIssues(name, configurations, type);
    expect(lines).toEqual(expected ? [expect.stringMatching(expected)] : []);
  });

  test('a model: what is for retraining is checked, and what it does not do is said', () => {
    const issues = (configurations: Record<string, string>) =>
      linesOf(issuesOf(skillOf([CAMERA, { ...DETECTOR, configurations }, HUB])));
    expect(issues({ confidence_lower: '0', confidence_upper: '0', max_images: '0' })).toEqual([]);
    expect(issues({ confidence_lower: '50', confidence_upper: '20' })).toEqual([
      expect.stringMatching(/is less than confidence_lower/),
    ]);
    expect(issues({ max_images: '10' })).toEqual([expect.stringMatching(/^warning 1 .*retraining are not collected/)]);
    expect(issues({ config_file: 'a.txt', package_url: 'c:/a.zip' })).toEqual([
      expect.stringMatching(/package_url: expected an http/),
    ]);
  });

  test('a mistake in a parameter names the parameter; one that is not declared is an error', () => {
    const hub = { ...HUB, configurations: { delay_buffer: '$param(wait)' } };
    const issues = (parameters: Record<string, string>) =>
      linesOf(issuesOf(skillOf([{ ...CAMERA, configurations: {} }, DETECTOR, hub], undefined, parameters)));
    expect(issues({ wait: '5' })).toEqual([]);
    expect(issues({ wait: 'long' })).toEqual([
      expect.stringMatching(/delay_buffer: expected a number .*\(from \$param\(wait\)\)/),
    ]);
    expect(issues({})[0]).toMatch(/^error 9 nodes\[2\]\.configurations\.delay_buffer: \$param\(wait\) is not among/);
  });
});
