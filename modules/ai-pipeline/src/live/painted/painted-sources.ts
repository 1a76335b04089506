import { messageOf, type RegionOfInterest } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { sourceUnavailable, type RtspPlayback, type RtspReceiver, type RtspSource } from '@vantage/rtsp';
import type { SourceNode } from '@vantage/skill';
import type { LiveEntry, LiveHub } from '../live-hub.ts';
import { PaintedStream } from './painted-stream.ts';

export interface PaintedSourcesOptions {
  readonly hub: LiveHub;
  readonly ffmpeg: Ffmpeg;
  readonly logger: Logger;
}

/** Each one decodes and encodes a camera; more would take the machine from the cameras. */
const MAX_STREAMS = 8;

/** The painted streams that somebody watches now. */
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

  /** @throws RTSP_SOURCE_UNAVAILABLE */
  async get(entry: LiveEntry, paint: boolean): Promise<RtspSource> {
    const name = `${entry.graph.id}/${entry.source.sensor}`;
    const key = `${name}${paint ? '' : ' plain'}`;
    let stream = this.#streams.get(key);
    if (!stream) {
      if (this.#streams.size >= MAX_STREAMS) throw sourceUnavailable(name, 'too many painted streams are watched');
      stream = this.#open(entry, paint, key);
    }
    const opened = stream;
    const parameterSets = await opened.parameterSets().catch((error: unknown) => {
      throw sourceUnavailable(name, messageOf(error));
    });
    return {
      description: { name, codec: 'h264', fps: entry.status?.fps ?? 0, parameterSets },
      open: (receiver) => playbackOf(opened, receiver),
    };
  }

  #open(entry: LiveEntry, paint: boolean, key: string): PaintedStream {
    const { hub, ffmpeg, logger } = this.#options;
    const { graph, source } = entry;
    let known: { readonly of: SourceNode['regions']; readonly regions: readonly RegionOfInterest[] } | undefined;
    const stream: PaintedStream = new PaintedStream({
      camera: hub.camera(entry),
      ffmpeg,
      paint,
      regions: () => {
        const now = hub.find(graph.id, source.sensor)?.source.regions ?? [];
        if (known?.of !== now) known = { of: now, regions: regionsOf(now, source.sensor) };
        return known.regions;
      },
      onEnd: (reason) => {
        if (this.#streams.get(key) === stream) this.#streams.delete(key);
        if (reason !== undefined) logger.warn(`the painted stream of ${source.sensor} ended: ${reason}`);
      },
    });
    this.#streams.set(key, stream);
    return stream;
  }
}

function regionsOf(regions: SourceNode['regions'], sensor: string): RegionOfInterest[] {
  return regions.map(({ label, color, coordinates }) => ({
    ...{ label, color, sensor },
    coordinates: coordinates.map(([x, y]): [number, number] => [x, y]),
  }));
}

function playbackOf(stream: PaintedStream, receiver: RtspReceiver): RtspPlayback {
  let leave: (() => void) | undefined;
  let hasBegun = false;
  const fromKey: RtspReceiver = {
    send: (unit) => {
      hasBegun ||= unit.key;
      if (hasBegun) receiver.send(unit);
    },
    end: () => receiver.end(),
  };
  return {
    nextPtsUs: undefined,
    start: () => {
      hasBegun = false;
      leave ??= stream.add(fromKey);
    },
    pause: () => {
      leave?.();
      leave = undefined;
    },
  };
}
