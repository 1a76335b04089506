import { expect, test } from '@jest/globals';
import { FfmpegRun, type RunExit } from './ffmpeg-run.ts';
import { openFastPipe } from './fast-pipe.ts';
import { spawn } from 'node:child_process';

const FFMPEG = { version: '0', origin: 'PATH', rtspTimeoutOption: 'timeout', libavformat: [59, 27] } as const;
const picture = { networkWidth: 8, networkHeight: 8, keepAspect: true };

function run(path: string, then: (run: FfmpegRun) => void = () => undefined): Promise<RunExit> {
  return new Promise((resolve) => {
    const ignore = (): undefined => undefined;
    const options = { url: 'x.mp4', ffmpeg: { ...FFMPEG, path }, picture, encoded: true } as const;
    const each = new FfmpegRun(
      { ...options, pace: 'asFastAsPossible', socketTimeoutMs: 0, thoroughProbe: true },
      {
        onStream: ignore,
        takeBuffer: (bytes) => new ArrayBuffer(bytes),
        onPicture: ignore,
        onEncodedHeader: ignore,
        allocatePacket: ignore,
        onPacket: ignore,
        onExit: resolve,
      },
    );
    each.start();
    then(each);
  });
}

test('a program that is not there, or is no ffmpeg, ends the run with a reason', async () => {
  expect(await run('/nowhere/ffmpeg')).toMatchObject({ clean: false, reason: expect.stringMatching(/ENOENT/) });
  expect(await run('/bin/false')).toMatchObject({ clean: false, reason: 'ffmpeg ended with status 1' });
  expect(await run('/bin/echo')).toMatchObject({ frames: 0, clean: false, reason: 'this is not a NUT stream' });
});

test('a run that is ended at once still says that it is over', async () => {
  expect(await run('/bin/cat', (each) => each.kill('enough'))).toMatchObject({ clean: false, reason: 'enough' });
});

test('the pipe carries every byte, and waits when told to', async () => {
  const pipe = await openFastPipe();
  if (pipe === undefined) return;
  const child = spawn('head', ['-c', '1000000', '/dev/zero'], { stdio: ['ignore', pipe.writeFd, 'ignore'] });
  pipe.closeWriter();
  let bytes = 0;
  let pauses = 0;
  await new Promise<void>((resolve) => {
    const onData = (chunk: Uint8Array): boolean => {
      bytes += chunk.length;
      if (pauses++ % 3 > 0) return true;
      setImmediate(() => pipe.resume());
      return false;
    };
    pipe.read(onData, resolve);
  });
  expect(bytes).toBe(1_000_000);
  expect(child.pid).toBeDefined();
});
