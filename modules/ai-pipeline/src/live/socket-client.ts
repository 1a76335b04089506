import type { WebSocket } from 'ws';
import type { FragmentClient, LiveFragment, LiveInit } from './fragment-stream.ts';

/** What may wait for one slow client; then it skips to the newest key frame. */
const MAX_WAITING_BYTES = 8 << 20;
/** A client that has not taken a frame for so long watches the past. */
const MAX_BEHIND_MS = 3000;
const PING_MS = 20_000;
/** RFC 6455 7.4.1 */
const CLOSE = { goingAway: 1001, unsupported: 1003 } as const;

export interface SocketClientOptions {
  readonly socket: WebSocket;
  /** False: insights only. */
  readonly video: boolean;
}

/** One browser: what it cannot take is left out, frame by frame, up to a key frame, and it is told so. */
export class SocketClient implements FragmentClient {
  readonly #socket: WebSocket;
  readonly #video: boolean;
  /** When the fragments were sent that the network has not taken yet, in order. */
  readonly #waiting: number[] = [];
  readonly #pinging: NodeJS.Timeout;
  #isAlive = true;
  #isReady = false;
  #skipped = 0;
  #isSkipping = false;

  constructor({ socket, video }: SocketClientOptions) {
    this.#socket = socket;
    this.#video = video;
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    socket.on('pong', () => (this.#isAlive = true));
    // Nobody has anything to say to us, and the end of a connection follows as `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => clearInterval(this.#pinging));
  }

  onInit({ text, segment }: LiveInit): void {
    this.#isReady = true;
    this.#isSkipping = false;
    this.#skipped = 0;
    this.#socket.send(text);
    if (this.#video) this.#socket.send(segment);
  }

  onFragment(fragment: LiveFragment, group: readonly LiveFragment[]): void {
    if (!this.#video) return;
    if (!this.#isSkipping && this.#isBehind()) this.#isSkipping = true;
    if (!this.#isSkipping) {
      this.#send(fragment);
      return;
    }
    this.#skipped += 1;
    if (this.#waiting.length > 0 || group[0]?.key !== true) return;
    // It has taken all it had. If the newest key frame is among what was left out it goes on there, else where it was.
    const rest = group.slice(-this.#skipped);
    const frames = this.#skipped - rest.length;
    this.#isSkipping = false;
    this.#skipped = 0;
    if (frames > 0) this.#socket.send(JSON.stringify({ type: 'skipped', frames }));
    for (const one of rest) this.#send(one);
  }

  onInsights(text: string): void {
    // They are small; but to one that takes nothing they are not sent either.
    if (this.#isReady && this.#socket.bufferedAmount < MAX_WAITING_BYTES) this.#socket.send(text);
  }

  onUnsupported(): void {
    this.#isReady = true;
    if (this.#video)
      this.#socket.close(CLOSE.unsupported, 'the codec of this camera cannot be shown this way: use .mjpeg');
  }

  onEnd(): void {
    this.#socket.close(CLOSE.goingAway, 'the camera left the configuration');
  }

  #isBehind(): boolean {
    const [oldestMs] = this.#waiting;
    const isLate = oldestMs !== undefined && performance.now() - oldestMs > MAX_BEHIND_MS;
    return isLate || this.#socket.bufferedAmount > MAX_WAITING_BYTES;
  }

  #send({ bytes }: LiveFragment): void {
    this.#waiting.push(performance.now());
    this.#socket.send(bytes, () => this.#waiting.shift());
  }

  #ping(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }
}
