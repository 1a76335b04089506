import { messageOf } from '@vantage/contracts';
import { InferenceClient, type InferenceResult } from '@vantage/inference';
import { VideoSource, type EncodedPacket, type Picture, type PictureRequest, type SourceStream } from '@vantage/media';
import { Analytics, type FrameInsights, type FrameObject } from '@vantage/skill';
import { Cascade } from './cascade.ts';
import { ClipRecorder } from './clip-recorder.ts';
import { FrameFlow, type FlowPicture } from './frame-flow.ts';
import { FrameNumbers } from './frame-numbers.ts';
import type { CameraModel, CameraSecondary, CameraSetup, FromCamera, ToCamera } from './protocol.ts';
import { PicturePool } from './graph/shared-picture.ts';
import { frameParts, objectsOf } from './results.ts';
import { TaskCounters } from './task-counters.ts';
import { threadLogger } from './thread-logger.ts';
import { TrackStage } from './track-stage.ts';
import type { SharedPicture } from './graph/stage.ts';
import type { View } from './view.ts';

const COUNTERS_EVERY_MS = 1000;

/** Everything one camera does on its thread. */
export class CameraTask {
  readonly #setup: CameraSetup;
  readonly #send: (message: FromCamera) => void;
  readonly #flow: FrameFlow;
  readonly #cascade: Cascade;
  readonly #pictures = new PicturePool();
  readonly #tracker: TrackStage;
  readonly #recorder: ClipRecorder | undefined;
  readonly #counters = new TaskCounters();
  #analytics: Analytics | undefined;
  #numbers = new FrameNumbers(1);
  #crop: CameraSetup['crop'];
  #model: CameraModel | undefined;
  #source: VideoSource | undefined;
  #picture: PictureRequest | undefined;
  #stream: SourceStream | undefined;
  /** A frame whose wall clock is known: the others' follow from their distance to it. */
  #clock: { ptsUs: number; captureTimeMs: number } | undefined;
  #counting: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  #lastEmittedUs = -1;

  constructor(setup: CameraSetup, send: (message: FromCamera) => void) {
    this.#setup = setup;
    this.#send = send;
    this.#crop = setup.crop;
    this.#tracker = new TrackStage(setup.tracker);
    this.#analytics = setup.analytics && new Analytics(setup.analytics.spec, setup.analytics.stream);
    this.#flow = new FrameFlow({
      queue: setup.queue,
      onFrame: (picture, result) => (result ? this.#onResult(picture, result) : this.#onSkipped(picture)),
    });
    this.#cascade = new Cascade({
      onProblem: (node, reason) =>
        this.#problem('INFERENCE_FAILED', `${node} failed on objects of camera ${setup.sensor}: ${reason}`),
    });
    this.#recorder = setup.recording
      ? new ClipRecorder({
          sensor: setup.sensor,
          ffmpeg: setup.ffmpeg,
          settings: setup.recording,
          regions: setup.regions,
          onState: (on, reason) => send({ kind: 'recording', on, reason }),
          onClip: (clip) => send({ kind: 'clip', clip }),
          onProblem: (code, message) => this.#problem(code, message),
        })
      : undefined;
  }

  async handle(message: ToCamera): Promise<void> {
    switch (message.kind) {
      case 'open':
        for (const secondary of message.secondaries) void this.#cascade.set(secondary);
        void this.#useModel(message.model);
        this.#picture = this.#pictureFor(message.model, !this.#tracker.isOn);
        this.#numbers = new FrameNumbers(this.#picture?.everyNth ?? 1);
        this.#counting = setInterval(() => this.#sendCounters(), COUNTERS_EVERY_MS);
        this.#open();
        return;
      case 'model':
        await this.#changeTo(this.#pictureFor(message.model), () => this.#useModel(message.model));
        this.#send({ kind: 'taken', request: message.request });
        return;
      case 'secondary':
        await this.#changeSecondary(message.node, message.secondary);
        this.#send({ kind: 'taken', request: message.request });
        return;
      case 'crop': {
        const picture = this.#pictureFor(this.#model, false, message.crop);
        return this.#changeTo(picture, () => void (this.#crop = message.crop));
      }
      case 'record':
        this.#recorder?.record(message.on, message.reason);
        return;
      case 'recordingSettings':
        this.#recorder?.setSettings(message.settings);
        return;
      case 'regions':
        this.#recorder?.setRegions(message.regions);
        return;
      case 'analytics': {
        const { analytics } = message;
        this.#analytics = analytics && new Analytics(analytics.spec, analytics.stream);
        return;
      }
      case 'tracker':
        return this.#changeTracker(message.tracker);
      case 'stop':
        clearInterval(this.#counting);
        await this.#source?.stop();
        void this.#flow.use(undefined);
        this.#cascade.clear();
        await this.#recorder?.stop();
        return;
    }
  }

  async #changeSecondary(node: string, secondary: CameraSecondary | undefined): Promise<void> {
    if (!secondary) return this.#cascade.remove(node);
    // The first one needs the full picture; it goes on being made when the last one leaves.
    const picture = this.#picture && { ...this.#picture, full: true };
    await this.#changeTo(picture, () => this.#cascade.set(secondary));
  }

  async #changeTracker(tracker: CameraSetup['tracker']): Promise<void> {
    // A tracker says where objects are on the frames between, so they all have to come.
    const picture = tracker && this.#picture?.everyNth !== undefined ? this.#pictureFor(this.#model) : this.#picture;
    await this.#changeTo(picture, () => this.#tracker.use(tracker));
    this.#cascade.reset();
  }

  /** Takes something over at the frame where the pictures are those that it needs. Resolves when what was before is idle. */
  async #changeTo(picture: PictureRequest | undefined, takeOver: () => void | Promise<void>): Promise<void> {
    const source = this.#source;
    let idle: void | Promise<void> = undefined;
    if (!source || !picture || samePicture(this.#picture, picture)) {
      idle = takeOver();
      if (!this.#source) this.#picture = picture;
      return idle;
    }
    const atFrameBoundary = (): void => {
      this.#numbers.everyFrameFromHere();
      this.#picture = picture;
      idle = takeOver();
    };
    try {
      // At the end of a file that is looped there is nothing to take over from: the next round has something.
      await source.changePicture(picture, atFrameBoundary).catch(() => source.changePicture(picture, atFrameBoundary));
    } catch (error) {
      const why = `other pictures need the camera ${this.#setup.sensor} to be opened again: ${messageOf(error)}`;
      this.#problem('CAMERA_REOPENED', why);
      await source.stop();
      atFrameBoundary();
      this.#open();
    }
    return idle;
  }

  #useModel(model: CameraModel | undefined): Promise<void> {
    this.#model = model;
    this.#setFrameInterval();
    return this.#flow.use(model ? new InferenceClient(model.port) : undefined);
  }

  /** What ffmpeg has to deliver for a model; without one, no picture is ever decoded. */
  #pictureFor(
    model: CameraModel | undefined,
    leaveOut = false,
    crop: CameraSetup['crop'] = this.#crop,
  ): PictureRequest | undefined {
    if (!model) return undefined;
    const { network, keepAspect, scaleFlags, interval } = model;
    return {
      networkWidth: network.width,
      networkHeight: network.height,
      keepAspect,
      ...(scaleFlags === undefined ? {} : { scaleFlags }),
      ...(leaveOut && interval > 0 ? { everyNth: interval + 1 } : {}),
      ...(crop ? { crop } : {}),
      ...(this.#cascade.isEmpty ? {} : { full: true }),
    };
  }

  #open(): void {
    const { url, ffmpeg, pace, loop, sensor, dewarp, hardware } = this.#setup;
    const picture = this.#picture;
    this.#source = new VideoSource(
      {
        url,
        ffmpeg,
        picture,
        ...(dewarp ? { dewarp } : {}),
        ...(hardware ? { hardware } : {}),
        encoded: this.#recorder !== undefined || picture === undefined,
        pace,
        loop,
        // A file that is read once and cannot be read is a mistake; a camera may come back any time.
        reconnect: pace === 'asFastAsPossible' && !loop ? false : {},
        logger: threadLogger(this.#send, { sensor }),
      },
      {
        onStream: (stream) => {
          this.#stream = stream;
          this.#setFrameInterval();
          const { sourceWidth: width, sourceHeight: height, codec, fps, decoder } = stream;
          this.#send({ kind: 'stream', width, height, codec, fps, decoder });
        },
        takeBuffer: (bytes) => this.#flow.takeBuffer(bytes),
        takeFullBuffer: (bytes) => this.#pictures.take(bytes),
        onPicture: (taken) => this.#onPicture(taken),
        onHeader: (bytes) => this.#recorder?.onHeader(bytes),
        onPacket: (packet) => this.#onPacket(packet),
        onState: (state) => {
          if (state.state === 'reconnecting') this.#onGap();
          // The last frames are still with the model: their insights come before the news that nothing more will.
          if (state.state === 'ended') void this.#flow.drain().then(() => this.#ended(state));
          else this.#send({ kind: 'state', state });
        },
      },
    );
    this.#source.start();
  }

  async #ended(state: Extract<FromCamera, { kind: 'state' }>['state']): Promise<void> {
    await this.#recorder?.sourceEnded();
    this.#sendCounters();
    this.#send({ kind: 'state', state });
  }

  /** The camera comes back to another scene: what was tracked and recorded ends here. */
  #onGap(): void {
    this.#counters.reconnects += 1;
    this.#tracker.reset();
    this.#analytics?.reset();
    this.#cascade.reset();
    void this.#recorder?.sourceEnded();
  }

  #onPicture({ sequence, full, ...taken }: Picture): void | Promise<void> {
    this.#counters.frames += 1;
    this.#clock = taken;
    const view = this.#view();
    const picture: FlowPicture = { ...taken, frameId: this.#numbers.of(sequence), view };
    const every = (this.#model?.interval ?? 0) + 1;
    if (picture.frameId % every !== 0) {
      if (full) this.#pictures.give(full.buffer as SharedArrayBuffer);
      return this.#flow.skip(picture);
    }
    return this.#flow.push(full ? { ...picture, full: this.#sharedPicture(full, view) } : picture);
  }

  #sharedPicture({ buffer, width, height }: NonNullable<Picture['full']>, view: View): SharedPicture {
    // It came from `takeFullBuffer`.
    return this.#pictures.fromPlanes(buffer as SharedArrayBuffer, width, height, view);
  }

  #onPacket({ ptsUs, key, bytes }: EncodedPacket): void {
    const frameId = this.#counters.packets++;
    this.#clock ??= { ptsUs, captureTimeMs: Date.now() };
    const captureTimeMs = this.#clock.captureTimeMs + Math.round((ptsUs - this.#clock.ptsUs) / 1000);
    this.#recorder?.onPacket({ ptsUs, key, bytes }, captureTimeMs);
    if (this.#model || !this.#stream) return;
    // Nobody looks at pixels, and yet each frame has its entry: its time, and nothing seen.
    this.#emit({ frameId, ptsUs, captureTimeMs }, []);
  }

  /** Between two frames that the model looks at, the tracker knows. */
  #onSkipped(picture: FlowPicture): void {
    if (this.#tracker.isOn) this.#emit(picture, this.#tracker.predict(picture.ptsUs), { predicted: true });
  }

  #onResult(picture: FlowPicture, result: InferenceResult): void | Promise<void> {
    const [output] = result.outputs;
    if (result.error !== undefined || !output) {
      picture.full?.release();
      const reason = result.error ?? 'it gave no answer';
      // Said once, not thirty times a second; the counters have the number.
      if (reason !== this.#failure) {
        this.#problem('INFERENCE_FAILED', `the model failed on a frame of camera ${this.#setup.sensor}: ${reason}`);
      }
      this.#failure = reason;
      return undefined;
    }
    this.#failure = undefined;
    const objects = this.#tracker.update(objectsOf(output, this.#model?.labels ?? []), picture.ptsUs);
    const parts = frameParts(output);
    if (!picture.full) return this.#emit(picture, objects, parts);
    return this.#cascade.run(picture, objects).then((all) => {
      picture.full?.release();
      this.#emit(picture, all, parts);
    });
  }

  #emit(
    { frameId, ptsUs, captureTimeMs }: Pick<FlowPicture, 'frameId' | 'ptsUs' | 'captureTimeMs'>,
    detections: readonly FrameObject[],
    parts: Partial<FrameInsights> = {},
  ): void {
    const { sourceWidth: width, sourceHeight: height } = this.#stream ?? { sourceWidth: 1, sourceHeight: 1 };
    const { sensor } = this.#setup;
    // A model that joins starts with the group of frames that had gone by without one.
    if (this.#model && ptsUs <= this.#lastEmittedUs) return;
    this.#lastEmittedUs = Math.max(this.#lastEmittedUs, ptsUs);
    const analytics = this.#analytics?.update(detections, ptsUs, width, height);
    const frame: FrameInsights = {
      ...{ sensor, frameId, ptsUs, captureTimeMs, width, height, detections },
      ...parts,
      ...(analytics ? { analytics } : {}),
    };
    this.#recorder?.onInsights(frame);
    this.#send({ kind: 'insights', frame });
  }

  /** The part of the frame that the model sees: all of it, or the crop as far as it lies inside (as ffmpeg clamps it). */
  #view(): View {
    const { sourceWidth, sourceHeight } = this.#stream ?? { sourceWidth: 1, sourceHeight: 1 };
    const crop = this.#crop;
    if (!crop) return { left: 0, top: 0, width: sourceWidth, height: sourceHeight };
    const left = Math.min(Math.max(0, crop.left), sourceWidth - 1);
    const top = Math.min(Math.max(0, crop.top), sourceHeight - 1);
    return {
      left,
      top,
      width: Math.min(crop.width, sourceWidth - left),
      height: Math.min(crop.height, sourceHeight - top),
    };
  }

  #setFrameInterval(): void {
    const fps = this.#stream?.fps ?? 0;
    this.#tracker.setFrameInterval(fps > 0 ? (1e6 / fps) * ((this.#model?.interval ?? 0) + 1) : undefined);
  }

  #problem(code: string, message: string): void {
    this.#send({ kind: 'problem', code, message });
  }

  #sendCounters(): void {
    this.#send({ kind: 'counters', counters: this.#counters.read(this.#flow, this.#cascade) });
  }
}

function samePicture(a: PictureRequest | undefined, b: PictureRequest): boolean {
  const key = (one: PictureRequest): string =>
    JSON.stringify([
      one.networkWidth,
      one.networkHeight,
      one.keepAspect,
      one.everyNth ?? 1,
      one.crop,
      one.full ?? false,
      one.scaleFlags,
    ]);
  return a !== undefined && key(a) === key(b);
}
