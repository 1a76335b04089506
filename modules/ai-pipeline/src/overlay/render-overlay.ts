import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, type ClipDocument } from '@vantage/contracts';
import { PictureEncoder, VideoSource, type EncodedClip, type Ffmpeg, type SourceStateChange } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { Canvas } from '@vantage/vision';
import { BufferPool } from '../camera/buffer-pool.ts';
import { overlayFailed } from '../errors.ts';
import { ClipFrames } from './clip-frames.ts';
import { paintFrame } from './paint-frame.ts';

export interface OverlayJob {
  readonly ffmpeg: Ffmpeg;
  /** A finished clip. Its JSON lies beside it. */
  readonly clip: string;
}

/** More is no clip of ours. */
const MAX_DOCUMENT_BYTES = 256 << 20;

/** `x.mp4` with its overlays is `x.overlay.mp4`. */
export function overlayPath(clip: string): string {
  return `${withoutExtension(clip)}.overlay.mp4`;
}

/**
 * Makes a second clip from a finished one and its JSON: every frame at its own time, with what is known about it painted
 * in. Nothing of a camera is waited for or held up.
 *
 * @throws VantageError OVERLAY_FAILED; nothing is left then
 */
export async function renderOverlay({ ffmpeg, clip }: OverlayJob, signal: AbortSignal): Promise<EncodedClip> {
  try {
    const document = await readDocument(`${withoutExtension(clip)}.json`);
    return await render(ffmpeg, clip, document, signal);
  } catch (error) {
    throw overlayFailed(path.basename(clip), messageOf(error), error);
  }
}

async function readDocument(file: string): Promise<ClipDocument> {
  const { size } = await stat(file);
  if (size > MAX_DOCUMENT_BYTES) throw new Error(`its JSON has ${size} bytes`);
  return JSON.parse(await readFile(file, 'utf8')) as ClipDocument;
}

async function render(ffmpeg: Ffmpeg, clip: string, document: ClipDocument, signal: AbortSignal): Promise<EncodedClip> {
  const frames = new ClipFrames(document);
  if (frames.count === 0) throw new Error('its JSON has no frames');
  const pool = new BufferPool(3, (bytes) => new ArrayBuffer(bytes));
  const ended = Promise.withResolvers<SourceStateChange>();
  let encoder: PictureEncoder | undefined;
  let firstUs: number | undefined;
  const source = new VideoSource(
    {
      url: clip,
      ffmpeg,
      picture: { full: true },
      ...{ encoded: false, pace: 'asFastAsPossible', loop: false, reconnect: false, logger: silentLogger },
    },
    {
      takeFullBuffer: (bytes) => pool.take(bytes),
      onPicture: async ({ ptsUs, full }) => {
        if (!full) return;
        const { buffer, width, height } = full;
        encoder ??= await PictureEncoder.open({ ffmpeg, path: overlayPath(clip), format: 'gbrp', width, height });
        const data = new Uint8Array(buffer);
        firstUs ??= ptsUs;
        const seen = frames.at((ptsUs - firstUs) / 1000);
        if (seen) paintFrame(new Canvas({ data, width, height, format: 'gbrp' }), seen, document.regionsOfInterest);
        const written = await encoder.write({ ptsUs, data });
        pool.give(buffer as ArrayBuffer);
        if (!written) ended.reject(new Error(encoder.failure ?? 'a picture was not taken'));
      },
      onState: (change) => {
        if (change.state === 'ended' || change.state === 'failed') ended.resolve(change);
      },
    },
  );
  const onAbort = (): void => ended.reject(new Error('it was stopped'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    source.start();
    const { state, reason } = await ended.promise;
    if (state === 'failed' || !encoder) throw new Error(reason === '' ? 'it has no pictures' : reason);
    return await encoder.close();
  } catch (error) {
    await encoder?.abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await source.stop();
  }
}

function withoutExtension(file: string): string {
  return file.slice(0, file.length - path.extname(file).length);
}
