import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { checkFile } from './check.ts';
import { exportFile, importFile } from './convert.ts';
import { showFile } from './show.ts';

const DOOR = fileURLToPath(new URL('../../../../libs/skill/examples/door.yaml', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'vantage-skill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEXT = { json: false, param: [] };

function fileWith(text: string): string {
  const file = path.join(folder, `${Math.floor(performance.now() * 1000)}.txt`);
  writeFileSync(file, text);
  return file;
}

describe('vantage skill', () => {
  test('check: the example is right', async () => {
    expect(await checkFile(DOOR, TEXT)).toEqual({
      text: 'door: 8 nodes, 7 edges, nothing to complain about\n',
      good: true,
    });
  });

  test('check: mistakes name their node and field; a parameter may bring one', async () => {
    const broken = fileWith(
      readFileSync(DOOR, 'utf8').replace('name: zone', 'name: zones').replace("seconds: '5'", 'x: 1'),
    );
    const { text, good } = await checkFile(broken, { json: false, param: ['node=nowhere'] });
    expect(good).toBe(false);
    expect(text.split('\n').slice(0, 3)).toEqual([
      'door: 8 nodes, 7 edges, 2 errors',
      '  error    node 5  nodes[5].name: Unknown Name "zones" for Type "transform"; did you mean "zone"?',
      '  error    node 3  nodes[3].configurations.endpoint_url: has no port; write host:port, with an optional scheme and /route, or unix:/path (from $param(node))',
    ]);
  });

  test('check --json: valid or not, and every issue with its place', async () => {
    const { text, good } = await checkFile(fileWith('{"nodes": [{"id": "0", "type": "source", "name": "rtsp"}]}'), {
      ...TEXT,
      json: true,
    });
    const { valid, skills } = JSON.parse(text) as { valid: boolean; skills: { issues: { node?: string }[] }[] };
    expect([good, valid, skills[0]!.issues.at(-1)!.node]).toEqual([false, false, '0']);
  });

  test('check: a twin is checked as the controllermodule would, with its models and cameras', async () => {
    const [entry] = [JSON.parse((await importFile(DOOR, { json: true })).text) as Record<string, unknown>];
    const twin = (model: string) => ({
      sensors: [{ name: 'gate', endpoint: 'rtsp://host/gate' }],
      models: [{ name: model, configFile: 'p.txt' }],
      skills: [{ ...entry, instances: [{ id: 'west', sensors: ['gate'] }] }],
    });
    const check = (model: string) => checkFile(fileWith(JSON.stringify(twin(model))), TEXT);
    expect(await check('people')).toEqual({
      text: [
        'twin: 1 skill, 1 pipeline of them',
        '  warning  components.skills[0].nodes[5].configurations.region: node "5": the camera "gate" has no region "door"; nothing is in it until it has',
        '',
      ].join('\n'),
      good: true,
    });
    const { text, good } = await check('cars');
    expect(good).toBe(false);
    expect(text).toContain('error    components.skills[0].nodes[1]: node "1": there is no model "people"');
  });

  test('check: a file without a skill', async () => {
    const { text, good } = await checkFile(fileWith('kind: Model\nspec: {}\n'), TEXT);
    expect([good, text.split('\n')[1]]).toEqual([false, 'there is no skill in it']);
  });

  test('show draws the graph', async () => {
    const { text, good } = await showFile(DOOR, { json: false, param: ['fps=5'] });
    expect(good).toBe(true);
    expect(text).toBe(
      [
        'door',
        '0  source rtsp  ip=invalid  fps=5  device_name=invalid',
        '└─ 1  model people',
        '   └─ 2  transform tracker',
        '      └─ 3  transform grpc_transform  type=endpoint  endpoint_url=localhost:6677',
        '         └─ 4  transform filter_transform  labels=["person"]  confidence_threshold=50',
        '            └─ 5  transform zone  rule=dwell  region=door  seconds=5',
        '               ├─ 6  export http_export  url=http://localhost:5000/door',
        '               └─ 7  export iothub_export  delay_buffer=30',
        '',
      ].join('\n'),
    );
  });

  test('show draws what is not connected, joins and cycles, and ends', async () => {
    const node = (id: string, type = 'transform') => ({ id, type, name: 'x', configurations: { token: 'geheim' } });
    const edge = (from: string, to: string) => ({ source: { node: from }, target: { node: to } });
    const edges = [edge('0', 'a'), edge('0', 'b'), edge('a', 'b'), edge('b', 'nobody'), edge('c', 'd'), edge('d', 'c')];
    const nodes = [node('0', 'source'), ...['a', 'b', 'c', 'd'].map((id) => node(id)), node('e')];
    const { text } = await showFile(fileWith(JSON.stringify({ displayName: 'odd', nodes, edges })), TEXT);
    expect(text.replaceAll('  token=***', '').split('\n')).toEqual([
      'odd',
      '0  source x',
      '├─ a  transform x',
      '│  └─ b  transform x',
      '│     └─ nobody  is missing',
      '└─ b  as above',
      'nothing leads from the camera to:',
      'e  transform x',
      'c  transform x',
      '└─ d  transform x',
      '   └─ c  as above',
      '',
    ]);
  });

  test('import and export: to a twin’s entry and back, nothing is lost', async () => {
    const { text } = await importFile(DOOR, { json: false });
    expect(JSON.parse(text)).toMatchObject({
      id: 'door',
      instances: [],
      displayName: 'Door',
      symphony: { kind: 'Skill' },
    });
    const back = await exportFile(fileWith(text), { json: true });
    const first = await exportFile(DOOR, { json: true });
    expect(JSON.parse(back.text)).toEqual(JSON.parse(first.text));
    expect((await checkFile(fileWith((await exportFile(fileWith(text), { json: false })).text), TEXT)).good).toBe(true);
  });

  test('what is no skill is said, and a file that is not there is an error', async () => {
    expect(await importFile(fileWith('- 1'), { json: true })).toEqual({
      text: '',
      problems: 'error    a skill is an object with nodes and edges\n',
      good: false,
    });
    await expect(checkFile(path.join(folder, 'none'), TEXT)).rejects.toMatchObject({ code: 'INPUT_MISSING' });
  });
});
