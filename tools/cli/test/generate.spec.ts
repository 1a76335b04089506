import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { startVantage, vantage as run, type Outcome } from './fixtures/cli.ts';

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);

const ROOT = path.resolve(import.meta.dirname, '../../..');
let work: string;
let folder: string;
beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'vantage-generate-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(path.join(work, 'case-'));
});

const vantage = (...args: string[]): Promise<Outcome> => run(args, folder);

test('the default template becomes a manifest, and is fine', async () => {
  await writeFile(path.join(folder, '.env'), await readFile(path.join(ROOT, '.env.example')));
  const { status, stderr } = await vantage('generate', path.join(ROOT, 'deployment.template.json'));
  expect(stderr).toBe('config/deployment.amd64.json written\n');
  expect(status).toBe(0);
  const { modulesContent } = JSON.parse(await readFile(path.join(folder, 'config/deployment.amd64.json'), 'utf8'));
  expect(modulesContent.$edgeAgent['properties.desired'].modules['ai-pipeline'].settings.image).toMatch(/-amd64$/);
  expect((await vantage('manifest', 'check', 'config/deployment.amd64.json')).status).toBe(0);
});

test('what is wrong is told with line and column of the template, all at once, and nothing is written', async () => {
  const template = `{
  "modulesContent": {
    "$edgeAgent": { "properties.desired": {
      "schemaVersion": "1.1",
      "runtime": { "type": "docker", "settings": { "minDockerVersion": "\${DOCKER}" } },
      "systemModules": {
        "edgeAgent": { "type": "docker", "settings": { "image": "agent:1.4" } },
        "edgeHub": { "type": "docker", "status": "running", "restartPolicy": "always", "settings": { "image": "$HUB" } }
      },
      "modules": {}
    } },
    "$edgeHub": { "properties.desired": {
      "schemaVersion": "1.2",
      "routes": { "one": "FROM nowhere" },
      "storeAndForwardConfiguration": { "timeToLiveSecs": -5.5 }
    } }
  }
}`;
  await writeFile(path.join(folder, 'deployment.template.json'), template);
  const { status, stdout } = await vantage('generate', '--json');
  const { ok, manifest, problems } = JSON.parse(stdout);
  expect({ status, ok, manifest }).toEqual({ status: 1, ok: false, manifest: null });
  expect(problems[0]).toMatchObject({ severity: 'warning', message: expect.stringContaining('DOCKER, HUB') });
  expect(problems).toContainEqual(
    expect.objectContaining({ severity: 'error', line: 14, column: 19, path: expect.stringContaining('routes.one') }),
  );
  expect(problems).toContainEqual(expect.objectContaining({ severity: 'error', line: 15 }));
  expect((await vantage('generate', '--no-check')).status).toBe(0);
});

test.each([
  ['comment', '{\n  // mine\n  "a": 1 }', 'template.json:2:3: error: not JSON', 'comments are no JSON'],
  ['comma', '{\n  "a": 1,\n}', 'template.json:3:1: error: not JSON', 'remove the comma'],
  ['bom', '\ufeff{}', 'template.json:1:1: error: not JSON', 'byte order mark'],
  ['unset', '{"a":\r\n ${TTL} }', 'template.json:2:2: error: not JSON', 'not set: TTL'],
])('no JSON (%s) is pointed at', async (_name, template, where, why) => {
  await writeFile(path.join(folder, 'template.json'), template);
  const { status, stderr } = await vantage('generate', 'template.json');
  expect(status).toBe(1);
  expect(stderr).toContain(where);
  expect(stderr).toContain(why);
});

test('a file of variables that is not there is named by us, not by Node, however old it is', () => {
  const bin = path.join(ROOT, 'tools/cli/bin/vantage.mjs');
  const { status, stderr } = spawnSync(bin, ['generate', 'x.json', '--env-file', 'none.env'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/^vantage: (x\.json|none\.env) does not exist \(INPUT_MISSING\)\n$/);
  expect(status).toBe(1);
});

test('--style vscode: an empty variable stays, characters stay, and .env wins', async () => {
  await mkdir(path.join(folder, 'modules/cam'), { recursive: true });
  const image = { repository: 'Local/Cam', tag: { version: '2.0', platforms: { amd64: 'Dockerfile' } } };
  await writeFile(path.join(folder, 'modules/cam/module.json'), JSON.stringify({ image }));
  await writeFile(path.join(folder, '.env'), 'EMPTY=\nNAME=Zoë\n');
  const settings = { image: '${MODULES.cam}', createOptions: { Env: ['A=${EMPTY}', 'N=$NAME'] } };
  const template = {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { systemModules: {}, modules: { cam: { settings } } } },
      $edgeHub: { 'properties.desired': { routes: { up: 'FROM /messages/* INTO $upstream' } } },
    },
  };
  await writeFile(path.join(folder, 'deployment.template.json'), JSON.stringify(template));
  const { stdout } = await vantage('generate', '--style', 'vscode', '--no-check', '--out', '-');
  const { modulesContent } = JSON.parse(stdout);
  expect(modulesContent.$edgeAgent['properties.desired'].modules.cam.settings).toEqual({
    image: 'Local/Cam:2.0-amd64',
    createOptions: '{"Env":["A=${EMPTY}","N=Zoë"]}',
  });
  expect(modulesContent.$edgeHub['properties.desired'].routes.up).toBe('FROM /messages/* INTO $upstream');
  expect(stdout).toContain('Zoë');
});

test('a container of a skill comes along, and where it does not fit nothing is written (H 25)', async () => {
  const template = JSON.parse(await readFile(path.join(ROOT, 'deployment.template.json'), 'utf8'));
  const configurations = {
    ...{
      type: 'container',
      container_name: 'det',
      container_image: 'x:1',
      port: '6677',
      env: '[{"key":"A","value":"1"}]',
    },
    ...{ architecture: 'ARM64', acceleration: 'Nvidia Jetson (Jetpack 5)' },
  };
  const nodes = [{ id: '1', type: 'source', name: 'rtsp', configurations: {} }];
  const det = { id: '2', type: 'transform', name: 'grpc_transform', configurations };
  const edges = [{ source: { node: '1' }, target: { node: '2' } }];
  const { azdaConfiguration } = template.modulesContent.controllermodule['properties.desired'];
  azdaConfiguration.components.skills = [{ id: 'line', nodes: [...nodes, det], edges }];
  await writeFile(path.join(folder, '.env'), await readFile(path.join(ROOT, '.env.example')));
  const file = path.join(folder, 'deployment.template.json');
  await writeFile(file, JSON.stringify(template, null, 2));
  const generate = (...more: string[]): Promise<Outcome> =>
    vantage('generate', '--modules', path.join(ROOT, 'modules'), ...more);
  const refused = await generate();
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/error: det is made for ARM64 with Nvidia Jetson .*platform amd64 is X64/);
  expect((await generate('--platform', 'arm64v8.jetson')).stderr).toContain('arm64v8.jetson.json written');
  const made = path.join('config', 'deployment.arm64v8.jetson.json');
  const { modulesContent } = JSON.parse(await readFile(path.join(folder, made), 'utf8'));
  expect(modulesContent.$edgeAgent['properties.desired'].modules.det).toMatchObject({
    restartPolicy: 'always',
    env: { A: { value: '1' } },
    settings: { image: 'x:1' },
  });
  // The manifest itself knows, too: a device of another kind does not get it.
  const deployed = await vantage('deploy', made, '--dry-run', '--platform', 'amd64', '--connection-file', 'none');
  expect(deployed.status).toBe(1);
  expect(deployed.stderr).toMatch(/error: det is made for ARM64/);
  expect(deployed.stderr).toContain('DEPLOYMENT_INVALID');
  configurations.port = '0';
  await writeFile(file, JSON.stringify(template, null, 2));
  const wrong = await generate('--platform', 'arm64v8.jetson');
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toMatch(
    /deployment\.template\.json:\d+:\d+: error: node 2: port .*1 to 65535.*configurations\.port/,
  );
});

test('--watch: each change of template, variables and module.json makes it anew; what is no JSON is told and mended', async () => {
  const template = (image: string): string =>
    JSON.stringify({
      modulesContent: {
        $edgeAgent: { 'properties.desired': { systemModules: {}, modules: { cam: { settings: { image } } } } },
      },
    });
  const image = (version: string): string =>
    JSON.stringify({ image: { repository: 'here/cam', tag: { version, platforms: { amd64: 'Dockerfile' } } } });
  const put = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  await mkdir(path.join(folder, 'modules/cam'), { recursive: true });
  await put('modules/cam/module.json', image('1'));
  await put('a.template.json', template('${MODULES.cam}'));
  const child = startVantage(['generate', 'a.template.json', '--no-check', '--watch'], folder);
  const output = child.stderr!.setEncoding('utf8');
  let said = '';
  output.on('data', (text: string) => (said += text));
  const until = async (text: string): Promise<void> => {
    while (!said.includes(text)) await once(output, 'data');
    said = said.slice(said.indexOf(text) + text.length);
  };
  /** One change may be seen twice. */
  const made = async (wanted: string): Promise<void> => {
    let image: unknown;
    while (image !== wanted) {
      await until('a.json written');
      const { modulesContent } = JSON.parse(await readFile(path.join(folder, 'config/a.json'), 'utf8'));
      image = modulesContent.$edgeAgent['properties.desired'].modules.cam.settings.image;
    }
  };
  try {
    await made('here/cam:1-amd64');
    // The first manifest is written before anybody watches.
    await until('watching');
    await put('modules/cam/module.json', image('2'));
    await made('here/cam:2-amd64');
    await put('a.template.json', '{');
    await until('not JSON');
    await put('a.template.json', template('there/cam:${TAG}'));
    await made('there/cam:${TAG}');
    // There was none before.
    await put('.env', 'TAG=7');
    await made('there/cam:7');
  } finally {
    child.kill('SIGINT');
  }
  expect(await once(child, 'close')).toEqual([0, null]);
});
