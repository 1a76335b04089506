import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '@vantage/demo';
import { resolveFfmpeg } from '@vantage/media';
import { REPOSITORY } from './support/assets.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-verify-'));
const twin = path.join(folder, 'twin.json');

/** The street with somebody on the crossing at 1.6 to 6.0 s, and nobody at 6.6 to 9.4 s. */
beforeAll(async () => {
  const ffmpeg = await resolveFfmpeg();
  const cut = (name: string, from: number, seconds: number): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    const part = ['-ss', String(from), '-t', String(seconds), '-i', demo.video];
    const coder = ['-vf', 'scale=480:270', '-c:v', 'libx264', '-preset', 'ultrafast', '-an', '-y'];
    execFileSync(ffmpeg.path, ['-v', 'error', ...part, ...coder, path.join(folder, name)]);
  };
  cut('good/should-fire/somebody.mp4', 1.2, 1.7);
  cut('good/should-not-fire/nobody.mp4', 6.8, 1.6);
  mkdirSync(path.join(folder, 'bad'));
  const clips = [
    { file: '../good/should-not-fire/nobody.mp4', expect: 'fire', sensor: 'street-01' },
    { file: '../good/should-fire/somebody.mp4', expect: 'quiet', event: 'recording' },
    { file: '../good/should-fire/somebody.mp4', expect: 'quiet', event: 'lineCrossing' },
  ];
  writeFileSync(path.join(folder, 'bad/verify.json'), JSON.stringify({ clips }));
  const sensor = {
    name: 'street-01',
    kind: { type: 'vision', subtype: 'RTSP' },
    endpoint: 'rtsp://nowhere.invalid/1',
    regionsOfInterest: [demo.region],
  };
  const pipeline = {
    ...{ id: 'Street', unsecureZipUrl: '', trackerConfigPath: 'light-tracker', secondaryModelConfigPaths: '' },
    primaryModelConfigPath: { configFile: demo.modelConfig },
    pipelineOptions: {},
  };
  const deepStream = { pipelineConfigs: [pipeline], streams: [{ name: 'street-01', configId: 'Street' }] };
  writeFileSync(
    twin,
    JSON.stringify({ azdaConfiguration: { platform: 'DeepStream', components: { sensors: [sensor], deepStream } } }),
  );
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function verify(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const main = [path.join(REPOSITORY, 'tools/cli/src/main.ts'), 'verify', ...args];
    const node = ['--disable-warning=ExperimentalWarning', ...main];
    const child = execFile(process.execPath, node, { env: { ...process.env, NO_COLOR: '1' } }, (_error, out, err) =>
      resolve({ status: child.exitCode ?? -1, out, err }),
    );
  });
}

test('clips that do what they should are green', async () => {
  const { status, out, err } = await verify(path.join(folder, 'good'), '--config', twin);
  expect(err).toBe('');
  expect(out).toMatch(
    /pass +should-fire\/somebody.mp4 +street-01 +fire +fired +recording \(1 person in crossing\) at 1\.\d s/,
  );
  expect(out).toMatch(/pass +should-not-fire\/nobody.mp4 +street-01 +stay quiet +quiet/);
  expect(out).toContain('2 clips as they should be');
  expect(status).toBe(0);
}, 120_000);

test('what is not as tagged is red, an event that is named counts alone, and the status is 1', async () => {
  const { status, out } = await verify(path.join(folder, 'bad'), '--config', twin, '--json');
  const report = JSON.parse(out) as { passed: boolean; clips: { passed: boolean; got: string; alerts: unknown[] }[] };
  expect(report.passed).toBe(false);
  expect(report.clips.map(({ passed, got }) => [passed, got])).toEqual([
    [false, 'quiet'],
    [false, 'fired'],
    [true, 'quiet'],
  ]);
  expect(report.clips[1]?.alerts).toEqual([
    { seconds: expect.closeTo(1.2, 1), type: 'recording', detail: '1 person in crossing' },
  ]);
  expect(status).toBe(1);
}, 120_000);

test('a folder without clips, and tags that are wrong, are said so', async () => {
  const empty = await verify(folder, '--config', twin);
  expect(empty).toMatchObject({
    status: 1,
    out: '',
    err: expect.stringMatching(/VERIFY_FOLDER_INVALID|holds no clips/),
  });
  mkdirSync(path.join(folder, 'wrong'));
  writeFileSync(path.join(folder, 'wrong/verify.json'), '{"clips":[{"file":"a.mp4","expect":"maybe"}]}');
  const wrong = await verify(path.join(folder, 'wrong'), '--config', twin);
  expect(wrong.err).toContain('clips[0].expect is neither "fire" nor "quiet"');
}, 120_000);
