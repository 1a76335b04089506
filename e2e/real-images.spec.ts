import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectEngine, findImage } from '@vantage/local-edge';
import { freePort } from '@vantage/observability';
import type Docker from 'dockerode';
import { REPOSITORY } from './support/assets.ts';
import { DockerRegistry, hasRegistry } from './support/docker-registry.ts';
import { ffprobePath } from './support/ffprobe.ts';
import { RunningVantage, vantage } from './support/vantage.ts';

const engine = await connectEngine().catch((error: unknown) =>
  error instanceof Error ? error.message : String(error),
);
const missing =
  typeof engine === 'string' ? engine : hasRegistry() ? undefined : 'docker-registry (a package of Debian) is not here';
if (missing !== undefined) process.stderr.write(`real-images.spec.ts is skipped: ${missing}\n`);

interface ListedImage {
  readonly module: string;
  readonly tag: string;
  readonly sizeBytes?: number;
}

/** The images that a device gets, by the way it gets them: tests go on where the one before them stopped. */
(missing === undefined ? describe : describe.skip)('real images, really run', () => {
  const docker = engine as Docker;
  let work: string;
  let state: string;
  let registry: DockerRegistry;
  let images: readonly ListedImage[];
  let up: RunningVantage | undefined;
  let rtspPort: number;
  const inRegistry = ({ tag }: { readonly tag: string }): string => `${registry.host}/${tag}`;

  beforeAll(async () => {
    work = mkdtempSync(path.join(os.tmpdir(), 'vantage-images-'));
    state = path.join(work, 'state');
    registry = await DockerRegistry.start(path.join(work, 'registry'));
    rtspPort = await freePort();
  });
  afterAll(async () => {
    await up?.stop();
    for (const image of images ?? [])
      await docker
        .getImage(inRegistry(image))
        .remove()
        .catch(() => undefined);
    await registry?.stop();
    rmSync(work, { recursive: true, force: true });
  }, 120_000);

  test('every module is built on the base that BASE_IMAGE names', async () => {
    const built = await vantage(['image', 'build', '--local-base']);
    expect([built.stderr, built.status]).toEqual(['', 0]);
    const { stdout } = await vantage(['image', 'list', '--json']);
    ({ images } = JSON.parse(stdout) as { images: ListedImage[] });
    expect(images.map(({ module }) => module)).toEqual(
      expect.arrayContaining(['BusinessLogicModule', 'VideoUploader', 'ai-pipeline', 'controllermodule', 'player']),
    );
    for (const { tag } of images) {
      const { Config, Size } = (await findImage(docker, tag))!;
      expect([tag, Config.User, Size > 0]).toEqual([tag, 'node', true]);
      expect(Config.Healthcheck?.Test?.join(' ')).toContain('/healthz');
    }
  }, 600_000);

  test('a registry takes them from who may, and from nobody else', async () => {
    const push = (image: ListedImage): string[] => [
      ...['image', 'push', '--image-name', image.tag, '--container-registry', registry.host],
    ];
    const refused = await vantage(push(images[0]!), { DOCKER_CONFIG: work });
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/IMAGE_PUSH_FAILED/)]);
    for (const image of images) {
      const login = ['--username', registry.user, '--password-file', registry.passwordFile];
      const { status, stderr } = await vantage([...push(image), ...login]);
      expect([image.tag, stderr, status]).toEqual([image.tag, '', 0]);
      // It has to come back from the registry.
      await docker.getImage(inRegistry(image)).remove();
    }
    expect(await registry.repositories()).toEqual(images.map(({ tag }) => tag.replace(/:.*/, '')).sort());
  }, 600_000);

  test('the default deployment runs from there: fetched with its credentials, to the first inference message', async () => {
    let text = readFileSync(path.join(REPOSITORY, 'deployment.template.json'), 'utf8');
    for (const image of images) text = text.replaceAll(`\${MODULES.${image.module}}`, inRegistry(image));
    // Port 8554 may be somebody else's here.
    text = text.replaceAll('"HostPort": "8554"', `"HostPort": "${rtspPort}"`);
    const deployment = path.join(work, 'deployment.template.json');
    writeFileSync(deployment, text);
    up = new RunningVantage(['up', '--containers', '--json', '--state', state, '--deployment', deployment], {
      CONTAINER_REGISTRY_NAME: registry.host,
      CONTAINER_REGISTRY_USERNAME: registry.user,
      CONTAINER_REGISTRY_PASSWORD: registry.password,
    });
    const inference = await up.line('an inference', ({ event }) => event === 'inference', { timeoutMs: 200_000 });
    expect(inference).toMatchObject({ pipeline: 'StreetDetection', sensor: 'street', frameId: expect.any(Number) });
    for (const name of ['ai-pipeline', 'VideoUploader', 'rtspsim']) {
      const { Image, Config, State } = await containerOf(name);
      const image = images.find(({ module }) => module === name)!;
      expect([Config.Image, State.Running]).toEqual([inRegistry(image), true]);
      expect((await docker.getImage(Image).inspect()).RepoDigests.join(' ')).toContain(registry.host);
    }
  }, 240_000);

  test('a clip goes from one container to the next, and from there to storage', async () => {
    const clip = await up!.line('a clip', ({ event }) => event === 'clip', { timeoutMs: 90_000 });
    await up!.line('its upload', ({ event, file }) => event === 'uploaded' && file === clip['file']);
  }, 160_000);

  test('the live picture is served by RTSP on the port that the deployment publishes', async () => {
    const { stdout } = await promisify(execFile)(ffprobePath(), [
      ...['-v', 'error', '-rtsp_transport', 'tcp', '-show_entries', 'stream=codec_name,width', '-of', 'csv=p=0'],
      `rtsp://127.0.0.1:${rtspPort}/StreetDetection`,
    ]);
    expect(stdout.trim()).toMatch(/^h264,960/);
  }, 60_000);

  test('the Player serves its page from its image, and asks who comes', async () => {
    const player = images.find(({ module }) => module === 'player')!;
    const container = await docker.createContainer({
      Image: player.tag,
      Env: [
        'PLAYER_TOKEN=a-token-of-this-test',
        'IOTHUB_CONNECTION_STRING=HostName=127.0.0.1;SharedAccessKeyName=n;SharedAccessKey=bm8=',
        'VANTAGE_DEVICE=nobody',
      ],
      HostConfig: { PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
    });
    try {
      const output = await container.attach({ stream: true, stdout: true, stderr: true });
      await container.start();
      let said = '';
      for await (const chunk of output) {
        said += String(chunk);
        if (said.includes('the Player is at')) break;
      }
      expect(said).toContain('the Player is at');
      const { NetworkSettings } = await container.inspect();
      const base = `http://127.0.0.1:${NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort}`;
      const page = await openPage(base);
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script type="module"')]);
      expect((await fetch(`${base}/api/cameras`)).status).toBe(401);
    } finally {
      await container.remove({ force: true, v: true });
    }
  }, 60_000);

  test('its end leaves no container and no network', async () => {
    const { Config } = await containerOf('ai-pipeline');
    const label = [`vantage.edge.runtime=${Config.Labels['vantage.edge.runtime']}`];
    expect(await docker.listNetworks({ filters: { label } })).toHaveLength(1);
    expect(await up!.stop()).toBe(0);
    expect(up!.stderr).toBe('');
    expect(await docker.listContainers({ all: true, filters: { label } })).toEqual([]);
    expect(await docker.listNetworks({ filters: { label } })).toEqual([]);
  }, 90_000);

  async function containerOf(module: string): Promise<Docker.ContainerInspectInfo> {
    const filters = { label: ['net.azure-devices.edge.owner=vantage', `net.azure-devices.edge.module=${module}`] };
    const found = (await docker.listContainers({ filters })).find(({ Image }) => Image.startsWith(registry.host));
    expect([module, found]).toEqual([module, expect.anything()]);
    return docker.getContainer(found!.Id).inspect();
  }
});

/** As a browser does: a page that is not there yet says in how many seconds to ask again. */
async function openPage(url: string): Promise<Response> {
  for (;;) {
    const page = await fetch(url);
    const seconds = page.headers.get('refresh');
    if (seconds === null) return page;
    await sleep(Number(seconds) * 1000);
  }
}
