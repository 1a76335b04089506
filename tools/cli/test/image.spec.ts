import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { connectEngine } from '@vantage/local-edge';
import { customDockerfile } from '../src/image/custom-dockerfile.ts';
import { credentialsFor } from '../src/image/credentials.ts';
import { REPOSITORY } from '../src/image/modules.ts';
import { runtimeFiles } from '../src/image/packages.ts';
import { vantage, type Outcome } from './fixtures/cli.ts';

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);

const hasEngine = await connectEngine().then(
  () => true,
  () => false,
);
if (!hasEngine) process.stderr.write('skipped: images are not built, no Docker engine answers here\n');

let work: string;
let dir: string;
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-image-'));
  dir = path.join(work, 'docker-build');
  mkdirSync(dir);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('vantage image create', () => {
  const create = ['image', 'create', '--tag', 'mine:1', '--device-type', 'CPU', '--no-build-image'];

  test('writes a Dockerfile: copies, then commands, and the module runs as nobody special', async () => {
    const more = [
      '--add',
      'models/a /app/models/a',
      '--add',
      'x.py /app/',
      '--run',
      'apt-get update',
      '--backend',
      'python',
    ];
    const { status, stdout } = await vantage([...create, '--build-dir', dir, ...more, '--light-tracker']);
    expect(status).toBe(0);
    expect(stdout).toContain('note: --light-tracker: it is in every image');
    expect(readFileSync(path.join(dir, 'Dockerfile.custom'), 'utf8').split('\n').slice(1)).toEqual([
      expect.stringMatching(/^FROM vantage\/ai-pipeline:.*-amd64$/),
      'USER root',
      'COPY models/a /app/models/a',
      'COPY x.py /app/',
      'RUN apt-get update',
      'USER node',
      '',
    ]);
    const again = await vantage([...create, '--build-dir', dir]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('--force writes it anew')]);
    expect((await vantage([...create, '--build-dir', dir, '--force'])).status).toBe(0);
  });

  test.each([['../secret /x'], ['/etc/passwd /x'], ['one'], ['a b c']])('--add %j is refused', (add) => {
    expect(() => customDockerfile({ base: 'b', add: [add], run: [] })).toThrow('--add');
  });

  test('a command of several lines would smuggle in more than a command', () => {
    expect(() => customDockerfile({ base: 'b', add: [], run: ['true\nUSER root'] })).toThrow('one line');
  });

  test('azdacli is the same command', async () => {
    const bin = path.resolve(import.meta.dirname, '../bin/azdacli.mjs');
    const child = spawn(process.execPath, [bin, 'create', '--help']);
    expect(await text(child.stdout)).toContain('--deepstream-image-type');
  });
});

describe('who pushes', () => {
  test("Docker's own logins: kept in its file, or with a helper", async () => {
    const auth = Buffer.from('me:pass:word').toString('base64');
    writeFileSync(path.join(work, 'config.json'), JSON.stringify({ auths: { 'r.example.org': { auth } } }));
    const env = { DOCKER_CONFIG: work };
    expect(await credentialsFor('r.example.org', undefined, env)).toEqual({ username: 'me', password: 'pass:word' });
    expect(await credentialsFor('other.example.org', undefined, env)).toBeUndefined();
    expect(await credentialsFor('x', { username: 'a', password: 'b' }, env)).toEqual({ username: 'a', password: 'b' });
  });

  test('without a password and without anybody to ask', async () => {
    await expect(credentialsFor('x', { username: 'a' }, {})).rejects.toThrow('--password-file');
  });
});

(hasEngine ? test : test.skip)('an engine builds a Dockerfile; a registry that is not there is told', async () => {
  writeFileSync(path.join(dir, 'Dockerfile.tiny'), 'FROM scratch\nCOPY Dockerfile.tiny /\n');
  const built = await vantage([
    'image',
    'build',
    '--path',
    path.join(dir, 'Dockerfile.tiny'),
    '--tag',
    'vantage-test/tiny:1',
  ]);
  expect([built.stderr, built.status]).toEqual(['', 0]);
  const push = ['image', 'push', '--image-name', 'vantage-test/tiny:1', '--container-registry', '127.0.0.1:9'];
  const pushed = await vantage(push);
  expect([pushed.status, pushed.stderr]).toEqual([1, expect.stringContaining('IMAGE_PUSH_FAILED')]);
});

test('list names every module, with or without an engine', async () => {
  const { stdout } = await vantage(['image', 'list', '--json']);
  const { engine, images } = JSON.parse(stdout) as { engine: boolean; images: { module: string }[] };
  expect(engine).toBe(hasEngine);
  expect(images.map(({ module }) => module)).toEqual(expect.arrayContaining(['ai-pipeline', 'controllermodule']));
});

describe('vantage image sbom', () => {
  test('names every package that the image takes along', async () => {
    const out = path.join(work, 'sbom');
    const { status, stdout, stderr } = await vantage(['image', 'sbom', '--module', 'controllermodule', '--out', out]);
    expect([status, stderr]).toEqual([0, '']);
    const file = stdout.split('  ')[0]!;
    expect(path.basename(file)).toMatch(/^vantage_controllermodule_[\d.]+-(amd64|arm64v8)\.cdx\.json$/);
    const bill = JSON.parse(readFileSync(file, 'utf8')) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { purl: string }[];
    };
    expect([bill.bomFormat, bill.metadata.component.name]).toEqual(['CycloneDX', 'controllermodule']);
    const known = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl).split('?')[0]));
    const packages = (await runtimeFiles(REPOSITORY, 'modules/controllermodule')).filter(
      ({ name, link }) => link === undefined && /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(name),
    );
    const wanted = packages.map(({ file: json }) => {
      const { name, version } = JSON.parse(readFileSync(json, 'utf8')) as { name: string; version: string };
      return `pkg:npm/${name}@${version}`;
    });
    expect(wanted.length).toBeGreaterThan(50);
    expect(wanted.filter((one) => !known.has(one))).toEqual([]);
  });
});

describe('vantage image build for several platforms', () => {
  const build = ['image', 'build', '--module', 'rtspsim', '--platform', 'amd64,arm64v8'];

  /** A docker that writes down what it is asked, in place of the one that would build and push. */
  function withDocker(script: string): string {
    const folder = mkdtempSync(path.join(work, 'docker-'));
    writeFileSync(path.join(folder, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return folder;
  }
  async function run(folder: string, args: readonly string[]): Promise<Outcome> {
    const before = process.env['PATH'] ?? '';
    process.env['PATH'] = `${folder}:${before}`;
    try {
      return await vantage(args);
    } finally {
      process.env['PATH'] = before;
    }
  }

  test('--buildx builds and pushes each, and one name for both', async () => {
    const log = path.join(work, 'docker.log');
    const { status, stdout } = await run(withDocker(`echo "$@" >> '${log}'`), [
      ...build,
      '--buildx',
      '--registry',
      'r.example.org',
    ]);
    expect(status).toBe(0);
    const image = 'r.example.org/vantage/rtspsim:0.1.0';
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
      'buildx version',
      `buildx build --platform linux/amd64 --file modules/rtspsim/Dockerfile.amd64 --tag ${image}-amd64 --push .`,
      `buildx build --platform linux/arm64 --file modules/rtspsim/Dockerfile.arm64v8 --tag ${image}-arm64v8 --push .`,
      `buildx imagetools create --tag ${image} ${image}-amd64 ${image}-arm64v8`,
    ]);
    expect(stdout).toContain(`${image} pushed: 2 platforms`);
  });

  test('what cannot be done is said', async () => {
    const missing = await run(withDocker('exit 1'), [...build, '--buildx', '--registry', 'r.example.org']);
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('IMAGE_BUILDX_MISSING')]);
    const broken = await run(withDocker('[ "$2" = version ] || { echo no space left >&2; exit 7; }'), [
      ...build,
      '--buildx',
      '--registry',
      'r.example.org',
    ]);
    expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining('no space left')]);
    const nowhere = await vantage([...build, '--buildx']);
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringContaining('--registry')]);
    const other = process.arch === 'arm64' ? 'amd64' : 'arm64v8';
    const foreign = await vantage(['image', 'build', '--local-base', '--platform', other]);
    expect([foreign.status, foreign.stderr]).toEqual([1, expect.stringContaining('OPTIONS_CONFLICT')]);
  });
});
