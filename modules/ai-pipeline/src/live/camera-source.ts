import { isDelimiter, isParameterSet, nutPayload, splitFrame, type EncodedPacket } from '@vantage/media';
import type { AccessUnit, RtspPlayback, RtspReceiver, RtspSource } from '@vantage/rtsp';
import type { LiveCamera } from './live-camera.ts';
import { readStreamHeader, type StreamHeader } from './stream-header.ts';

/** A client that joins gets the packets since the last key frame when that is younger; otherwise it would lag for good. */
const MAX_AGE_MS = 1000;

/** A camera's own packets for RTSP clients: nothing is decoded. */
export class CameraSource implements RtspSource {
  readonly description: RtspSource['description'];
  readonly #camera: LiveCamera;

  /** @param header of the camera, which has a codec with NAL units */
  constructor(camera: LiveCamera, header: StreamHeader, fps: number) {
    this.#camera = camera;
    const { codec, parameterSets } = header;
    this.description = { name: `${camera.pipeline}/${camera.sensor}`, codec, fps, parameterSets };
  }

  open(receiver: RtspReceiver): RtspPlayback {
    let stop: (() => void) | undefined;
    return {
      nextPtsUs: undefined,
      start: () => {
        stop ??= this.#play(receiver);
      },
      pause: () => {
        stop?.();
        stop = undefined;
      },
    };
  }

  #play(receiver: RtspReceiver): () => void {
    let header: StreamHeader | undefined;
    let hasBegun = false;
    return this.#camera.watch({
      onHeader: (bytes) => {
        header = readStreamHeader(bytes);
        hasBegun = false;
        // The client was told of another codec: let it ask again.
        if (header?.codec !== this.description.codec) receiver.end();
      },
      onPacket: (packet) => {
        if (!header) return;
        const isFresh = !packet.replayed || Date.now() - packet.captureTimeMs < MAX_AGE_MS;
        hasBegun ||= packet.key && isFresh;
        if (hasBegun) receiver.send(unitOf(packet, header));
      },
      onEnd: () => receiver.end(),
    });
  }
}

/** A packet as NAL units; in front of a key frame stand the parameter sets. */
function unitOf({ ptsUs, key, bytes }: EncodedPacket, { codec, lengthSize, parameterSets }: StreamHeader): AccessUnit {
  const nals = splitFrame(nutPayload(bytes), lengthSize).filter((nal) => !isDelimiter(codec, nal));
  const lacksSets = key && !nals.some((nal) => isParameterSet(codec, nal));
  return { ptsUs, key, nals: lacksSets ? [...parameterSets, ...nals] : nals };
}
