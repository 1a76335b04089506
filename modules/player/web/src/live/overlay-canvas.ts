import { Trails, type Match } from '../core/overlay.ts';
import { drawOverlay, painterOf, type Drawn, type DrawnRegion, type OverlayOptions } from './draw.ts';

/** What is drawn over a video: the insights of the very frame that the browser shows. */
export class OverlayCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #video: HTMLVideoElement;
  readonly #trails = new Trails();
  /** Finds the insights of a frame by its time on the video's clock, microseconds. */
  match: (ptsUs: number) => Match | undefined = () => undefined;
  options: OverlayOptions;
  regions: readonly DrawnRegion[] = [];
  #handle = 0;
  #running = false;
  #ptsUs: number | undefined;
  #seen: number | undefined;

  constructor(canvas: HTMLCanvasElement, video: HTMLVideoElement, options: OverlayOptions) {
    this.#canvas = canvas;
    this.#video = video;
    this.options = options;
  }

  /** Time of the frame that is shown, microseconds. */
  get ptsUs(): number | undefined {
    return this.#ptsUs;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    if ('cancelVideoFrameCallback' in this.#video) this.#video.cancelVideoFrameCallback(this.#handle);
    else cancelAnimationFrame(this.#handle);
  }

  /** Draws again: other options, regions, another size, or insights that came late. */
  redraw(): void {
    this.#paint(this.#ptsUs, this.#ptsUs === undefined ? undefined : this.match(this.#ptsUs));
  }

  /** Insights that belong to no frame of the video: the newest, over stills. */
  show(match: Match): void {
    this.#paint(match.frame.ptsUs, match);
  }

  #wait(): void {
    if (!this.#running) return;
    if ('requestVideoFrameCallback' in this.#video) {
      this.#handle = this.#video.requestVideoFrameCallback((_, { mediaTime }) => this.#frame(mediaTime));
    } else this.#handle = requestAnimationFrame(() => this.#frame(this.#video.currentTime));
  }

  #frame(seconds: number): void {
    this.#ptsUs = Math.round(seconds * 1e6);
    this.redraw();
    this.#wait();
  }

  #paint(ptsUs: number | undefined, match: Match | undefined): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const painter = painterOf(this.#canvas, clientWidth, clientHeight);
    if (!painter) return;
    if (match && match.frame.ptsUs !== this.#seen) {
      this.#trails.see(match.frame);
      this.#seen = match.frame.ptsUs;
    }
    const boxes = drawOverlay(painter, match, this.regions, this.options, this.#trails);
    const detail: Drawn = { ptsUs: ptsUs ?? 0, frameId: match?.frame.frameId, exact: match?.exact ?? false, boxes };
    this.#canvas.dispatchEvent(new CustomEvent('drawn', { detail, bubbles: true }));
  }
}
