import { messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { sourceUnavailable, type RtspSource } from '@vantage/rtsp';
import type { LiveEntry, LiveHub } from '../live-hub.ts';
import type { PictureSource } from '../picture-stream.ts';
import { CameraFeed } from './camera-feed.ts';
import type { PaintSetup, ToPainter } from './messages.ts';
import { MosaicFeed } from './mosaic-feed.ts';
import { regionsOf } from './painted-parts.ts';
import { PaintedStream } from './painted-stream.ts';

export interface PaintedSourcesOptions {
  readonly hub: LiveHub;
  readonly ffmpeg: Ffmpeg;
  readonly logger: Logger;
}

/** Each one decodes and encodes; more would take the machine from the cameras. */
const MAX_STREAMS = 8;

/** Fills a stream from its making to its end. */
type StartFeed = (post: (message: ToPainter) => void, end: (reason: string) => void) => { stop(): void };

/** The painted streams that somebody watches now: of single cameras, and mosaics of all cameras of a pipeline. */
export class PaintedSources {
  readonly #options: PaintedSourcesOptions;
  readonly #streams = new Map<string, PaintedStream>();

  constructor(options: PaintedSourcesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  stop(): void {
    for (const stream of [...this.#streams.values()]) stream.stop('the module stops');
  }

  /** @param paint false: only encoded anew. @throws RTSP_SOURCE_UNAVAILABLE */
  async camera(entry: LiveEntry, paint: boolean): Promise<RtspSource> {
    const { hub, ffmpeg } = this.#options;
    const camera = hub.camera(entry);
    const name = `${camera.pipeline}/${camera.sensor}`;
    const key = `${name}${paint ? '' : ' plain'}`;
    const stream = this.#stream(key, name, { ffmpeg, kind: 'camera', paint }, (post, end) => {
      const onGone = (): void => end('the camera left the configuration');
      return new CameraFeed({ camera, paint, regions: regionsOf(hub, entry), post, onGone });
    });
    return sourceOf(stream, name, entry.status?.fps ?? 0);
  }

  /** All cameras of a pipeline in one picture. @throws RTSP_SOURCE_UNAVAILABLE */
  async mosaic(pipeline: string): Promise<RtspSource> {
    return sourceOf(this.#mosaic(pipeline), pipeline, 0);
  }

  /** The same as JPEGs, at most 15 a second; to be used at once. @throws RTSP_SOURCE_UNAVAILABLE */
  mosaicPictures(pipeline: string): PictureSource {
    const stream = this.#mosaic(pipeline);
    return { add: (client) => stream.addViewer(client) };
  }

  #mosaic(pipeline: string): PaintedStream {
    const { hub, ffmpeg } = this.#options;
    const onGone = 'the pipeline left the configuration';
    return this.#stream(`${pipeline} mosaic`, pipeline, { ffmpeg, kind: 'mosaic' }, (post, end) => {
      return new MosaicFeed({ hub, pipeline, post, onGone: () => end(onGone) });
    });
  }

  /** The one that somebody watches, or a new one. @throws RTSP_SOURCE_UNAVAILABLE */
  #stream(key: string, name: string, setup: PaintSetup, start: StartFeed): PaintedStream {
    const known = this.#streams.get(key);
    if (known) return known;
    if (this.#streams.size >= MAX_STREAMS) throw sourceUnavailable(name, 'too many painted streams are watched');
    const stream = new PaintedStream({
      setup,
      name: `painted ${name}`,
      onEnd: (reason) => {
        feed.stop();
        if (this.#streams.get(key) === stream) this.#streams.delete(key);
        if (reason !== undefined) this.#options.logger.warn(`the painted stream of ${name} ended: ${reason}`);
      },
    });
    this.#streams.set(key, stream);
    const feed = start(
      (message) => stream.post(message),
      (reason) => stream.stop(reason),
    );
    return stream;
  }
}

async function sourceOf(stream: PaintedStream, name: string, fps: number): Promise<RtspSource> {
  const parameterSets = await stream.parameterSets().catch((error: unknown) => {
    throw sourceUnavailable(name, messageOf(error));
  });
  return {
    description: { name, codec: 'h264', fps, parameterSets },
    open: (receiver) => stream.open(receiver),
  };
}
