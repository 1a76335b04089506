import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { validateConfiguration } from '@vantage/contracts';
import { compileSkills } from '@vantage/skill';
import { nodeCommand } from './command.ts';
import { REPOSITORY, createNode } from './create/create-node.ts';

const run = promisify(execFile);
const page = readFileSync(path.join(REPOSITORY, 'docs/custom-nodes.md'), 'utf8');
const example = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)![1]!;
const folder = mkdtempSync(path.join(tmpdir(), 'vantage-node-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const python = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc, google.protobuf, numpy']).status === 0,
);
if (!python)
  process.stderr.write('docs/custom-nodes.md in Python: skipped, no Python with grpcio, protobuf and numpy\n');

/** The skill of the page, with more in the configuration of its custom node. */
function compiled(settings: Readonly<Record<string, string>> = {}) {
  const twin = JSON.parse(example('json')) as { azdaConfiguration: { components: Record<string, unknown> } };
  const { components } = twin.azdaConfiguration;
  const [skill] = components['skills'] as [{ nodes: { name: string; configurations: object }[] }];
  for (const node of skill.nodes) if (node.name === 'grpc_transform') Object.assign(node.configurations, settings);
  const kind = { type: 'vision', subtype: 'RTSP' };
  components['sensors'] = [{ name: 'street', kind, endpoint: 'rtsp://rtspsim:554/street.mp4' }];
  const read = validateConfiguration(twin);
  expect(read.errors).toEqual([]);
  return compileSkills(read.components!);
}

describe('docs/custom-nodes.md', () => {
  test('its twin runs', () => {
    const { graphs, issues } = compiled();
    expect(issues).toEqual([]);
    expect(graphs.map(({ id, nodes }) => [id, nodes.map((node) => node.kind)])).toEqual([
      ['home', ['source', 'custom', 'export']],
    ]);
  });

  test('every field of its table is known to skills', () => {
    const settings = {
      deadline_ms: '100',
      on_failure: 'drop',
      merge: 'replace',
      in_flight: '2',
      downscale: '1280x720',
      max_message_bytes: '4194304',
      tls: 'true',
      ca_file: '/etc/ca.pem',
      token: 'secret',
      shared_memory: 'off',
    };
    for (const field of Object.keys(settings)) expect(page).toContain(`\`${field}\``);
    const { graphs, issues } = compiled(settings);
    expect(issues).toEqual([]);
    expect(graphs[0]?.nodes[1]).toMatchObject({
      deadlineMs: 100,
      onFailure: 'drop',
      merge: 'replace',
      inFlight: 2,
      downscale: { width: 1280, height: 720 },
      maxMessageBytes: 4_194_304,
      tls: { caFile: '/etc/ca.pem' },
      sharedMemory: 'off',
    });
  });

  test('its node in TypeScript answers', async () => {
    const { folder: made } = await createNode({ name: 'grey', language: 'ts', dir: path.join(folder, 'grey') });
    writeFileSync(path.join(made, 'node.ts'), example('ts'));
    const frame = "{ width: 1, height: 1, colorFormat: 'BGR', pixels: Buffer.from([0, 0, 255]) }";
    const program = `import { Grey } from './node.ts';
      const { image } = await new Grey().process(${frame});
      process.stdout.write(String(new Set(image.pixels).size));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: made });
    expect(stdout).toBe('1');
  });

  (python ? test : test.skip)('its node in Python answers', async () => {
    writeFileSync(path.join(folder, 'bright.py'), example('python'));
    const program = `import bright, numpy
from vantage_custom_node import CustomNodeClient, CustomNodeServer
server = CustomNodeServer(0, bright.Bright(), host="127.0.0.1")
client = CustomNodeClient(f"127.0.0.1:{server.start()}", timeout=10)
for value in (255, 0):
    print([one.label for one in client.send(numpy.full((4, 4, 3), value, "uint8")).insights_meta.objects_meta])
client.close()
server.stop()`;
    const env = { ...process.env, PYTHONPATH: path.join(REPOSITORY, 'sdk/python'), PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await run(python ?? '', ['-c', program], { cwd: folder, env });
    expect(stdout).toBe("['bright']\n[]\n");
  });

  test('its commands and options exist', () => {
    const commands = new Map(nodeCommand().commands.map((one) => [one.name(), one]));
    const lines = page.split('\n').filter((line) => line.startsWith('npx vantage node '));
    expect(new Set(lines.map((line) => line.split(' ')[3]))).toEqual(new Set(commands.keys()));
    for (const line of lines) {
      const known = commands.get(line.split(' ')[3]!)!.options.map((option) => option.long);
      for (const [option] of line.split(' # ')[0]!.matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
    }
  });

  test('its codes are in docs/errors.md', () => {
    const errors = readFileSync(path.join(REPOSITORY, 'docs/errors.md'), 'utf8');
    const codes = page.match(/CUSTOM_NODE_[A-Z_]+/g)!;
    expect(codes.length).toBeGreaterThan(4);
    for (const code of codes) expect(errors).toContain(`\`${code}\``);
  });
});
