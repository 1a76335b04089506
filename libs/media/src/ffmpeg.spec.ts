import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { FfmpegLog } from './ffmpeg-log.ts';
import { resolveFfmpeg } from './ffmpeg.ts';
import { redactSource } from './redact.ts';
import { Timeline } from './timeline.ts';
import { ClockGuard } from './clock-guard.ts';

const folder = mkdtempSync(join(tmpdir(), 'vantage-ffmpeg-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, version: string, libavformat: string, help = '-timeout <int64>'): string {
  const path = join(folder, name);
  const answer = `ffmpeg version ${version} Copyright\nlibavformat    ${libavformat}\n`;
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = -version ]; then printf '${answer}'; else printf '  ${help}\\n'; fi\n`, {
    mode: 0o755,
  });
  return path;
}

describe('resolveFfmpeg', () => {
  test('takes FFMPEG_PATH, however old, and reads its options', async () => {
    const path = program('old', 'N-47683-g0e8eb07980-static', '58. 24.100', '-stimeout <int>');
    await expect(resolveFfmpeg({ environment: { FFMPEG_PATH: path, PATH: '/usr/bin' } })).resolves.toEqual({
      path,
      version: 'N-47683-g0e8eb07980-static',
      origin: 'FFMPEG_PATH',
      rtspTimeoutOption: 'stimeout',
      libavformat: [58, 24],
      tooOld: true,
    });
  });

  test.each(['/nowhere/ffmpeg', '/bin/true'])('refuses FFMPEG_PATH=%s', async (path) => {
    await expect(resolveFfmpeg({ environment: { FFMPEG_PATH: path } })).rejects.toMatchObject({
      code: 'MEDIA_FFMPEG_MISSING',
    });
  });

  test('prefers the system to an npm binary that is too old, and the npm binary to nothing', async () => {
    program('ffmpeg', '6.1.1', '60. 16.100');
    const found = await resolveFfmpeg({ environment: { PATH: folder } });
    expect(['PATH', 'ffmpeg-static']).toContain(found.origin);
    expect(found.tooOld).toBeUndefined();
  });
});

describe('ffmpeg log', () => {
  test('finds the input stream, not the outputs, in pieces', () => {
    const log = new FfmpegLog('x.mp4');
    const text =
      '[info] Input #0, mov\n[info]   Duration: 00:00:19.19, start: 0.000000\n' +
      '[info]   Stream #0:1: Video: png, rgb24(pc), 10x10, 90k tbr (attached pic)\n' +
      '[info]   Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 800x450 [SAR 1:1 DAR 16:9], 500 kb/s, 23.98 fps, 23.98 tbr\n';
    for (const letter of text) log.push(letter);
    log.push('[info] Output #0\n[info]   Stream #0:0: Video: rawvideo (G3[0][8] / 0x8003347), gbrp, 416x234\n');
    expect(log.info).toEqual({ codec: 'h264', width: 800, height: 450, fps: 23.98, hasDuration: true });
  });

  test('keeps the last error, without prefix and credentials', () => {
    const log = new FfmpegLog('rtsp://me:s3cret@cam/1');
    log.push('[h264 @ 0x1] [warning] x\n[rtsp @ 0x2] [error] method DESCRIBE failed: 401 s3cret\n');
    log.push('[fatal] rtsp://me:s3cret@cam/1: Server returned 401 Unauthorized');
    expect(log.reason()).toBe('rtsp://***@cam/1: Server returned 401 Unauthorized');
  });
});

test.each([
  ['rtsp://a:p@ss/word@h/x', 'cannot open rtsp://a:p@ss/word@h/x'],
  ['rtsp://a:hunter22@h/x', 'auth hunter22 for rtsp://a:hunter22@h/x'],
])('redactSource hides what %s holds', (url, text) => {
  expect(redactSource(text, url)).not.toMatch(/ss\/word|hunter22/);
});

describe('the line of time', () => {
  test('of a file goes on one interval after the last frame', () => {
    const line = new Timeline(false);
    for (const raw of [0, 40, 80]) {
      expect(line.map(raw, 0)).toBe(raw);
      line.count(raw, 0);
    }
    line.endRun();
    expect([line.map(0, 0), line.map(40, 0)]).toEqual([120, 160]);
  });

  test('of a camera starts at 0 and follows the wall clock over a gap', () => {
    const line = new Timeline(true);
    expect(line.map(5_000_000, 1000)).toBe(0);
    line.count(5_000_000, 1000);
    expect(line.map(5_040_000, 1040)).toBe(40_000);
    line.count(5_040_000, 1040);
    line.endRun();
    expect(line.map(77, 4040)).toBe(3_040_000);
  });
});

describe('a camera clock', () => {
  const steps = (guard: ClockGuard, times: number[]): boolean[] =>
    times.map((time, index) => guard.hasJumped(time, index * 40));

  test('may reorder, stall and run', () => {
    expect(steps(new ClockGuard(), [0, 80_000, 40_000, 120_000, 9_000_000]).includes(true)).toBe(false);
  });
  test('that is set back or forth is noticed', () => {
    expect(steps(new ClockGuard(), [20_000_000, 20_040_000, 1_000_000]).at(-1)).toBe(true);
    expect(steps(new ClockGuard(), [0, 40_000, 60_000_000]).at(-1)).toBe(true);
  });
  test('that ffmpeg hides by counting ticks is noticed', () => {
    expect(steps(new ClockGuard(), [0, 40_000, 40_011, 40_022, 40_033, 40_044, 40_055]).at(-1)).toBe(true);
  });
});
