import type { InsightEvent, FrameInsights } from '@vantage/skill';
import {
  VIEW_DEFAULTS,
  ViewWatch,
  thumbnailOf,
  type ViewChange,
  type ViewFault,
  type ViewSettings,
  type ViewState,
} from '@vantage/vision';

/** What is known of a camera's view, for reported properties. */
export interface ViewStatus {
  readonly state: ViewState;
  /** ISO, UTC. */
  readonly since: string;
}

export interface CameraHealthOptions {
  readonly sensor: string;
  readonly settings: Partial<ViewSettings>;
  readonly onView: (view: ViewStatus) => void;
}

/** A picture, planes G, B, R; only read. */
export interface HealthPicture {
  readonly ptsUs: number;
  readonly captureTimeMs: number;
  readonly buffer: ArrayBufferLike;
  readonly width: number;
  readonly height: number;
}

/** Between two looks. A look takes about a quarter of a millisecond. */
const EVERY_US = 500_000;
/** Events that wait for a frame that carries them. */
const MAX_WAITING = 16;

const EVENT_TYPES: Readonly<Record<ViewFault, string>> = {
  black: 'cameraBlack',
  covered: 'cameraCovered',
  blurred: 'cameraBlurred',
  frozen: 'cameraFrozen',
  moved: 'cameraMoved',
};

/**
 * Watches a camera's view on the camera's thread, and says what happens to it: as events of the first frame from then
 * on, and as a mark on every frame while something is wrong. Goes by the frames' own time: a file gives the same events
 * at any speed.
 */
export class CameraHealth {
  readonly #options: CameraHealthOptions;
  readonly #watch: ViewWatch;
  readonly #waiting: { readonly ptsUs: number; readonly event: InsightEvent }[] = [];
  /** Views as they changed, the newest last: frames that are still with the model have the one before. */
  readonly #views: { readonly fromUs: number; readonly state: ViewState }[] = [];
  #lastLookUs = Number.NEGATIVE_INFINITY;
  #at = { ptsUs: 0, captureTimeMs: 0 };
  #size: { readonly width: number; readonly height: number } | undefined;
  #told = false;

  constructor(options: CameraHealthOptions) {
    this.#options = options;
    this.#watch = new ViewWatch({ ...VIEW_DEFAULTS, ...options.settings });
  }

  get state(): ViewState {
    return this.#watch.state;
  }

  look(picture: HealthPicture): void {
    const { ptsUs, captureTimeMs, buffer, width, height } = picture;
    this.#at = { ptsUs, captureTimeMs };
    if (!this.#told) this.#tell('ok', captureTimeMs);
    if (ptsUs < this.#lastLookUs) this.#lastLookUs = Number.NEGATIVE_INFINITY;
    if (ptsUs - this.#lastLookUs < EVERY_US || buffer.byteLength < width * height || width * height === 0) return;
    this.#lastLookUs = ptsUs;
    const change = this.#watch.look(thumbnailOf(new Uint8Array(buffer, 0, width * height), width, height), ptsUs);
    if (change) this.#changed(change);
  }

  useStream({ sourceWidth: width, sourceHeight: height }: { sourceWidth: number; sourceHeight: number }): void {
    const before = this.#size;
    this.#size = { width, height };
    if (!before || (before.width === width && before.height === height)) return;
    this.#watch.reset();
    const size = `${width}x${height}`;
    this.#add('cameraResolutionChanged', { from: `${before.width}x${before.height}`, to: size });
  }

  /** The camera comes back, perhaps to another scene. */
  gap(): void {
    this.#watch.reset();
  }

  clockJumped(): void {
    this.#add('cameraClockJump', {});
  }

  /** What a frame that leaves the thread carries besides. */
  mark(frame: FrameInsights): FrameInsights {
    const view = this.#viewAt(frame.ptsUs);
    const events: InsightEvent[] = [];
    for (let first = this.#waiting[0]; first && first.ptsUs <= frame.ptsUs; first = this.#waiting[0]) {
      events.push(first.event);
      this.#waiting.shift();
    }
    if (view === 'ok' && events.length === 0) return frame;
    return {
      ...frame,
      ...(view === 'ok' ? {} : { view }),
      ...(events.length > 0 ? { events: [...(frame.events ?? []), ...events] } : {}),
    };
  }

  #viewAt(ptsUs: number): ViewState {
    while (this.#views.length > 1 && (this.#views[1]?.fromUs ?? Infinity) <= ptsUs) this.#views.shift();
    const first = this.#views[0];
    return first && first.fromUs <= ptsUs ? first.state : 'ok';
  }

  #changed({ state, was, sinceUs }: ViewChange): void {
    const { ptsUs, captureTimeMs } = this.#at;
    const sinceMs = captureTimeMs - Math.round((ptsUs - sinceUs) / 1000);
    this.#views.push({ fromUs: ptsUs, state });
    if (this.#views.length > MAX_WAITING) this.#views.shift();
    this.#tell(state, sinceMs);
    const properties = { was, since: new Date(sinceMs).toISOString() };
    this.#add(state === 'ok' ? 'cameraViewOk' : EVENT_TYPES[state], properties);
  }

  #tell(state: ViewState, sinceMs: number): void {
    this.#told = true;
    this.#options.onView({ state, since: new Date(sinceMs).toISOString() });
  }

  #add(type: string, properties: Readonly<Record<string, string>>): void {
    const { ptsUs, captureTimeMs } = this.#at;
    const id = [this.#options.sensor, type, ptsUs].join('/');
    const event = { type, id, timeMs: captureTimeMs, relatedIds: [], properties };
    this.#waiting.push({ ptsUs, event });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }
}
