import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demo } from '@vantage/demo';
import { ZipFile } from 'yazl';
import { ffprobePath } from './support/ffprobe.ts';
import { RunningVantage, vantage } from './support/vantage.ts';

let work: string;
beforeAll(() => void (work = mkdtempSync(path.join(os.tmpdir(), 'vantage-up-'))));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/**
 * The demo as `npm start` runs it, less the Player, which has its own tests. Tests go on where the one before them stopped:
 * while the demo comes to its first clip, the commands beside it are tried.
 */
describe('vantage up', () => {
  let up: RunningVantage;
  let state: string;

  beforeAll(() => {
    state = path.join(work, 'state');
    up = new RunningVantage(['up', '--json', '--no-player', '--state', state]);
  });
  afterAll(async () => void (await up.stop()), 30_000);

  test('modules are connected, and people are seen', async () => {
    expect(await up.line('the start', (line) => line['event'] === 'started')).toMatchObject({
      deviceId: 'vantage-edge',
      mqttPort: expect.any(Number),
      apiPort: expect.any(Number),
      clipFolder: path.join(state, 'volumes', 'VideoUploaderCache'),
    });
    for (const module of ['ai-pipeline', 'BusinessLogicModule', 'controllermodule', 'rtspsim']) {
      await up.line(`${module} connected`, (line) => line['module'] === module && line['status'] === 'connected');
    }
    await up.line('a person', ({ event, objects }) => {
      return event === 'inference' && ((objects as Record<string, number>)['person'] ?? 0) > 0;
    });
  }, 90_000);

  test('a second one on the same state is refused, with the first one named', async () => {
    const second = await vantage(['up', '--json', '--state', state]);
    expect(second.status).toBe(1);
    const refusal =
      /^vantage: .* is used by another runtime with pid (\d+); "vantage down" ends it.* \(EDGE_STATE_IN_USE\)\n$/.exec(
        second.stderr,
      );
    expect(Number(refusal?.[1])).toBe(runtimePid(state));
  }, 30_000);

  test('twin get prints what is desired and what is reported', async () => {
    const { status, stdout } = await vantage(['twin', 'get', 'controllermodule', '--state', state]);
    expect(status).toBe(0);
    const { properties } = JSON.parse(stdout) as { properties: Record<'desired' | 'reported', object> };
    expect(properties.desired).toMatchObject({ azdaConfiguration: { platform: 'DeepStream' } });
    expect(properties.reported).toMatchObject({
      configuration: { status: 'applied', errors: [] },
      modules: { 'ai-pipeline': { status: 'applied' } },
    });
  }, 30_000);

  test('twin patch changes how often the running pipeline tells', async () => {
    const patched = await vantage([
      ...['twin', 'patch', 'ai-pipeline', '{"messageEveryNFrames": 10}', '--json'],
      ...['--state', state],
    ]);
    expect([patched.status, JSON.parse(patched.stdout)]).toEqual([0, expect.objectContaining({ state: 'changed' })]);
    const after = up.lines.length;
    const isSecondOfTwoClose = (): boolean => {
      const ids = up.lines
        .slice(after)
        .flatMap((line) => (line['event'] === 'inference' ? [Number(line['frameId'])] : []));
      // A frame that a busy machine dropped is stood in for by the next one: multiples of ten, each once.
      const tens = ids.map((id) => Math.floor(id / 10));
      return tens.some((ten, at) => tens[at + 1] === ten + 1 && tens[at + 2] === ten + 2);
    };
    await up.line('messages ten frames apart', isSecondOfTwoClose, { after, timeoutMs: 15_000 });
  }, 45_000);

  test('what is wrong is one clear sentence each', async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [
        ['patch', 'ai-pipeline', '{messageEveryNFrames: 10}'],
        /^vantage: the patch is not JSON: .* \(PATCH_INVALID\)\n$/,
      ],
      [['patch', 'ai-pipeline', '[1]'], /^vantage: the patch must be a JSON object \(PATCH_INVALID\)\n$/],
      [
        ['patch', 'ai-pipeline', '@/nowhere.json'],
        /^vantage: the patch file \/nowhere.json does not exist \(PATCH_INVALID\)\n$/,
      ],
      [['get', 'nobody'], /^vantage: vantage-edge \(local\) has no module "nobody" \(MODULE_UNKNOWN\)\n$/],
    ];
    const outcomes = await Promise.all(cases.map(([args]) => vantage(['twin', ...args, '--state', state])));
    for (const [at, { status, stdout, stderr }] of outcomes.entries()) {
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(cases[at]![1]);
    }
  }, 30_000);

  test('a region event, a recording, a clip and its upload within a minute', async () => {
    expect(await up.line('the region', (line) => line['event'] === 'region')).toMatchObject({
      region: 'crossing',
      sensor: 'street',
      label: 'person',
    });
    await up.line('the recording', (line) => line['event'] === 'recording' && line['on'] === true);
    const clip = await up.line('a clip', (line) => line['event'] === 'clip');
    await up.line('the upload', (line) => line['event'] === 'uploaded' && line['file'] === clip['file']);
    const file = path.join(state, 'volumes', 'VideoUploaderCache', String(clip['file']));
    const seconds = execFileSync(ffprobePath(), [
      '-v',
      'error',
      '-show_entries',
      'format=duration',
      '-of',
      'csv=p=0',
      file,
    ]);
    expect(Number(seconds)).toBeCloseTo(Number(clip['seconds']), 0);
    const [first, last] = [up.lines[0]!, clip].map((line) => Date.parse(String(line['time'])));
    expect(last! - first!).toBeLessThan(60_000);
  }, 90_000);

  test('Ctrl-C ends all of it: status 0, news only, nothing left running', async () => {
    const group = belongingTo(state);
    expect(group.length).toBeGreaterThanOrEqual(5);
    const before = up.lines.length;
    expect(await up.stop()).toBe(0);
    expect(group.filter(isAlive)).toEqual([]);
    expect(belongingTo(state)).toEqual([]);
    const told = up.lines.slice(before);
    expect(told.filter((line) => line['event'] === 'module')).toEqual([]);
    expect(told.at(-1)).toMatchObject({ event: 'ended', objects: expect.any(Number), clips: expect.any(Number) });
    expect(up.stderr).toBe('');
  }, 30_000);

  test('twin after that says that nothing runs', async () => {
    const folders = [state, path.join(work, 'never')];
    const [ended, never] = await Promise.all(
      folders.map((folder) => vantage(['twin', 'get', 'ai-pipeline', '--state', folder])),
    );
    expect([ended?.status, ended?.stderr]).toEqual([
      1,
      expect.stringContaining('is "vantage up" still running? (RUNTIME_NOT_RUNNING)'),
    ]);
    expect([never?.status, never?.stderr]).toEqual([1, expect.stringContaining('(RUNTIME_NOT_FOUND)')]);
  }, 30_000);

  test('--seconds without time for a clip is a failure that says why', async () => {
    // On the state of before, whose twins still name the clips of then.
    const { status, stdout, stderr } = await vantage([
      ...['up', '--seconds', '1', '--no-player', '--no-storage'],
      ...['--state', state],
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^vantage: (no objects were detected|objects were detected, but no clip was finished) in 1 s; run longer/,
    );
    expect(stdout).not.toMatch(/^clip /m);
    expect(stdout).toMatch(
      /^starting .*\n[^]*^device vantage-edge, [^]*^stopping\n([^]*\n)?ended after [\d.]+ s: .*\n$/m,
    );
  }, 45_000);
});

describe('vantage infer', () => {
  test('what cannot be looked at is one clear sentence each', async () => {
    const folder = path.join(work, 'no-pictures');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'notes.txt'), 'no picture');
    const file = path.join(work, 'text.jpg');
    writeFileSync(file, 'no picture');
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['/nowhere.jpg', '--config', demo.modelConfig], /^vantage: \/nowhere.jpg does not exist \(INPUT_MISSING\)\n$/],
      [[demo.poster, '--config', '/nowhere.txt'], /^vantage: \/nowhere.txt does not exist \(MODEL_CONFIG_MISSING\)\n$/],
      [[folder, '--config', demo.modelConfig], /^vantage: .*no-pictures holds no pictures .*\(INPUT_EMPTY\)\n$/],
      [[file, '--config', demo.modelConfig], /^vantage: .*text\.jpg: .*\(INPUT_UNREADABLE\)\n$/],
    ];
    const outcomes = await Promise.all(cases.map(([args]) => vantage(['infer', ...args])));
    for (const [at, { status, stdout, stderr }] of outcomes.entries()) {
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(cases[at]![1]);
    }
  });

  test('a zip and a picture: JSON with people in it, and the picture drawn', async () => {
    const zip = path.join(work, 'model.zip');
    await zipFolder(demo.modelFolder, zip);
    const drawn = path.join(work, 'drawn.png');
    const { status, stdout } = await vantage(['infer', demo.poster, '--config', zip, '--json', '--draw', drawn]);
    expect(status).toBe(0);
    const [line, ...more] = stdout.trim().split('\n');
    expect(more).toEqual([]);
    const frame = JSON.parse(line!) as { detections: { label: string; box: number[] }[] };
    expect(frame).toMatchObject({ frame: 0, pts: 0 });
    const person = frame.detections.find(({ label }) => label === 'person');
    expect(person).toEqual({
      label: 'person',
      classId: 0,
      confidence: expect.any(Number),
      box: [0, 0, 0, 0].map(() => expect.any(Number)),
      trackingId: -1,
      attributes: [],
    });
    const [left, top, width, height] = person!.box as [number, number, number, number];
    expect([left >= 0, top >= 0, left + width <= 960, top + height <= 540]).toEqual([true, true, true, true]);
    const png = readFileSync(drawn);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([960, 540]);
  });

  test('for people: a sentence a frame; a picture that cannot be written is said', async () => {
    const query = [
      'infer',
      demo.poster,
      '--config',
      demo.modelFolder,
      '--draw',
      path.join(work, 'missing', 'drawn.png'),
    ];
    const { status, stdout, stderr } = await vantage(query);
    expect(stdout).toMatch(/^frame 0 0\.00 s: .*person \d+%.*\n$/);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^vantage: .*drawn\.png was not written: .*\(DRAW_FAILED\)\n$/),
    ]);
  });
});

function runtimePid(state: string): number {
  return (JSON.parse(readFileSync(path.join(state, 'connection.json'), 'utf8')) as { pid: number }).pid;
}

/** Processes that name the state folder in their arguments or environment: the runtime, its modules, their ffmpegs. */
function belongingTo(state: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.map(Number).filter((pid) => {
    const texts = ['cmdline', 'environ'].map((name) => readQuietly(`/proc/${pid}/${name}`));
    return texts.some((text) => text.includes(state));
  });
}

function isAlive(pid: number): boolean {
  // A zombie has ended: only its parent has not looked yet.
  return /\) [^ZX] /.test(readQuietly(`/proc/${pid}/stat`));
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function zipFolder(folder: string, zip: string): Promise<void> {
  const file = new ZipFile();
  for (const name of readdirSync(folder)) file.addFile(path.join(folder, name), `street/${name}`);
  file.end();
  await once(file.outputStream.pipe(createWriteStream(zip)), 'close');
}
