import { LivePace } from '../core/latency.ts';
import { readLiveMessage } from '../core/live-protocol.ts';
import { InsightBuffer, type FrameInsights } from '../core/overlay.ts';
import { MediaBuffer } from './media-buffer.ts';

/** `picture`: frame by frame in a video element. `stills`: as JPEGs, because the browser cannot play what the camera sends. */
export type LiveState = 'connecting' | 'picture' | 'stills' | 'waiting' | 'lost';

export interface LiveListener {
  state(state: LiveState, why?: string): void;
  size(width: number, height: number): void;
  insights(frame: FrameInsights): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
/** No picture for so long is told. */
const SILENT_MS = 4000;
const PACE_MS = 200;
/** RFC 6455: what the ai-pipeline says of a codec that cannot be put into fragments. */
const UNSUPPORTED = 1003;
/** A paused picture takes in so many seconds; then the stream rests until it plays again. */
const PAUSED_SECONDS = 20;

/** A camera's live picture in a video element, with its insights beside it, as near to now as can be. */
export class LiveStream {
  readonly insights = new InsightBuffer();
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #listener: LiveListener;
  readonly #pace = new LivePace();
  #socket: WebSocket | undefined;
  #media: MediaBuffer | undefined;
  readonly #onPicture = (): void => this.#keepPace();
  #timers: { pace?: number; retry?: number } = {};
  #retryMs = FIRST_RETRY_MS;
  #lastMs = 0;
  #stopped = true;
  #paused = false;
  #resting = false;
  /** The browser cannot play what the camera sends: only the insights are asked for. */
  #stills = false;

  constructor(video: HTMLVideoElement, url: string, listener: LiveListener) {
    this.#video = video;
    this.#url = url;
    this.#listener = listener;
  }

  /** Seconds between the newest picture that has come and the one that is shown. */
  get behind(): number | undefined {
    const range = this.#media?.range;
    return range && range.end - this.#video.currentTime;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#timers.pace = window.setInterval(() => this.#keepPace(), PACE_MS);
    // A first picture is told when it is there, not at the next look.
    this.#video.addEventListener('loadeddata', this.#onPicture);
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    window.clearInterval(this.#timers.pace);
    window.clearTimeout(this.#timers.retry);
    this.#video.removeEventListener('loadeddata', this.#onPicture);
    this.#disconnect();
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  pause(): void {
    this.#paused = true;
    this.#video.pause();
  }

  /** Plays on at now. */
  resume(): void {
    this.#paused = false;
    const range = this.#media?.range;
    if (this.#resting) {
      this.#resting = false;
      this.#connect();
    } else if (range) this.#video.currentTime = Math.max(range.start, range.end - this.#pace.target);
  }

  #connect(): void {
    this.#disconnect();
    this.#listener.state('connecting');
    const socket = new WebSocket(this.#stills ? `${this.#url}?video=0` : this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#lastMs = performance.now();
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      if (typeof data === 'string') return this.#told(data);
      this.#lastMs = performance.now();
      this.#media?.append(data);
    };
    socket.onopen = () => {
      if (this.#socket === socket && this.#stills) this.#listener.state('stills');
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      if (code === UNSUPPORTED && !this.#stills) this.#showStills();
      else this.#retry(reason === '' ? 'the connection ended' : reason);
    };
  }

  #disconnect(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#media?.close();
    this.#media = undefined;
  }

  #retry(why: string): void {
    this.#disconnect();
    if (this.#stopped) return;
    this.#listener.state('lost', why);
    window.clearTimeout(this.#timers.retry);
    this.#timers.retry = window.setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #told(text: string): void {
    const message = readLiveMessage(text);
    switch (message?.type) {
      case 'init':
        this.#listener.size(message.width, message.height);
        return this.#open(message.mimeType);
      case 'insights': {
        this.insights.add(message.frame);
        if (this.#stills) this.#retryMs = FIRST_RETRY_MS;
        const end = this.#media?.range?.end;
        if (end !== undefined) this.#pace.insightDelay(end - message.frame.ptsUs / 1e6);
        return this.#listener.insights(message.frame);
      }
      case 'skipped':
      case undefined:
    }
  }

  #open(mimeType: string): void {
    this.#media?.close();
    this.#media = undefined;
    this.insights.clear();
    const plays = 'MediaSource' in window && MediaSource.isTypeSupported(mimeType);
    if (this.#stills) return plays ? this.#showVideo() : undefined;
    if (!plays) return this.#showStills();
    this.#media = new MediaBuffer(this.#video, mimeType, (why) => this.#retry(why));
    this.#listener.state('waiting');
  }

  #showStills(): void {
    this.#stills = true;
    this.#connect();
  }

  /** The camera has changed to something that can be played. */
  #showVideo(): void {
    this.#stills = false;
    this.#connect();
  }

  #keepPace(): void {
    const range = this.#media?.range;
    if (!range) return;
    const video = this.#video;
    if (this.#paused) {
      if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.#listener.state('picture');
      if (range.end - video.currentTime > PAUSED_SECONDS) this.#rest();
      return;
    }
    const pace = this.#pace.pace(video.currentTime, range.start, range.end);
    if (pace.do === 'jump') video.currentTime = pace.to;
    else if (video.playbackRate !== pace.rate) video.playbackRate = pace.rate;
    // A browser that refuses to play without a click is asked again; muted pictures never are refused.
    if (video.paused) void video.play().catch(() => undefined);
    if (performance.now() - this.#lastMs > SILENT_MS) this.#listener.state('waiting', 'no picture comes');
    else if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      this.#retryMs = FIRST_RETRY_MS;
      this.#listener.state('picture');
    }
  }

  /** The picture that is shown stays; nothing more comes until it plays again. */
  #rest(): void {
    this.#resting = true;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
