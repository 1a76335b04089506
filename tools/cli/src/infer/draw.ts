import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { VantageError, messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';

export interface DrawRequest {
  readonly ffmpeg: Ffmpeg;
  readonly input: string;
  /** PNG file. */
  readonly output: string;
  readonly frame: FrameInsights;
}

const COLOURS = ['lime', 'orange', 'cyan', 'magenta', 'yellow', 'red', 'white'];

/**
 * Draws the boxes of a frame into the picture they belong to.
 *
 * @throws VantageError DRAW_FAILED when the file cannot be written or the picture not be read again.
 */
export async function drawDetections({ ffmpeg, input, output, frame }: DrawRequest): Promise<void> {
  const thickness = Math.max(2, Math.round(frame.height / 240));
  const boxes = frame.detections.map(({ box, classId }) => {
    const colour = COLOURS[classId % COLOURS.length] ?? 'lime';
    const [x, y, w, h] = [box.left, box.top, box.width, box.height].map(Math.round);
    return `drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=${colour}:t=${thickness}`;
  });
  const seek = frame.ptsUs > 0 ? ['-ss', (frame.ptsUs / 1e6).toFixed(6)] : [];
  try {
    await promisify(execFile)(ffmpeg.path, [
      ...['-v', 'error', '-y', ...seek, '-i', input, '-frames:v', '1'],
      ...['-vf', boxes.join(',') || 'null', '-f', 'image2', '-update', '1', '-c:v', 'png', output],
    ]);
  } catch (error) {
    // The first line is the command itself; what ffmpeg said last is the reason.
    const reason = messageOf(error).trim().split('\n').at(-1) ?? '';
    throw new VantageError('DRAW_FAILED', `${output} was not written: ${reason}`, { cause: error });
  }
}
