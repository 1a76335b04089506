import { spawn } from 'node:child_process';
import { VantageError, messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { Canvas, classColour, paintObjects } from '@vantage/vision';
import { attributeText, percent } from './frame-text.ts';

export interface DrawRequest {
  readonly ffmpeg: Ffmpeg;
  readonly input: string;
  /** PNG file. */
  readonly output: string;
  readonly frame: FrameInsights;
}

const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Draws what a frame holds into the picture it belongs to: boxes with names, landmarks, joints, masks, maps of classes,
 * and what is said about the frame as a whole.
 *
 * @throws VantageError DRAW_FAILED when the file cannot be written or the picture not be read again.
 */
export async function drawDetections({ ffmpeg, input, output, frame }: DrawRequest): Promise<void> {
  const { width, height } = frame;
  try {
    const seek = frame.ptsUs > 0 ? ['-ss', (frame.ptsUs / 1e6).toFixed(6)] : [];
    const size = `${width}x${height}`;
    const pixels = await run(ffmpeg, [
      ...['-v', 'error', '-noautorotate', ...seek, '-i', input, '-map', '0:V:0', '-frames:v', '1'],
      ...['-vf', `scale=${width}:${height}`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    ]);
    if (pixels.length !== width * height * 3) throw new Error('the picture cannot be read again');
    drawFrame(new Canvas({ data: pixels, width, height, format: 'rgb24' }), frame);
    await run(
      ffmpeg,
      [
        ...['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', size, '-i', 'pipe:0'],
        ...['-frames:v', '1', '-f', 'image2', '-update', '1', '-c:v', 'png', output],
      ],
      pixels,
    );
  } catch (error) {
    const reason = messageOf(error).trim().split('\n').at(-1) ?? '';
    throw new VantageError('DRAW_FAILED', `${output} was not written: ${reason}`, { cause: error });
  }
}

function drawFrame(canvas: Canvas, frame: FrameInsights): void {
  const { width, height, segmentation, classifications, text } = frame;
  if (segmentation) {
    const { classes } = segmentation;
    canvas.tint(segmentation, { left: 0, top: 0, width, height }, (cell) => {
      const classId = classes[cell] ?? -1;
      // Class 0 is the background of most.
      return classId > 0 ? classColour(classId) : undefined;
    });
  }
  paintObjects(canvas, frame.detections);
  const said = [
    ...(classifications ?? []).map(attributeText),
    ...(text ? [`"${text.text}" ${percent(text.score)}`] : []),
    ...(segmentation?.areas ?? [])
      .filter(({ classId }) => classId > 0)
      .map(({ label, share }) => `${label} ${percent(share)}`),
  ];
  for (const [at, line] of said.slice(0, 8).entries()) canvas.label(line, 0, at * canvas.lineHeight, [255, 255, 255]);
}

/** Runs ffmpeg to its end. @returns what it wrote to its standard output */
function run({ path }: Ffmpeg, args: readonly string[], stdin?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (errors.length < MAX_ERROR_BYTES) errors += chunk;
    });
    // ffmpeg says why it stopped reading.
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new Error(errors.trim() || `ffmpeg ended with ${code}`));
    });
    child.stdin.end(stdin);
  });
}
