import type { Ffmpeg } from '@vantage/media';
import { CameraClients, type CameraClient } from './camera-clients.ts';
import type { LiveCamera, LivePacket } from './live-camera.ts';
import { PacketDecoder } from './packet-decoder.ts';

/** Somebody who looks at single pictures. */
export interface PictureClient extends CameraClient {
  onPicture(jpeg: Uint8Array): void;
}

/** What gives pictures to those who look. */
export interface PictureSource {
  /** The newest picture comes at once, if there is one. @returns lets the client go; idempotent */
  add(client: PictureClient): () => void;
}

const MAX_FPS = 15;
const MAX_WIDTH = 1280;
/** A decoder that ended is started again at the next key frame, not more often. */
const RESTART_MS = 2000;

/**
 * A camera's stream as JPEG pictures, for what shows no H.264 or the camera's H.265: decoded once for all who look, by an
 * ffmpeg that runs only while somebody does. At most 15 pictures a second, at most 1280 pixels across.
 */
export class PictureStream implements PictureSource {
  readonly #ffmpeg: Ffmpeg;
  readonly #clients: CameraClients<PictureClient>;
  #decoder: PacketDecoder | undefined;
  #header: Uint8Array | undefined;
  #lostMs = -Infinity;
  /** Time of the first frame that is not a memory. */
  #fromUs: number | undefined;
  #last: Uint8Array | undefined;

  constructor(camera: LiveCamera, ffmpeg: Ffmpeg) {
    this.#ffmpeg = ffmpeg;
    const watcher = {
      onHeader: (header: Uint8Array) => this.#onHeader(header),
      onPacket: (packet: LivePacket) => this.#onPacket(packet),
    };
    this.#clients = new CameraClients(camera, watcher, () => this.#forget());
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Whether an ffmpeg decodes for it. */
  get isDecoding(): boolean {
    return this.#decoder !== undefined;
  }

  add(client: PictureClient): () => void {
    return this.#clients.add(client, () => {
      if (this.#last) client.onPicture(this.#last);
    });
  }

  #forget(): void {
    this.#close();
    this.#header = undefined;
    this.#last = undefined;
  }

  #onHeader(header: Uint8Array): void {
    // A camera that comes back as it was goes on in the same decoder.
    if (this.#header && Buffer.compare(this.#header, header) === 0) return;
    this.#close();
    this.#header = header;
    this.#lostMs = -Infinity;
  }

  #onPacket(packet: LivePacket): void {
    if (!packet.replayed) this.#fromUs ??= packet.ptsUs;
    if (!this.#decoder && packet.key && performance.now() - this.#lostMs > RESTART_MS) this.#open();
    this.#decoder?.push(packet);
  }

  #open(): void {
    if (!this.#header) return;
    // Evenly chosen by their times; 4:2:0 needs even sides.
    const rate = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(0.9 / MAX_FPS).toFixed(4)})'`;
    const size = `scale='trunc(min(${MAX_WIDTH},iw)/2)*2':-2:out_range=full,format=yuvj420p`;
    const decoder = new PacketDecoder(this.#header, {
      ffmpeg: this.#ffmpeg,
      output: ['-vf', `${rate},${size}`, '-c:v', 'mjpeg', '-q:v', '5', '-threads', '1'],
      onPicture: (ptsUs, jpeg) => {
        if (this.#decoder === decoder) this.#onPicture(ptsUs, jpeg);
      },
      onLost: () => {
        if (this.#decoder !== decoder) return;
        this.#close();
        this.#lostMs = performance.now();
      },
    });
    this.#decoder = decoder;
  }

  #onPicture(ptsUs: number, jpeg: Uint8Array): void {
    // What is decoded from the last key frame up to now is of yesterday.
    if (this.#fromUs === undefined || ptsUs < this.#fromUs) return;
    this.#last = jpeg;
    for (const client of this.#clients) client.onPicture(jpeg);
  }

  #close(): void {
    this.#decoder?.stop();
    this.#decoder = undefined;
    this.#fromUs = undefined;
  }
}
