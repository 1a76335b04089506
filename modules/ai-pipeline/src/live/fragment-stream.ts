import { FragmentMuxer } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { CameraClients, type CameraClient } from './camera-clients.ts';
import type { LiveCamera, LivePacket } from './live-camera.ts';
import { liveInsights } from './live-insights.ts';

export interface LiveFragment {
  readonly ptsUs: number;
  readonly key: boolean;
  /** `moof` and `mdat` of one frame. */
  readonly bytes: Uint8Array;
}

/** What fragments begin with. */
export interface LiveInit {
  /** The message of type `init`. */
  readonly text: string;
  readonly segment: Uint8Array;
}

/** Somebody who takes fragments. */
export interface FragmentClient extends CameraClient {
  /** At the start, and when codec or size change. */
  onInit(init: LiveInit): void;
  /** @param group the fragments since the newest key frame, this one included */
  onFragment(fragment: LiveFragment, group: readonly LiveFragment[]): void;
  onInsights(text: string): void;
  /** The camera's codec cannot be put into MP4. */
  onUnsupported(): void;
}

/** A camera's stream as fragmented MP4, a fragment a frame, made once for all who watch. */
export class FragmentStream {
  readonly #camera: LiveCamera;
  readonly #clients: CameraClients<FragmentClient>;
  #header: Uint8Array | undefined;
  #muxer: FragmentMuxer | undefined;
  #init: LiveInit | undefined;
  #isUnsupported = false;
  #group: LiveFragment[] = [];

  constructor(camera: LiveCamera) {
    this.#camera = camera;
    const watcher = {
      onHeader: (header: Uint8Array) => this.#onHeader(header),
      onPacket: (packet: LivePacket) => this.#onPacket(packet),
      onInsights: (frame: FrameInsights) => this.#onInsights(frame),
    };
    this.#clients = new CameraClients(camera, watcher, () => this.#begin(undefined));
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** @returns lets the client go; idempotent */
  add(client: FragmentClient): () => void {
    return this.#clients.add(client, () => this.#catchUp(client));
  }

  #catchUp(client: FragmentClient): void {
    if (this.#isUnsupported) client.onUnsupported();
    if (this.#init) client.onInit(this.#init);
    for (const [at, fragment] of this.#group.entries()) client.onFragment(fragment, this.#group.slice(0, at + 1));
  }

  #begin(header: Uint8Array | undefined): void {
    this.#header = header;
    this.#muxer = undefined;
    this.#init = undefined;
    this.#isUnsupported = false;
    this.#group = [];
  }

  #onHeader(header: Uint8Array): void {
    // A camera that comes back as it was goes on in the same stream.
    if (!this.#header || Buffer.compare(this.#header, header) !== 0) this.#begin(header);
  }

  #onPacket(packet: LivePacket): void {
    if (packet.key && !this.#muxer?.fits(packet)) this.#open(packet);
    if (!this.#muxer || (!packet.key && this.#group.length === 0)) return;
    const bytes = this.#muxer.fragment([packet]);
    if (bytes.length === 0) return;
    if (packet.key) this.#group = [];
    const fragment = { ptsUs: packet.ptsUs, key: packet.key, bytes };
    this.#group.push(fragment);
    for (const client of this.#clients) client.onFragment(fragment, this.#group);
  }

  #open(packet: LivePacket): void {
    if (!this.#header) return;
    this.#group = [];
    this.#muxer = FragmentMuxer.create(this.#header, packet);
    this.#isUnsupported = this.#muxer === undefined;
    if (!this.#muxer) {
      for (const client of this.#clients) client.onUnsupported();
      return;
    }
    const { mimeType, width, height } = this.#muxer;
    const baseTimeMs = packet.captureTimeMs - packet.ptsUs / 1000;
    const text = JSON.stringify({ type: 'init', mimeType, width, height, baseTimeMs });
    const init = { text, segment: this.#muxer.initSegment() };
    this.#init = init;
    for (const client of this.#clients) client.onInit(init);
  }

  #onInsights(frame: FrameInsights): void {
    const text = JSON.stringify(liveInsights(this.#camera.pipeline, frame));
    for (const client of this.#clients) client.onInsights(text);
  }
}
