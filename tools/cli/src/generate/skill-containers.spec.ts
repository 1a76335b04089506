import { describe, expect, test } from '@jest/globals';
import {
  generateManifest,
  inspectPlacement,
  parseCreateOptions,
  pathText,
  type GeneratedManifest,
} from '@vantage/manifest';
import { findSkillContainers } from './skill-containers.ts';

/** The form of contract custom-node-and-skills H 25. */
const FORM = {
  type: 'container',
  container_name: 'det',
  container_image: 'x:1',
  create_options: '{"HostConfig": {"ShmSize": 67108864}, "ExposedPorts": {"9000/tcp": {}}}',
  restart_policy: 'on-failure',
  port: '6677',
  route: '/GRPC',
  env: '[{"key": "A", "value": "1"}, {"key": "", "value": ""}]',
  architecture: 'ARM64',
  acceleration: 'Nvidia Jetson (Jetpack 5)',
};

type Form = Readonly<Record<string, string | undefined>>;

function skill(id: string, form: Form, rest: object = {}): object {
  const grpc = { id: '2', type: 'transform', name: 'grpc_transform', configurations: form };
  const rtsp = { id: '1', type: 'source', name: 'rtsp', configurations: {} };
  return { id, nodes: [rtsp, grpc], edges: [{ source: { node: '1' }, target: { node: '2' } }], ...rest };
}

function template(skills: readonly object[], modules: object = {}): string {
  return JSON.stringify({
    '$schema-template': '4.0.0',
    modulesContent: {
      $edgeAgent: { 'properties.desired': { systemModules: {}, modules } },
      controllermodule: { 'properties.desired': { azdaConfiguration: { components: { skills } } } },
    },
  });
}

async function generate(skills: readonly object[], modules: object = {}): Promise<GeneratedManifest> {
  return generateManifest({
    templateText: template(skills, modules),
    templatePath: '/nowhere/deployment.template.json',
    env: {},
    findContainers: findSkillContainers,
  });
}

interface Module {
  readonly env?: unknown;
  readonly restartPolicy: string;
  readonly settings: { readonly image: string; readonly createOptions: string };
}

function modulesOf({ text }: Pick<GeneratedManifest, 'text'>): Record<string, Module> {
  const { modulesContent } = JSON.parse(text) as {
    modulesContent: { $edgeAgent: { 'properties.desired': { modules: Record<string, Module> } } };
  };
  return modulesContent.$edgeAgent['properties.desired'].modules;
}

describe('container nodes of skills', () => {
  test('H 25: a module with everything of the form', async () => {
    const made = await generate([skill('line', FORM)]);
    expect(made.problems).toEqual([]);
    const { det, ...others } = modulesOf(made);
    expect(others).toEqual({});
    expect(det).toMatchObject({
      ...{ type: 'docker', status: 'running', restartPolicy: 'on-failure' },
      env: { A: { value: '1' } },
      settings: { image: 'x:1' },
    });
    expect(parseCreateOptions(det?.settings.createOptions)).toEqual({
      HostConfig: { ShmSize: 67108864 },
      ExposedPorts: { '9000/tcp': {}, '6677/tcp': {} },
      Labels: {
        'vantage.skill-node': 'det',
        'vantage.architecture': 'ARM64',
        'vantage.acceleration': 'Nvidia Jetson (Jetpack 5)',
      },
    });
  });

  test('H 25: devices that do not fit are refused, from the manifest as well', async () => {
    const { manifest } = await generate([skill('line', FORM)]);
    const said = (platform: string): string[] => inspectPlacement(manifest, platform).map(({ message }) => message);
    expect(said('amd64')).toEqual([
      'det is made for ARM64 with Nvidia Jetson (Jetpack 5); a device of the platform amd64 is X64',
    ]);
    expect(said('arm64v8')).toEqual([
      expect.stringContaining('where the device has it, the platform is arm64v8.jetson'),
    ]);
    expect(said('arm64v8.jetson')).toEqual([]);
    const gpu = await generate([skill('line', { ...FORM, architecture: 'X64', acceleration: 'Nvidia dGPU' })]);
    expect(inspectPlacement(gpu.manifest, 'amd64')).toHaveLength(1);
    expect(inspectPlacement(gpu.manifest, 'amd64.dgpu.debug')).toEqual([]);
    const cpu = await generate([skill('line', { ...FORM, architecture: 'X64', acceleration: 'CPU' })]);
    expect(inspectPlacement(cpu.manifest, 'amd64.dgpu')).toEqual([]);
  });

  test.each<[string, Form, RegExp]>([
    ['port', { port: '0' }, /port .*1 to 65535/],
    ['port', { port: '65536' }, /port .*1 to 65535/],
    ['create_options', { create_options: '{"a": ' }, /create_options is no JSON/],
    ['route', { route: 'GRPC' }, /route expected nothing, or \//],
    ['env', { env: '[{"key": "A", "value": ""}, {"key": "B", "value": "2"}]' }, /env row 1 has a key and no value/],
    ['architecture', { architecture: undefined, acceleration: undefined }, /architecture is missing/],
    ['container_name', { container_name: undefined }, /container_name is missing/],
    ['acceleration', { acceleration: 'CPU' }, /acceleration ARM64 has Nvidia Jetson/],
  ])('H 25: a wrong %s is an error of its field, and no module is made', async (field, change, message) => {
    const made = await generate([skill('line', { ...FORM, ...change })]);
    expect(made.problems).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringMatching(message) }),
    ]);
    expect(made.problems.map(({ path }) => pathText(path))).toEqual([
      `modulesContent.controllermodule["properties.desired"].azdaConfiguration.components.skills[0].nodes[1].configurations.${field}`,
    ]);
    expect(made.problems[0]?.message).toMatch(/^node 2: /);
    expect(modulesOf(made)).toEqual({});
  });

  test('H 25: an edit does not make a second one, nor does a second node of the same form', async () => {
    const first = await generate([
      skill('line', FORM),
      skill('zone', { ...FORM, create_options: FORM.create_options }),
    ]);
    expect(Object.keys(modulesOf(first))).toEqual(['det']);
    const edited = skill('line', { ...FORM, container_image: 'x:2', port: '7000' });
    const again = await generate([edited], modulesOf(first));
    expect(again.problems).toEqual([]);
    expect(Object.keys(modulesOf(again))).toEqual(['det']);
    const options = parseCreateOptions(modulesOf(again)['det']?.settings.createOptions);
    expect(modulesOf(again)['det']?.settings.image).toBe('x:2');
    expect(options['ExposedPorts']).toEqual({ '9000/tcp': {}, '7000/tcp': {} });
  });

  test('a name is one container: others of it are refused', async () => {
    const other = { ...FORM, container_image: 'y:1' };
    const { problems } = await generate([skill('line', FORM), skill('zone', other)]);
    expect(problems.map(({ message }) => message)).toEqual([
      'node 2 of skill zone and node 2 of skill line want different containers of the name det',
    ]);
    const modules = { Det: { type: 'docker', settings: { image: 'z:1', createOptions: {} } } };
    const clash = await generate([skill('line', FORM)], modules);
    expect(clash.problems.map(({ message }) => message)).toEqual([
      'node 2 of skill line wants a module det, and the deployment has another of that name: rename one of them',
    ]);
  });

  test("the author's own module of that name and image stays as it is", async () => {
    const own = { type: 'docker', settings: { image: 'x:1', createOptions: { Hostname: 'mine' } } };
    const made = await generate([skill('line', FORM)], { det: own });
    expect(made.problems).toEqual([]);
    expect(parseCreateOptions(modulesOf(made)['det']?.settings.createOptions)).toEqual({ Hostname: 'mine' });
  });

  test('parameters of instances count; documents may be text, and endpoints bring nothing along', async () => {
    const form = { ...FORM, container_name: '$param(where)' };
    const parameters = { parameters: { where: 'here' } };
    const instances = { instances: [{ id: 'a' }, { id: 'b', parameters: { where: 'there' } }] };
    expect(Object.keys(modulesOf(await generate([skill('line', form, { ...parameters, ...instances })])))).toEqual([
      'here',
      'there',
    ]);
    const document = { ...skill('line', form, parameters), id: 'other' };
    const text = { id: 'line', document: JSON.stringify(document) };
    expect(Object.keys(modulesOf(await generate([text])))).toEqual(['here']);
    const endpoint = skill('line', { type: 'endpoint', endpoint_url: 'det:6677' });
    expect(modulesOf(await generate([endpoint, { id: 'odd', document: 7 }, 5 as unknown as object]))).toEqual({});
  });
});
