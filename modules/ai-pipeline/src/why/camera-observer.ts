import type { InferenceResult } from '@vantage/inference';
import type { SourceStream } from '@vantage/media';
import type { FrameInsights, FrameObject } from '@vantage/skill';
import { CameraHealth, type HealthPicture } from '../camera/health/camera-health.ts';
import type { CameraSetup, CameraState, FromCamera } from '../camera/protocol.ts';
import { sentencesOf } from './sentences.ts';
import { WhyRing, type WhyCounts } from './why-ring.ts';
import type { WhyAnswer, WhyFrame, WhyQuery } from './why-types.ts';

/** Answers are no larger: a direct method's has 128 KB at most. */
const MAX_BYTES = 90_000;

/** Looks over the shoulder of a camera's thread: is its view well, and what became of its frames. */
export class CameraObserver {
  readonly #setup: Pick<CameraSetup, 'sensor' | 'health' | 'regions'>;
  readonly #send: (message: FromCamera) => void;
  readonly #ring: WhyRing;
  #health: CameraHealth | undefined;
  #regions: CameraSetup['regions'];
  #nowMs: number | undefined;

  constructor(
    setup: Pick<CameraSetup, 'sensor' | 'health' | 'regions'>,
    send: (message: FromCamera) => void,
    counts: () => WhyCounts,
  ) {
    this.#setup = setup;
    this.#send = send;
    this.#regions = setup.regions;
    this.#ring = new WhyRing(setup.regions, counts);
    this.setHealth(setup.health);
  }

  setHealth(health: CameraSetup['health']): void {
    if (health === false) {
      // A state that nobody follows any more is none.
      if (this.#health) this.#send({ kind: 'view', view: undefined });
      this.#health = undefined;
      return;
    }
    const { sensor } = this.#setup;
    const onView = (view: Extract<FromCamera, { kind: 'view' }>['view']): void => this.#send({ kind: 'view', view });
    this.#health = new CameraHealth({ sensor, settings: health ?? {}, onView });
  }

  setRegions(regions: CameraSetup['regions']): void {
    this.#regions = regions;
    this.#ring.setRegions(regions);
  }

  useStream(stream: SourceStream): void {
    this.#health?.useStream(stream);
  }

  /** The picture is only lent. @returns whether its best scores should be asked for */
  captured(picture: HealthPicture, isLookedAt: boolean): boolean {
    this.#nowMs = picture.captureTimeMs;
    this.#health?.look(picture);
    return this.#ring.captured(picture.captureTimeMs, isLookedAt, this.#health?.state ?? 'ok');
  }

  /** @param objects behind the tracker; @param detected before it */
  seen(
    at: Pick<FrameInsights, 'captureTimeMs'>,
    size: SourceStream | undefined,
    detected: readonly FrameObject[],
    objects: readonly FrameObject[],
    { outputs }: InferenceResult,
  ): void {
    if (!size) return;
    const { sourceWidth: width, sourceHeight: height } = size;
    this.#ring.seen(at, { width, height }, detected, objects, outputs[0]?.peaks);
  }

  clockJumped(): void {
    this.#health?.clockJumped();
  }

  /** Everything that leaves the thread passes by here. */
  pass(message: FromCamera): FromCamera {
    if (message.kind === 'insights') return { kind: 'insights', frame: this.#mark(message.frame) };
    if (message.kind === 'export') {
      const { post } = message;
      return 'frame' in post ? { kind: 'export', post: { ...post, frame: this.#mark(post.frame) } } : message;
    }
    const nowMs = this.#nowMs ?? Date.now();
    if (message.kind === 'recording') this.#ring.recording(message.on, message.reason, nowMs);
    if (message.kind === 'clip') this.#ring.clip(message.clip, nowMs);
    if (message.kind === 'problem') this.#ring.note(nowMs, message.message);
    if (message.kind === 'state') this.#onState(message.state);
    return message;
  }

  why({ pipeline, sensor, atMs, seconds }: WhyQuery): WhyAnswer {
    const around = seconds * 1000;
    const notes = this.#ring.notes.filter(({ timeMs }) => timeMs <= atMs + around).slice(-20);
    const frames = this.#ring.between(atMs - around, atMs + around);
    const regions = this.#regions.map(({ label }) => label);
    const summary = sentencesOf({ pipeline, sensor, frames, notes }, atMs, regions);
    return { at: new Date(atMs).toISOString(), pipeline, sensor, frames: bounded(frames, atMs), notes, summary };
  }

  #onState({ state, reason }: CameraState): void {
    // While nothing comes, only the wall has a clock.
    this.#ring.note(Date.now(), `the camera is ${state}${reason === '' ? '' : ` (${reason})`}`);
    if (state === 'reconnecting') this.#health?.gap();
  }

  #mark(frame: FrameInsights): FrameInsights {
    const marked = this.#health?.mark(frame) ?? frame;
    this.#ring.told(marked);
    return marked;
  }
}

/** The nearest to the moment, in the order of time. */
function bounded(frames: readonly WhyFrame[], atMs: number): readonly WhyFrame[] {
  const nearest = [...frames].sort((a, b) => Math.abs(a.timeMs - atMs) - Math.abs(b.timeMs - atMs));
  let bytes = 0;
  const kept = nearest.filter((frame) => (bytes += JSON.stringify(frame).length + 1) <= MAX_BYTES);
  return kept.sort((a, b) => a.timeMs - b.timeMs);
}
