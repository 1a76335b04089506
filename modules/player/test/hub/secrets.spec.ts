import { describe, expect, test } from '@jest/globals';
import { VantageError, mergeTwin, type TwinObject } from '@vantage/contracts';
import { MASK, maskObject } from '../../src/hub/masking.ts';
import { restorePatched, restoreSecrets } from '../../src/hub/restoring.ts';
import { isAddressKey } from '../../src/hub/secret-addresses.ts';

const EVIL = 'rtsp://203.0.113.66/one';

/** A twin of the controllermodule with a secret in every place that its schema has for one. */
const TWIN = {
  azdaConfiguration: {
    components: {
      sensors: [
        { name: 'street', endpoint: 'rtsp://10.0.0.7:554/one' },
        { name: 'yard', endpoint: 'rtsp://root:url-p@ss@10.0.0.8/two' },
        { name: 'gate', endpoint: 'http://10.0.0.9/video.cgi?channel=1' },
      ],
      deepStream: {
        pipelineConfigs: [
          { id: 'People', unsecureZipUrl: 'https://a.blob/m.zip?sv=1&sig=zip-sig' },
          {
            id: 'Raw',
            deepstreamPassthrough: 'rtspsrc location=rtsp://10.0.0.7/x user-id=joe user-pw=gst-pass ! fakesink',
          },
        ],
        streams: [
          { name: 'street', uname: 'admin', password: 'street-pass', configId: 'People' },
          { name: 'gate', uname: 'guard', password: 'gate-pass', configId: 'People' },
        ],
      },
      models: [{ name: 'cars', unsecureZipUrl: 'https://b.blob/n.zip?sig=model-sig', configFile: 'n.txt' }],
      skills: [
        {
          id: 'count',
          parameters: { target: 'https://hooks.example/a' },
          nodes: [
            { id: '1', name: 'http_export', configurations: { url: '$param(target)', token: 'hook-token' } },
            { id: '2', name: 'grpc_transform', configurations: { endpoint_url: 'node:5001', api_key: 'node-key' } },
          ],
          instances: [{ id: 'west', sensors: [{ name: 'street', uname: 'admin', password: 'skill-pass' }, 'gate'] }],
        },
        { id: 'text', document: 'nodes:\n- type: export\n  configurations: {url: "https://x?sig=yaml-sig"}' },
      ],
      businessLogicConfig: {
        webhook: { url: 'https://crm.example/in', auth: { headers: { Authorization: 'Bearer abcdefghijklmnop' } } },
        mqtt: { server: { host: 'broker', port: 8883 }, login: { user: 'b', password: 'mqtt-pass' } },
        recipients: ['https://u1:p1@one.example/x', 'https://u2:p2@two.example/x'],
        queues: [
          { accountName: 'a', accountKey: 'k1' },
          { accountName: 'b', accountKey: 'k2' },
        ],
      },
    },
  },
};
type Twin = typeof TWIN;

/** As a browser does it: the twin with masks, edited. */
function edited(edit: (twin: Twin['azdaConfiguration']['components']) => void): TwinObject {
  const shown = structuredClone(maskObject(TWIN)) as Twin;
  edit(shown.azdaConfiguration.components);
  return shown;
}

/** Where secrets are kept back; empty when all are given back. */
function refused(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    expect(VantageError.is(error) && error.code).toBe('SECRET_UNKNOWN');
    const { issues } = (error as VantageError).details as { issues: { path: string }[] };
    return issues.map(({ path }) => path.replace('azdaConfiguration.components.', ''));
  }
}

test('nothing of a secret is shown, and all of it is there again when nothing was changed', () => {
  const shown = JSON.stringify(maskObject(TWIN));
  for (const secret of ['url-p', 'zip-sig', 'gst-pass', 'street-pass', 'admin', 'gate-pass', 'model-sig', 'hook-token'])
    expect(shown).not.toContain(secret);
  for (const secret of ['node-key', 'skill-pass', 'yaml-sig', 'abcdefghij', 'mqtt-pass', 'p1@', 'k1"', 'joe'])
    expect(shown).not.toContain(secret);
  expect(restoreSecrets(maskObject(TWIN), TWIN)).toEqual(TWIN);
  expect(restorePatched({}, TWIN)).toEqual(TWIN);
});

describe('a kept secret goes nowhere new', () => {
  test.each<[string, (twin: Twin['azdaConfiguration']['components']) => void, string[]]>([
    [
      'host of a camera: its user and password in streams and skills',
      ({ sensors }) => (sensors[0]!.endpoint = EVIL),
      [
        'deepStream.streams[0].uname',
        'deepStream.streams[0].password',
        'skills[0].instances[0].sensors[0].uname',
        'skills[0].instances[0].sensors[0].password',
      ],
    ],
    [
      'port of a camera',
      ({ sensors, skills, deepStream }) => {
        sensors[0]!.endpoint = 'rtsp://10.0.0.7:5540/one';
        skills.splice(0);
        deepStream.streams[0]!.uname = 'typed';
      },
      ['deepStream.streams[0].password'],
    ],
    [
      'scheme of a camera: without TLS',
      ({ sensors }) => (sensors[2]!.endpoint = 'rtmp://10.0.0.9/video.cgi'),
      ['deepStream.streams[1].uname', 'deepStream.streams[1].password'],
    ],
    ['a host that only looks the same', ({ sensors }) => (sensors[2]!.endpoint = 'http://10.0.0.9@203.0.113.66/'), [
      'deepStream.streams[1].uname',
      'deepStream.streams[1].password',
    ]],
    ['… or hides behind a backslash', ({ sensors }) => (sensors[2]!.endpoint = 'http://203.0.113.66\\@10.0.0.9/'), [
      'deepStream.streams[1].uname',
      'deepStream.streams[1].password',
    ]],
    ['the stream is given another camera', ({ deepStream }) => (deepStream.streams[1]!.name = 'yard'), [
      'deepStream.streams[1].uname',
      'deepStream.streams[1].password',
    ]],
    [
      'a second sensor of the same name',
      ({ sensors }) => sensors.push({ name: 'gate', endpoint: EVIL }),
      ['deepStream.streams[1].uname', 'deepStream.streams[1].password'],
    ],
    ['another user with the same password', ({ deepStream }) => (deepStream.streams[1]!.uname = 'bob'), [
      'deepStream.streams[1].password',
    ]],
    ['host in a URL that carries its own password', ({ sensors }) => (sensors[1]!.endpoint = `rtsp://${MASK}@203.0.113.66/two`), [
      'sensors[1].endpoint',
    ]],
    ['port in such a URL', ({ sensors }) => (sensors[1]!.endpoint = `rtsp://${MASK}@10.0.0.8:5540/two`), ['sensors[1].endpoint']],
    ['a second @ in it', ({ sensors }) => (sensors[1]!.endpoint = `rtsp://${MASK}@10.0.0.8@203.0.113.66/two`), ['sensors[1].endpoint']],
    ['user in it', ({ sensors }) => (sensors[1]!.endpoint = `rtsp://bob:${MASK}@10.0.0.8/two`), ['sensors[1].endpoint']],
    [
      'host before a signature',
      ({ deepStream, models }) => {
        deepStream.pipelineConfigs[0]!.unsecureZipUrl = `https://evil.blob/m.zip?sv=1&sig=${MASK}`;
        models[0]!.unsecureZipUrl = `https://evil.blob/n.zip?sig=${MASK}`;
      },
      ['deepStream.pipelineConfigs[0].unsecureZipUrl', 'models[0].unsecureZipUrl'],
    ],
    [
      'host in the text of a passthrough',
      ({ deepStream }) => {
        const raw = deepStream.pipelineConfigs[1]!;
        raw.deepstreamPassthrough = raw.deepstreamPassthrough!.replace('10.0.0.7', '203.0.113.66');
      },
      ['deepStream.pipelineConfigs[1].deepstreamPassthrough'],
    ],
    ['host in the text of a skill', ({ skills }) => (skills[1]!.document = skills[1]!.document!.replace('//x', '//y')), [
      'skills[1].document',
    ]],
    [
      'the address of a node of a skill, by its parameter',
      ({ skills }) => (skills[0]!.parameters!.target = 'https://evil.example/a'),
      ['skills[0].nodes[0].configurations.token', 'skills[0].nodes[1].configurations.api_key'],
    ],
    [
      'the addresses of two nodes, exchanged',
      ({ skills }) => {
        const [one, two] = skills[0]!.nodes!;
        one!.configurations.url = 'node:5001';
        two!.configurations.endpoint_url = '$param(target)';
      },
      ['skills[0].nodes[0].configurations.token', 'skills[0].nodes[1].configurations.api_key'],
    ],
    [
      'an address some levels above',
      ({ businessLogicConfig }) => (businessLogicConfig.webhook.url = 'https://evil.example/in'),
      ['businessLogicConfig.webhook.auth.headers.Authorization'],
    ],
    ['an address beside', ({ businessLogicConfig }) => (businessLogicConfig.mqtt.server.host = 'evil'), [
      'businessLogicConfig.mqtt.login.password',
    ]],
    ['a port beside', ({ businessLogicConfig }) => (businessLogicConfig.mqtt.server.port = 1883), [
      'businessLogicConfig.mqtt.login.password',
    ]],
    ['an account in a list', ({ businessLogicConfig }) => (businessLogicConfig.queues[0]!.accountName = 'evil'), [
      'businessLogicConfig.queues[0].accountKey',
    ]],
    ['items that change places', ({ businessLogicConfig }) => businessLogicConfig.queues.reverse(), []],
    [
      'an item that takes the place of another',
      ({ businessLogicConfig }) => businessLogicConfig.queues.unshift({ accountName: 'evil', accountKey: MASK }),
      ['businessLogicConfig.queues[0].accountKey'],
    ],
  ])('%s', (_what, edit, expected) => {
    const wanted = edited(edit);
    const places = refused(() => restoreSecrets(wanted, TWIN));
    expect(places).toEqual(expected);
  }); // prettier-ignore

  test('also when a patch leaves the secret alone', () => {
    const sensors = structuredClone(TWIN.azdaConfiguration.components.sensors);
    sensors[0]!.endpoint = EVIL;
    const patch = { azdaConfiguration: { components: { sensors } } };
    expect(refused(() => restorePatched(patch, TWIN))).toContain('deepStream.streams[0].password');
    const hook = { azdaConfiguration: { components: { businessLogicConfig: { webhook: { url: 'https://evil/' } } } } };
    expect(refused(() => restorePatched(hook, TWIN))).toEqual([
      'businessLogicConfig.webhook.auth.headers.Authorization',
    ]);
  });

  test('nor in two steps: a camera that is away for a while, and one whose sensor was never there', () => {
    const away = edited(({ sensors }) => (sensors[2]!.endpoint = 'file:///tmp/a.mp4'));
    const between = restoreSecrets(away, TWIN);
    const back = structuredClone(maskObject(between)) as Twin;
    back.azdaConfiguration.components.sensors[2]!.endpoint = EVIL;
    expect(refused(() => restoreSecrets(back, between))).toHaveLength(2);
    const gone = restoreSecrets(
      edited(({ sensors }) => sensors.splice(2)),
      TWIN,
    );
    const added = structuredClone(maskObject(gone)) as Twin;
    added.azdaConfiguration.components.sensors.push({ name: 'gate', endpoint: EVIL });
    expect(refused(() => restoreSecrets(added, gone))).toHaveLength(2);
  });

  test('says what to do', () => {
    const wanted = edited(({ deepStream }) => (deepStream.streams[1]!.uname = 'bob'));
    expect(() => restoreSecrets(wanted, TWIN)).toThrow(/belongs to another address.*type it again/);
    expect(() => restoreSecrets({ token: MASK }, {})).toThrow(/stands where none was/);
    expect(() => restoreSecrets({ token: MASK }, { token: '' })).toThrow(/stands where none was/);
  });
});

describe('a secret stays with its address', () => {
  const same = (edit: Parameters<typeof edited>[0]): Twin['azdaConfiguration']['components'] =>
    (restoreSecrets(edited(edit), TWIN) as Twin).azdaConfiguration.components;

  test('typed anew beside a new address', () => {
    const { deepStream } = same(({ sensors, deepStream: { streams }, skills }) => {
      sensors[0]!.endpoint = EVIL;
      Object.assign(streams[0]!, { uname: 'me', password: 'mine' });
      skills.splice(0);
    });
    expect(deepStream.streams[0]).toMatchObject({ uname: 'me', password: 'mine' });
    expect(deepStream.streams[1]).toEqual(TWIN.azdaConfiguration.components.deepStream.streams[1]);
  });

  test('another path of the same camera, and a camera under another name', () => {
    const { sensors, deepStream } = same((twin) => {
      twin.sensors[0]!.endpoint = 'RTSP://10.0.0.7:554/Streaming/Channels/102';
      twin.sensors[1]!.endpoint = `rtsp://${MASK}@10.0.0.8/three`;
      twin.sensors[2]!.name = 'door';
      twin.deepStream.streams[1]!.name = 'door';
    });
    expect(sensors[1]!.endpoint).toBe('rtsp://root:url-p@ss@10.0.0.8/three');
    expect(deepStream.streams.map(({ password }) => password)).toEqual(['street-pass', 'gate-pass']);
  });

  test('what is no address may change, and items of lists may go', () => {
    const kept = same((twin) => {
      twin.skills[0]!.nodes!.shift();
      twin.skills[0]!.instances![0]!.sensors.pop();
      twin.businessLogicConfig.recipients.shift();
      twin.businessLogicConfig.queues.shift();
      twin.deepStream.streams.shift();
      Object.assign(twin.businessLogicConfig.mqtt, { retain: true });
    });
    expect(kept.skills[0]!.nodes![0]!.configurations).toHaveProperty('api_key', 'node-key');
    expect(kept.businessLogicConfig.recipients).toEqual(['https://u2:p2@two.example/x']);
    expect(kept.businessLogicConfig.queues).toEqual([{ accountName: 'b', accountKey: 'k2' }]);
    expect(kept.deepStream.streams[0]!.password).toBe('gate-pass');
    expect(kept.businessLogicConfig.mqtt.login.password).toBe('mqtt-pass');
  });

  test('two items of one name keep their own', () => {
    const streams = ['one', 'two'].map((password) => ({ name: 'street', password }));
    expect(restorePatched({ other: 1 }, { streams })).toEqual({ streams, other: 1 });
    // Which of them stayed?
    expect(refused(() => restorePatched({ streams: [{ ...streams[1], password: MASK }] }, { streams }))).toEqual([
      'streams[0].password',
    ]);
  });

  test('a text without secrets may look like a mask', () => {
    const twin = { note: 'see ••• below' };
    expect(restoreSecrets(mergeTwin(twin, { other: true }), twin)).toEqual({ ...twin, other: true });
  });
});

test.each([
  ...['endpoint', 'endpoint_url', 'serverUrl', 'baseurl', 'host', 'hostnames', 'mqtt_host', 'port', 'rtspPort'],
  ...['ipAddress', 'ip', 'uname', 'user', 'userName', 'accountName', 'proxy'],
])('%s says where something goes', (key) => expect(isAddressKey(key)).toBe(true));
test.each([
  'name',
  'report',
  'support',
  'export',
  'clip',
  'zip',
  'id',
  'token',
  'accountKey',
  'password',
  'importance',
])('%s does not', (key) => expect(isAddressKey(key)).toBe(false));
