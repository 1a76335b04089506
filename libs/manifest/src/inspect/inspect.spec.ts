import { describe, expect, test } from '@jest/globals';
import { expandWithOrigins, unsetVariables } from '../env.ts';
import { fromPlain } from '../json.ts';
import { inspectDeployment } from './inspect.ts';
import { locator } from './locate.ts';
import { pathText } from './problem.ts';

const module = (createOptions: object = {}): object => ({
  version: '1.0',
  type: 'docker',
  status: 'running',
  restartPolicy: 'always',
  settings: { image: 'registry.example.org/one:1.0', createOptions: JSON.stringify(createOptions) },
});

function deployment(modules: object, routes: object = {}, twins: object = {}): object {
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: { minDockerVersion: 'v1.25' } },
          systemModules: {
            edgeAgent: { type: 'docker', settings: { image: 'mcr.microsoft.com/azureiotedge-agent:1.4' } },
            edgeHub: {
              ...module({ HostConfig: { PortBindings: { '8883/tcp': [{ HostPort: '8883' }] } } }),
              version: undefined,
            },
          },
          modules,
        },
      },
      $edgeHub: {
        'properties.desired': { schemaVersion: '1.2', routes, storeAndForwardConfiguration: { timeToLiveSecs: 60 } },
      },
      ...twins,
    },
  };
}

/** `severity path: message`, without what all paths have in common. */
function inspect(manifest: object): string[] {
  return inspectDeployment(fromPlain(JSON.parse(JSON.stringify(manifest)))).map(({ severity, path, message }) => {
    const where = pathText(path)
      .replace(/^modulesContent\./, '')
      .replace('["properties.desired"]', '');
    return `${severity} ${where}: ${message}`;
  });
}

describe('what containers cannot share', () => {
  test('a port of the device, also with a system module', () => {
    const ports = {
      HostConfig: { PortBindings: { '1883/tcp': [{ HostPort: '8883' }], '53/udp': [{ HostPort: '8883' }] } },
    };
    expect(inspect(deployment({ broker: module(ports) }))).toEqual([
      'error $edgeAgent.systemModules.edgeHub.settings.createOptions.HostConfig.PortBindings["8883/tcp"]: port 8883/tcp of the device is already that of module broker: only one can have it',
    ]);
  });

  test('port 0 lets the engine choose; others lie between 1 and 65535', () => {
    const free = { HostConfig: { PortBindings: { '1/tcp': [{ HostPort: '0' }], '2/tcp': [{ HostPort: 0 }] } } };
    expect(inspect(deployment({ one: module(free), two: module(free) }))).toEqual([]);
    const absurd = { HostConfig: { PortBindings: { '1/tcp': [{ HostPort: '99999' }, null] } } };
    expect(inspect(deployment({ one: module(absurd) }))).toHaveLength(2);
  });

  test('a place inside a container, bound twice', () => {
    const binds = { HostConfig: { Binds: ['a:/data', '/mnt/b:/data:ro', 'relative/x:/y', 7] } };
    expect(inspect(deployment({ one: module(binds) }))).toEqual([
      'error $edgeAgent.modules.one.settings.createOptions.HostConfig.Binds[1]: /data is bound twice, to a and to /mnt/b',
      'error $edgeAgent.modules.one.settings.createOptions.HostConfig.Binds[2]: "relative/x" is neither a volume\'s name nor an absolute path of the device',
      'error $edgeAgent.modules.one.settings.createOptions.HostConfig.Binds[3]: is no bind of the form <volume or /path>:/path[:ro]',
    ]);
  });
});

describe('routes', () => {
  const BRIDGE =
    'FROM /messages/modules/ai-pipeline/outputs/inference INTO BrokeredEndpoint("/modules/sink/inputs/in")';

  test('both ends have to be deployed', () => {
    expect(inspect(deployment({}, { bridge: BRIDGE }))).toEqual([
      'warning $edgeHub.routes.bridge: comes from module "ai-pipeline", which is not deployed: no message ever takes it',
      'warning $edgeHub.routes.bridge: leads to module "sink", which is not deployed: its messages wait until they expire',
    ]);
    expect(inspect(deployment({ 'ai-pipeline': module(), sink: module() }, { bridge: { route: BRIDGE } }))).toEqual([]);
  });

  test('a condition that edgeHub would only log', () => {
    const [problem] = inspect(deployment({ a: module() }, { r: 'FROM /messages/* WHERE as_number(x INTO $upstream' }));
    expect(problem).toMatch(/^error \$edgeHub\.routes\.r: /);
  });

  test('outputs and inputs of the modules of this house', () => {
    const route =
      'FROM /messages/modules/ai-pipeline/outputs/insights INTO BrokeredEndpoint("/modules/ai-pipeline/inputs/in")';
    expect(inspect(deployment({ 'ai-pipeline': module() }, { route }))).toEqual([
      expect.stringContaining('ai-pipeline has no output "insights"; it has inference'),
      expect.stringContaining('ai-pipeline has no input "in"; it has Controller, recordingInput'),
    ]);
  });

  test.each([
    ['FROM /messages/* INTO $upstream', true],
    ['FROM /messages/modules/controllermodule/outputs/* INTO $upstream', true],
    ['FROM /messages/modules/controllermodule/outputs/DeepStream INTO $upstream', true],
    ['FROM /messages/modules/controllermodule/outputs/health INTO $upstream', false],
    ['FROM /messages/modules/ai-pipeline/outputs/* INTO $upstream', false],
  ])('%s: secrets travel upstream: %p', (route, told) => {
    const found = inspect(deployment({ controllermodule: module(), 'ai-pipeline': module() }, { route }));
    expect(found.some((problem) => problem.includes('user names and passwords'))).toBe(told);
  });
});

test('twins are read as the modules read them', () => {
  const twins = {
    controllermodule: { 'properties.desired': { azdaConfiguration: { components: { sensors: [{ name: '' }] } } } },
    'ai-pipeline': { 'properties.desired': { outputVideoLength: 'ten' } },
    somebody: { 'properties.desired': { outputVideoLength: 'ten' } },
  };
  const found = inspect(deployment({}, {}, twins));
  expect(found).toContainEqual(
    expect.stringMatching(/^error controllermodule\.azdaConfiguration\.components\.sensors\[0\]/),
  );
  expect(found).toContainEqual(expect.stringMatching(/^error ai-pipeline\.outputVideoLength: /));
  expect(found.filter((problem) => problem.includes('somebody'))).toEqual([]);
});

test('the twins of all modules of this house, and of none by accident', () => {
  const twins = {
    BusinessLogicModule: { 'properties.desired': { startRecording: {} } },
    VideoUploader: { 'properties.desired': { bandwidthKBps: -1 } },
    constructor: { 'properties.desired': { a: 1 } },
  };
  const modules = { constructor: module(), toString: module() };
  const routes = {
    a: 'FROM /messages/modules/constructor/outputs/x INTO BrokeredEndpoint("/modules/toString/inputs/x")',
  };
  expect(inspect(deployment(modules, routes, twins))).toEqual([
    'error BusinessLogicModule.startRecording: expected a list, found an object. Write it in square brackets.',
    'error VideoUploader.bandwidthKBps: must be at least 0. The default 0 is used.',
  ]);
});

test('a layered deployment may name what lies below it', () => {
  const layered = {
    content: {
      modulesContent: {
        $edgeAgent: { 'properties.desired.modules.extra': module() },
        $edgeHub: {
          'properties.desired.routes.toBase':
            'FROM /messages/modules/extra/* INTO BrokeredEndpoint("/modules/base/inputs/x")',
          'properties.desired.routes.bad': 'FROM nowhere',
        },
      },
    },
  };
  const found = inspect(layered);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^error content\.modulesContent\.\$edgeHub\["properties\.desired\.routes\.bad"\]: /);
});

test.each([[null], ['text'], [[]], [{}], [{ modulesContent: 3 }], [{ modulesContent: { $edgeAgent: [] } }]])(
  'nothing is thrown for %j',
  (manifest) => {
    expect(() => inspectDeployment(fromPlain(manifest))).not.toThrow();
  },
);

describe('where something stands', () => {
  test('is counted in the template, also behind what a variable put in', () => {
    const template = '{\n  "a": "${LONG}", "b": ${LIST},\n  "c": {"d e": 1}\n}';
    const expanded = expandWithOrigins(template, { LONG: 'x\ny'.repeat(40).replaceAll('\n', ' '), LIST: '[\n1,\n2]' });
    const locate = locator(template, expanded);
    expect(locate(['a'])).toEqual({ line: 2, column: 3 });
    expect(locate(['b'])).toEqual({ line: 2, column: 19 });
    expect(locate(['b', 1])).toEqual({ line: 2, column: 24 });
    expect(locate(['c', 'd e'])).toEqual({ line: 3, column: 9 });
    expect(locate(['c', 'missing', 3])).toEqual({ line: 3, column: 3 });
  });

  test('variables that are not set, each once, without what every template has', () => {
    const text =
      '{"$schema-template": "1", "$edgeHub": "$upstream", "i": "${MODULES.a}", "x": "$ONE ${TWO} $ONE ${SET}"}';
    expect(unsetVariables(text, { SET: '' })).toEqual(['ONE', 'TWO']);
  });
});
