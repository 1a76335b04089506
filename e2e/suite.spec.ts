import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { inferenceMessageSchema, type ClipDocument } from '@vantage/contracts';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { MediaServer } from '@vantage/rtspsim';
import { ASSETS, describeWithAssets } from './support/assets.ts';
import { ffprobePath } from './support/ffprobe.ts';
import { Suite } from './support/suite.ts';

const EVERYWHERE = {
  label: 'everywhere',
  color: '#00ff00',
  coordinates: [
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 0],
  ],
};

/** The main job, end to end: a real camera protocol, a real model, real SDK clients, modules as processes. */
describeWithAssets('the whole suite on a camera over RTSP', () => {
  let camera: MediaServer;
  let suite: Suite;
  let work: string;
  const messages: string[] = [];

  beforeAll(async () => {
    work = mkdtempSync(path.join(os.tmpdir(), 'vantage-e2e-'));
    const model = path.join(work, 'config_infer.txt');
    writeFileSync(model, YOLOX);
    camera = new MediaServer({
      folder: path.join(ASSETS, 'videos'),
      ffmpeg: await resolveFfmpeg(),
      logger: silentLogger,
      host: '127.0.0.1',
      port: 0,
    });
    await camera.start();
    suite = await Suite.start({ source: `rtsp://127.0.0.1:${camera.port}/media/o4n-people.mp4`, model });
    suite.runtime.on('message', ({ moduleId, output, body }) => {
      if (moduleId === 'ai-pipeline' && output === 'inference') messages.push(body);
    });
    await setRegion(EVERYWHERE);
  }, 60_000);

  afterAll(async () => {
    await suite?.stop();
    await camera?.stop();
    rmSync(work, { recursive: true, force: true });
  }, 60_000);

  /** What the operator does in the twin: another region for the camera. */
  async function setRegion(region: object): Promise<void> {
    const { azdaConfiguration } = structuredClone(suite.runtime.twin('controllermodule').desired) as unknown as {
      azdaConfiguration: { components: { sensors: { regionsOfInterest: object[] }[] } };
    };
    azdaConfiguration.components.sensors[0]!.regionsOfInterest = [region];
    await suite.runtime.patchDesired('controllermodule', { azdaConfiguration });
  }

  function cameraReport(): Record<string, unknown> | undefined {
    const pipelines = suite.reported('ai-pipeline')['pipelines'] as
      Record<string, { cameras?: Record<string, object> }> | undefined;
    return pipelines?.['StreetDetection']?.cameras?.['street'] as Record<string, unknown> | undefined;
  }

  test('modules connect and people are seen', async () => {
    for (const module of ['controllermodule', 'ai-pipeline', 'BusinessLogicModule']) {
      await suite.event('module', (event) => event.module === module && event.status === 'connected');
    }
    const seen = await suite.event('inference', (event) => (event.objects['person'] ?? 0) >= 3);
    expect(seen).toMatchObject({ pipeline: 'StreetDetection', sensor: 'street' });
  }, 90_000);

  test('messages keep the contract: source size, fractions, frames 30 apart', async () => {
    const envelopes = await suite.until('three messages', () =>
      messages.length >= 3 ? messages.slice(0, 3) : undefined,
    );
    const parsed = envelopes.map((body) => inferenceMessageSchema.parse(JSON.parse(body)));
    for (const message of parsed) {
      expect(message).toMatchObject({ schemaVersion: '0.1', events: [] });
      expect(message.regionsOfInterest[0]).toMatchObject({ sensor: 'street' });
      const [inference] = message.inferences;
      expect(inference).toMatchObject({ type: 'detection', id: 'StreetDetection' });
      expect(inference?.sourceInfo).toMatchObject({ id: 'street', width: 800, height: 450 });
      expect(inference?.sourceInfo.timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      for (const detection of inference?.type === 'detection' ? inference.detections : []) {
        const [left, top, width, height] = detection.rect;
        expect(Math.min(left, top, width, height)).toBeGreaterThanOrEqual(0);
        expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(1.0001);
      }
    }
    const ids = parsed.map((message) => message.inferences[0]!.sourceInfo.frameId);
    // Each multiple of 30 once; a busy machine may have dropped the very frame, then the next one carries it.
    expect(ids.map((id) => Math.floor(id / 30))).toEqual([0, 1, 2].map((n) => Math.floor(ids[0]! / 30) + n));
  }, 60_000);

  test('people in the region start a recording; clip and JSON belong together frame by frame', async () => {
    const region = await suite.event('region', (event) => event.region === 'everywhere');
    expect(region).toMatchObject({ sensor: 'street', label: 'person' });
    const clip = await suite.event('clip', () => true, { timeoutMs: 90_000 });
    expect(clip.file).toMatch(/^streetdetection-\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d(-2)?\.mp4$/);
    const file = path.join(suite.clipFolder, clip.file);
    const document = JSON.parse(readFileSync(file.replace(/mp4$/, 'json'), 'utf8')) as ClipDocument;
    const probed = probe(file);
    expect(probed).toMatchObject({ codec: 'h264', width: 800, height: 450 });
    expect(document.inferences.length).toBe(probed.frames);
    expect(clip.frames).toBe(probed.frames);
    // The clip is as long as the twin says, up to the next key frame.
    expect(clip.seconds).toBeGreaterThan(5);
    const times = document.inferences.map((inference) => Date.parse(inference.sourceInfo.timestamp));
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    const found = document.inferences.flatMap((inference) =>
      inference.type === 'detection' ? inference.detections : [],
    );
    expect(found.filter((detection) => detection.label === 'person').length).toBeGreaterThan(probed.frames);
    expect(found.some((detection) => detection.tracking_id > 0)).toBe(true);
    expect(readdirSync(suite.clipFolder).filter((name) => name.startsWith('.'))).toEqual(
      expect.not.arrayContaining([`.${path.basename(file)}`]),
    );
  }, 120_000);

  test('a region moved in the twin reaches the messages without the camera being opened again', async () => {
    const before = await suite.event('inference', () => true, { after: suite.events.length });
    await setRegion({ ...EVERYWHERE, label: 'moved' });
    await suite.until('a message with the new region', () => messages.some((body) => body.includes('"moved"')));
    const after = await suite.event('inference', () => true, { after: suite.events.length });
    expect(after.frameId).toBeGreaterThan(before.frameId);
    expect(cameraReport()).toMatchObject({ state: 'running', reconnects: 0 });
  }, 60_000);

  test('a broken twin is reported with its path, and everything goes on', async () => {
    await suite.runtime.patchDesired('controllermodule', { azdaConfiguration: 'nonsense' });
    const configuration = await suite.until('the report', () => {
      const report = suite.reported('controllermodule')['configuration'] as { status?: string } | undefined;
      return report?.status === 'rejected' ? report : undefined;
    });
    expect(configuration).toMatchObject({
      status: 'rejected',
      errors: [{ message: expect.stringContaining('azdaConfiguration') }],
    });
    await suite.event('inference', () => true, { after: suite.events.length });
    expect(cameraReport()).toMatchObject({ state: 'running', reconnects: 0 });
  }, 60_000);

  test('killed ffmpeg: the camera comes back by itself', async () => {
    const pid = suite.pids.get('ai-pipeline')!;
    const [ffmpeg] = childrenOf(pid).filter((child) => child.command.includes('rtsp://'));
    process.kill(ffmpeg!.pid, 'SIGKILL');
    await suite.until('the reconnect', () => Number(cameraReport()?.['reconnects'] ?? 0) >= 1);
    await suite.event('inference', () => true, { after: suite.events.length });
  }, 60_000);

  test('killed ai-pipeline: it is started again and sees people again, though the twin is still broken', async () => {
    const after = suite.events.length;
    process.kill(suite.pids.get('ai-pipeline')!, 'SIGKILL');
    await suite.event('module', (event) => event.module === 'ai-pipeline' && event.status === 'connected', { after });
    await suite.event('inference', (event) => (event.objects['person'] ?? 0) > 0, { after });
  }, 90_000);
});

const YOLOX = `[property]
onnx-file=${path.join(ASSETS, 'models/yolox_nano.onnx')}
labelfile-path=${path.join(ASSETS, 'labels/coco.names')}
net-scale-factor=1
model-color-format=1
maintain-aspect-ratio=1
num-detected-classes=80
[class-attrs-all]
pre-cluster-threshold=0.3
nms-iou-threshold=0.45
`;

function probe(file: string): { codec: string; width: number; height: number; frames: number } {
  const args = ['-v', 'error', '-select_streams', 'v:0', '-count_frames', '-show_entries'];
  const entries = 'stream=codec_name,width,height,nb_read_frames';
  const json = execFileSync(ffprobePath(), [...args, entries, '-of', 'json', file], { encoding: 'utf8' });
  const [stream] = (
    JSON.parse(json) as { streams: { codec_name: string; width: number; height: number; nb_read_frames: string }[] }
  ).streams;
  return {
    codec: stream!.codec_name,
    width: stream!.width,
    height: stream!.height,
    frames: Number(stream!.nb_read_frames),
  };
}

/** Direct children of a process, from /proc. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return children.map((child) => ({ pid: child, command: readFileSync(`/proc/${child}/cmdline`, 'utf8') }));
}
